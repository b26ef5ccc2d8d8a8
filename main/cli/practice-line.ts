// The practice line of `slotwright practice`: boards in this process, carrying the home's own 1.0.0 image and trusting the
// home's practice key. The log is held only while key and image are made, so that `provision` may use the same home.
import { resolve } from 'node:path'
import { failed } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import type { PublicKey } from '../base/signer.ts'
import { startPracticeLine } from '../practice/line.ts'
import type { PracticeLine } from '../practice/line.ts'
import { findProfile, practiceProfile, withLoader } from '../practice/profiles.ts'
import type { BoardProfile } from '../practice/profiles.ts'
import { OpenFiles } from '../station/files.ts'
import { makeHome } from '../station/home.ts'
import { Logbook } from '../station/logbook.ts'
import { factoryImage, practiceKeyName } from '../station/practice.ts'
import { openAuditStoreForReading } from '../store/audit.ts'
import type { Call } from './call.ts'
import type { PracticeFlags } from './commands/practice.ts'
import { homeFolder } from './home.ts'
import { publicKeyNamed, ringOf } from './keys.ts'
import { certificatesFrom } from './packages.ts'
import { openLog, whoActs } from './record.ts'

/** Ready when it answers: every board's port is in the folder. Kinds: of the line, of the keys named, of the home. */
export async function startLine(call: Call, flags: PracticeFlags): Promise<PracticeLine | Failure> {
  const profile = profileOf(flags)
  if (failed(profile)) return profile
  const named: PublicKey[] = []
  const certificates: Uint8Array[] = []
  for (const text of flags.trust ?? []) {
    const found = await certificatesFrom(text)
    if (!failed(found)) {
      certificates.push(...found.map(({ der }) => der))
      continue
    }
    const key = await publicKeyNamed(call, text)
    if (failed(key)) return key
    named.push(key.publicKey)
  }
  const factory = await factoryOf(call, profile.ram?.address ?? 0)
  if (failed(factory)) return factory
  const { boards, baud, seed, faults, usb } = flags
  // Absolute, since the folder tells others where each port is, wherever they were started.
  return startPracticeLine({ dir: resolve(flags.dir), boards, baud, seed, faults, usb: usb === true, fresh: flags.keep !== true, profile, firmware: factory.firmware, trust: [...factory.trust, ...named], certificates })
}

function profileOf({ mode, loader }: PracticeFlags): BoardProfile | Failure {
  if (loader === undefined) return mode === undefined ? practiceProfile : findProfile(mode)
  const chosen = findProfile(mode ?? loader)
  return failed(chosen) ? chosen : withLoader(chosen, loader)
}

type Factory = Exclude<Awaited<ReturnType<typeof factoryImage>>, Failure>

/** The factory image; made, and logged, on first use. A running station that holds the log has made it already. */
async function factoryOf(call: Call, loadAddress: number): Promise<Factory | Failure> {
  const home = homeFolder(call)
  const made = await makeHome(home)
  if (failed(made)) return made
  const keyring = ringOf(call)
  const found = await keyring.find(practiceKeyName)
  const haveKey = !failed(found) && found.entry !== null
  const reading = haveKey ? openAuditStoreForReading(home) : null
  if (reading !== null && !failed(reading)) {
    try {
      const factory = await factoryImage({ home, desk: { keyring, files: new OpenFiles(), log: new Logbook(reading, whoActs(call).person) } }, loadAddress)
      if (!failed(factory) || factory.kind !== 'read-only') return factory
    } finally {
      reading.close()
    }
  }
  const writing = await openLog(call)
  if (failed(writing)) return writing
  try {
    return await factoryImage({ home, desk: { keyring, files: new OpenFiles(), log: new Logbook(writing, whoActs(call).person) } }, loadAddress)
  } finally {
    writing.close()
  }
}
