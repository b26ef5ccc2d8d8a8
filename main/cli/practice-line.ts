// The practice line of `slotwright practice`: boards in this process, carrying the home's own 1.0.0 image and trusting the
// home's practice key. The log is held only while key and image are made, so that `provision` may use the same home.
import { resolve } from 'node:path'
import { Failure, failed } from '../base/failure.ts'
import type { PublicKey } from '../base/signer.ts'
import type { AnyPublicKey } from '../image/publickey.ts'
import { startPracticeLine } from '../practice/line.ts'
import type { PracticeLine } from '../practice/line.ts'
import { orderedProfile } from '../practice/profiles.ts'
import type { BoardProfile } from '../practice/profiles.ts'
import { secretOf } from '../practice/secrets.ts'
import type { BoardSecret } from '../practice/secrets.ts'
import { OpenFiles } from '../station/files.ts'
import { makeHome } from '../station/home.ts'
import { Logbook } from '../station/logbook.ts'
import { factoryImage, practiceKeyName, practiceUpdate } from '../station/practice.ts'
import type { PracticeFactory, PracticeSpecial } from '../station/practice.ts'
import { openAuditStoreForReading } from '../store/audit.ts'
import type { Call } from './call.ts'
import { secretNamed } from './firmware-key.ts'
import type { FirmwarePassphrase } from './firmware-key.ts'
import { homeFolder } from './home.ts'
import { openPrivateKey, publicKeyNamed } from './keys.ts'
import { certificatesFrom } from './packages.ts'
import type { PassphraseOptions } from './passphrase.ts'
import { openLog, whoActs } from './record.ts'
import { ringOf } from './ring.ts'

export type PracticeFlags = Readonly<{ boards: number; dir: string; trust?: readonly string[]; seed: number; faults: string; baud: number; mode?: string; loader?: 'unwrap' | 'in-place'; usb?: true; keep?: true; images?: number; encrypted?: string; encryptKeylen?: '128' | '256'; securityCounter?: true; downgradePrevention?: true; firmwareKey?: string; firmwareKeyId?: string }> & PassphraseOptions & FirmwarePassphrase

/** Ready when it answers: every board's port is in the folder. Kinds: of the line, of the keys named, of the home. */
export async function startLine(call: Call, flags: PracticeFlags): Promise<StartedLine | Failure> {
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
  const decrypting = flags.encrypted === undefined ? null : await secretFrom(call, flags.encrypted, flags)
  if (failed(decrypting)) return decrypting
  const { secret = null, ...sealed } = decrypting ?? {}
  const firmwareKey = await secretNamed(call, 'firmware-key', flags.firmwareKey, flags.firmwareKeyId, flags)
  if (failed(firmwareKey)) return firmwareKey
  if (firmwareKey !== null && profile.packages !== 'unwrap') return new Failure('bad-option', '--firmware-key-id goes with --loader unwrap: only boards that unpack packages have use for it.')
  const factory = await factoryOf(call, { loadAddress: profile.ram?.address ?? 0, images: profile.others.length + 1, counters: profile.counters !== null, ...sealed })
  if (failed(factory)) return factory
  const { boards, baud, seed, faults, usb } = flags
  // Absolute, since the folder tells others where each port is, wherever they were started.
  const line = await startPracticeLine({ dir: resolve(flags.dir), boards, baud, seed, faults, usb: usb === true, fresh: flags.keep !== true, profile, firmware: factory.firmware, trust: [...factory.trust, ...named], certificates, firmwareKeys: firmwareKey === null ? [] : [firmwareKey], others: factory.others, secret })
  return failed(line) ? line : { line, update: factory.update }
}

/** The boards, and the file that brings them to 1.1.0. */
export type StartedLine = Readonly<{ line: PracticeLine; update: string }>

type Decrypting = Readonly<{ secret: BoardSecret; encrypted: 128 | 256; encryptFor: AnyPublicKey }>

/** The boards' private key for encrypted images, and what their update is encrypted with. Kinds: of opening a private key, `unsupported-key`. */
async function secretFrom(call: Call, text: string, flags: PracticeFlags): Promise<Decrypting | Failure> {
  const opened = await openPrivateKey(call, text, flags)
  if (failed(opened)) return opened
  try {
    const encrypted = flags.encryptKeylen === '256' ? 256 : 128
    const secret = secretOf(opened.key.pkcs8, encrypted === 256 ? 32 : 16)
    return failed(secret) ? secret : { secret, encrypted, encryptFor: opened.key.publicKey }
  } finally {
    opened.key.wipe()
  }
}

function profileOf({ mode, loader, images, encrypted, encryptKeylen, securityCounter, downgradePrevention }: PracticeFlags): BoardProfile | Failure {
  if (encryptKeylen !== undefined && encrypted === undefined) return new Failure('bad-option', '--encrypt-keylen goes with --encrypted, which names the key that the boards decrypt with.')
  return orderedProfile({
    mode: mode ?? null, loader: loader ?? null, images: images ?? 1, keyBytes: encrypted === undefined ? 0 : encryptKeylen === '256' ? 32 : 16, counters: securityCounter === true, noDowngrade: downgradePrevention === true,
  })
}

type Factory = PracticeFactory & Readonly<{ update: string }>

/** The factory image; made, and logged, on first use. A running station that holds the log has made it already. */
async function factoryOf(call: Call, special: PracticeSpecial): Promise<Factory | Failure> {
  const home = homeFolder(call)
  const made = await makeHome(home)
  if (failed(made)) return made
  const keyring = ringOf(call)
  const found = await keyring.find(practiceKeyName)
  const haveKey = !failed(found) && found.entry !== null
  const reading = haveKey ? openAuditStoreForReading(home) : null
  if (reading !== null && !failed(reading)) {
    try {
      const factory = await factoryAndUpdate({ home, desk: { keyring, files: new OpenFiles(), log: new Logbook(reading, whoActs(call).person) } }, special)
      if (!failed(factory) || factory.kind !== 'read-only') return factory
    } finally {
      reading.close()
    }
  }
  const writing = await openLog(call)
  if (failed(writing)) return writing
  try {
    return await factoryAndUpdate({ home, desk: { keyring, files: new OpenFiles(), log: new Logbook(writing, whoActs(call).person) } }, special)
  } finally {
    writing.close()
  }
}

async function factoryAndUpdate(world: Parameters<typeof factoryImage>[0], special: PracticeSpecial): Promise<Factory | Failure> {
  const factory = await factoryImage(world, special)
  const update = failed(factory) ? factory : await practiceUpdate(world, special)
  return failed(factory) ? factory : failed(update) ? update : { ...factory, update }
}
