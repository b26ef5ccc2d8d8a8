// What an auditor's window looks at: a copy of a log, live or at rest, or what an audit bundle holds. Copying a large log
// takes seconds, so its entries are read where they lie until the copy is there (store/glance.ts), and calls that need more
// wait for it. Looking again begins anew; what calls still read is closed when the last of them is through.
import { readFile, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { Failure, failed } from '../base/failure.ts'
import type { BundleVerdict } from '../bundle/check.ts'
import { bundleBytesMax } from '../bundle/layout.ts'
import { unpack } from '../bundle/unpack.ts'
import type { AuditStore } from '../store/audit.ts'
import { openBundleLog } from '../store/bundle-log.ts'
import type { FindFilter } from '../store/find.ts'
import { glanceBytesMin, openGlance } from '../store/glance.ts'
import type { Glance } from '../store/glance.ts'
import { databaseIn, openSnapshot } from '../store/snapshot.ts'
import { Searches } from './searches.ts'

/** `left` aborts when the window looks anew: long work on what it no longer shows is of no use. */
export type Looked = Readonly<{ audit: AuditStore; searches: Searches; files: ReadonlyMap<string, Uint8Array> | null; left: AbortSignal }> & { judged: BundleVerdict | null }

export type LookOptions = Readonly<{
  path: string
  clock: Clock
  /** Folder for what is put aside; the system's by default. */
  tempFolder?: string
  /** Hears how the copying goes on; at the end, whatever came of it, `doneBytes` is `totalBytes`. */
  onCopied: (doneBytes: number, totalBytes: number) => void
  /** A copy is there, with so many entries. */
  onReady: (size: number) => void
  /** From which size on a log is read as it lies while it is copied. */
  glanceFromBytes?: number
}>

/** The whole log in order, while only that can be shown: its name as a found set, which the copy then goes on with. */
export type FirstLook = Readonly<{ glance: Glance; find: string; asked(filter: FindFilter): void }>

export type Looking = Readonly<{
  /** When it was opened, and whether it is a bundle. */
  about(): Readonly<{ readAt: string; of: 'database' | 'bundle' }>
  /** Null once the copy is there. */
  first(): FirstLook | null
  /** Does something with what is looked at, as soon as it is there. Failures: those of the opening. */
  call<T>(work: (looked: Looked) => T | Failure | Promise<T | Failure>): Promise<T | Failure>
  /** Opens it anew. Where that fails at once, what was looked at before stays. */
  again(): Promise<null | Failure>
  close(): void
}>

/** Searches of one look; their names do not come again in the next, so that no place in one is looked up in another. */
const searchesMax = 10_000

type Round = {
  readonly readAt: string
  readonly of: 'database' | 'bundle'
  first: FirstLook | null
  readonly ready: Promise<Looked | Failure>
  readonly stop: AbortController
  calls: number
}

/** Opens what lies at `path`. Failures: `no-database`, `bad-archive`, `bad-bundle`, and those of `openSnapshot` for a log that cannot be glanced at. */
export async function startLooking(options: LookOptions): Promise<Looking | Failure> {
  let rounds = 1
  const begun = await beginRound(options, rounds)
  if (failed(begun)) return begun
  let round: Round = begun
  let closed = false
  let opening: Promise<null | Failure> | null = null

  const endIfLeft = (one: Round) => {
    if (one.calls > 0 || (one === round && !closed)) return
    void one.ready.then((looked) => {
      if (!failed(looked)) looked.audit.close()
    })
  }
  const leave = (one: Round) => {
    one.stop.abort()
    one.first?.glance.close()
    one.first = null
    endIfLeft(one)
  }
  const openAnew = async (): Promise<null | Failure> => {
    const next = await beginRound(options, ++rounds)
    if (failed(next)) return next
    const before = round
    round = next
    leave(closed ? next : before)
    return null
  }
  return {
    about: () => ({ readAt: round.readAt, of: round.of }),
    first: () => round.first,
    async call(work) {
      const mine = round
      mine.calls += 1
      try {
        const looked = await mine.ready
        return failed(looked) ? looked : await work(looked)
      } finally {
        mine.calls -= 1
        endIfLeft(mine)
      }
    },
    again() {
      opening ??= openAnew().finally(() => {
        opening = null
      })
      return opening
    },
    close() {
      if (closed) return
      closed = true
      leave(round)
    },
  }
}

async function beginRound(options: LookOptions, number: number): Promise<Round | Failure> {
  const { path, clock, tempFolder } = options
  const readAt = new Date(clock.wallMs()).toISOString()
  const stop = new AbortController()
  const files = await bundleAt(path)
  if (failed(files)) return files
  const namedFrom = number * searchesMax
  const seen = (audit: AuditStore): Looked => ({ audit, searches: new Searches(audit, files === null, namedFrom), files, left: stop.signal, judged: null })
  if (files !== null) {
    const audit = await openBundleLog(files, path, tempFolder)
    return failed(audit) ? audit : { readAt, of: 'bundle', first: null, ready: Promise.resolve(seen(audit)), stop, calls: 0 }
  }
  const file = await databaseIn(path)
  if (failed(file)) return file
  const { size: bytes } = await stat(file).catch(() => ({ size: 0 }))
  const glance = bytes < (options.glanceFromBytes ?? glanceBytesMin) ? null : openGlance(file)
  const find = `q${namedFrom}`
  let asked: FindFilter | null = null
  const round: Round = {
    readAt, of: 'database', stop, calls: 0,
    first: glance === null ? null : { glance, find, asked: (filter) => {
      asked = filter
    } },
    ready: copied(options, stop.signal).then((audit) => {
      round.first = null
      const looked = failed(audit) ? audit : seen(audit)
      if (!failed(looked) && glance !== null) {
        if (asked !== null) looked.searches.adopt(find, asked, glance.size)
        const head = looked.audit.head()
        if (!failed(head) && !stop.signal.aborted) options.onReady(head.size)
      }
      glance?.close()
      return looked
    }),
  }
  if (glance !== null) return round
  const looked = await round.ready
  return failed(looked) ? looked : round
}

async function copied({ path, tempFolder, onCopied }: LookOptions, signal: AbortSignal): Promise<AuditStore | Failure> {
  let [told, total] = [false, 1]
  const audit = await openSnapshot(path, {
    signal,
    ...(tempFolder === undefined ? {} : { tempFolder }),
    onCopied(doneBytes, totalBytes) {
      if (signal.aborted) return
      // The end is told when it can be read.
      if (doneBytes < totalBytes) onCopied(doneBytes, totalBytes)
      ;[told, total] = [true, totalBytes]
    },
  })
  if (told && !signal.aborted) onCopied(total, total)
  return audit
}

/** The files of an audit bundle; null where there is none, which a zip's first bytes decide. */
async function bundleAt(path: string): Promise<ReadonlyMap<string, Uint8Array> | null | Failure> {
  const there = await stat(path).catch(() => null)
  if (there === null || !there.isFile()) return null
  if (there.size > bundleBytesMax) return path.endsWith('.zip') ? new Failure('archive-too-large', `${basename(path)} is larger than any audit bundle.`) : null
  if (!path.endsWith('.zip')) return null
  return unpack(new Uint8Array(await readFile(path)))
}
