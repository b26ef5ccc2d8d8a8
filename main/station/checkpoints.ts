// When the station signs: after every batch, after so many entries, and when entries have waited so many minutes. A signed
// checkpoint is copied to a folder of the house (a network share, a USB stick), since only one that has left the station
// shows a log cut short later. No timer runs while nothing is unsigned.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import { Failure, failed } from '../base/failure.ts'
import type { AuditStore } from '../store/audit.ts'
import type { SignedCheckpoint } from '../store/checkpoints.ts'
import { diskFailure } from '../store/database.ts'
import { writeDurably } from '../store/logkey.ts'
import { readSetting } from '../store/settings.ts'

export const checkpointSettingsName = 'checkpoints'

export const checkpointSettingsSchema = z.object({
  everyEntries: z.int().min(1).max(1_000_000),
  everyMinutes: z.int().min(1).max(100_000),
  /** Absolute folder; null keeps them in the home alone. */
  copyTo: z.string().min(1).max(4_096).nullable(),
})

export type CheckpointSettings = z.infer<typeof checkpointSettingsSchema>

export const usualCheckpoints: CheckpointSettings = { everyEntries: 1_000, everyMinutes: 60, copyTo: null }

export type CheckpointKeeper = Readonly<{
  /** Signs now; resolves when it is signed and copied, or could not be. */
  sign(): Promise<void>
  /** No timer and no signature begins after this; waits for the one under way. */
  close(): Promise<void>
}>

/** The home's settings, or the usual ones. */
export function readCheckpointSettings(audit: AuditStore): CheckpointSettings | Failure {
  return readSetting(audit.database, checkpointSettingsName, checkpointSettingsSchema, usualCheckpoints)
}

/**
 * Keeps a log's checkpoints. `trouble` hears, once until it goes well again, that a checkpoint could not be signed or
 * copied; the log itself loses nothing by that, and the next checkpoint covers these entries too. `onSigned` hears of each.
 */
export function keepCheckpoints(audit: AuditStore, clock: Clock, settings: CheckpointSettings, trouble: (failure: Failure) => void, onSigned: (signed: SignedCheckpoint) => void = () => {}): CheckpointKeeper {
  let unsigned = 0
  let cancel: (() => void) | null = null
  let closed = false
  let troubled = false
  let signing: Promise<void> = Promise.resolve()

  const once = async () => {
    const waiting = unsigned
    const signed = await audit.checkpoint()
    const wrong = failed(signed) ? signed : copied(signed, settings)
    if (!failed(signed)) {
      unsigned -= waiting
      onSigned(signed)
    }
    audit.tidy()
    if (wrong !== null && !troubled) trouble(wrong)
    troubled = wrong !== null
  }
  const sign = () => {
    cancel?.()
    cancel = null
    signing = signing.then(once)
    return signing
  }
  const stop = audit.onAppended((entries) => {
    if (closed) return
    const before = unsigned
    unsigned += entries.length
    if (Math.floor(unsigned / settings.everyEntries) > Math.floor(before / settings.everyEntries)) void sign()
    else cancel ??= clock.after(settings.everyMinutes * 60_000, () => void sign())
  })
  return {
    sign,
    close() {
      closed = true
      stop()
      cancel?.()
      return signing
    },
  }
}

const copied = (signed: SignedCheckpoint, { copyTo }: CheckpointSettings) => (copyTo === null ? null : copyCheckpoint(signed, copyTo))

/** Signs, and copies as the home is set to: whoever signs, what is signed leaves the house. `notCopied` says why it could not. */
export async function signAndCopy(audit: AuditStore, signal?: AbortSignal): Promise<{ signed: SignedCheckpoint; notCopied: Failure | null } | Failure> {
  const signed = await audit.checkpoint(signal)
  if (failed(signed)) return signed
  const settings = readCheckpointSettings(audit)
  return { signed, notCopied: failed(settings) ? settings : copied(signed, settings) }
}

/** Copies a checkpoint to the folder, under the log's own name there. Failures are the disk's. */
export function copyCheckpoint(signed: SignedCheckpoint, folder: string): Failure | null {
  const place = join(folder, signed.origin.replace(/[^A-Za-z0-9._-]+/g, '-'))
  const path = join(place, `${String(signed.size).padStart(12, '0')}.checkpoint`)
  try {
    mkdirSync(place, { recursive: true })
    writeDurably(path, signed.note, 0o644)
    return null
  } catch (error) {
    const failure = diskFailure(error, path)
    return new Failure('checkpoint-not-copied', `The checkpoint could not be copied to ${folder}: ${failure.says} Until it can, nothing outside this station proves the newest entries.`)
  }
}
