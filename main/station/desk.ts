// The signing desk and the key cabinet: keys are made, taken in and retired, firmware becomes a signed image. A signed
// image is written beside its target, read back and verified, then logged, and only then appears under its name: no
// signed image that the log does not know. Refusals are logged too.
import { createHash, randomBytes } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { toHex } from '../base/bytes.ts'
import { Failure, attemptAsync, failed, must, refuse } from '../base/failure.ts'
import type { KeyAlgorithm, PublicKey } from '../base/signer.ts'
import type { CheckedArgsOf } from '../contract/api.ts'
import type { KeyView, SignedView } from '../contract/views.ts'
import { signImage } from '../image/sign.ts'
import type { SignOptions } from '../image/sign.ts'
import { verifyImage } from '../image/verify.ts'
import { parseVersion } from '../image/version.ts'
import type { KeyEntry, Keyring } from '../keys/keyring.ts'
import type { FileSigner } from '../keys/signer.ts'
import type { EntryDraft } from '../log/entry.ts'
import type { KindData } from '../log/kinds.ts'
import type { OpenFiles, OpenedFile } from './files.ts'
import { readImage } from './images.ts'
import type { Logbook } from './logbook.ts'

export type DeskWorld = Readonly<{
  keyring: Keyring
  /** Public keys whose private half rests elsewhere: images are verified with them, nothing is signed. */
  known?: Keyring
  files: OpenFiles
  log: Logbook
}>

/** Keys that sign, newest last; encryption keys are not shown at this desk. */
export async function listKeys({ keyring }: DeskWorld): Promise<KeyView[] | Failure> {
  const entries = await keyring.list()
  return failed(entries) ? entries : entries.flatMap((entry) => keyView(entry) ?? [])
}

export async function generateKey({ keyring, log }: DeskWorld, args: CheckedArgsOf<'generateKey'>): Promise<KeyView | Failure> {
  const entry = await keyring.generate(args.name, args.algorithm, args.class, args.passphrase)
  return filed(log, 'make a key', entry, 'key-created')
}

export async function importKey({ keyring, files, log }: DeskWorld, args: CheckedArgsOf<'importKey'>): Promise<KeyView | Failure> {
  const file = files.get(args.file)
  if (failed(file)) return file
  const pem = new TextDecoder().decode(file.bytes)
  const entry = await keyring.add(args.name, pem, { class: args.class, passphrase: args.passphrase ?? undefined, newPassphrase: args.newPassphrase })
  return filed(log, 'take in a key', entry, 'key-imported')
}

export async function retireKey({ keyring, log }: DeskWorld, args: CheckedArgsOf<'retireKey'>): Promise<KeyView | Failure> {
  return filed(log, 'retire a key', await keyring.retire(args.name), 'key-retired')
}

function filed(log: Logbook, what: string, entry: KeyEntry | Failure, kind: 'key-created' | 'key-imported' | 'key-retired'): KeyView | Failure {
  if (failed(entry)) return log.refuse(what, entry)
  const draft = { kind, data: keyData(entry) } as EntryDraft
  const written = log.recordAct(draft, 'engineer')
  if (failed(written)) return written
  return keyView(entry) ?? new Failure('unsupported-key', `The key "${entry.name}" was filed; it encrypts only and does not sign images.`)
}

function keyView(entry: KeyEntry): KeyView | null {
  const { algorithm } = entry
  if (algorithm === 'x25519') return null
  return {
    name: entry.name, algorithm, fingerprint: entry.fingerprint, class: entry.class, where: 'file', encrypted: entry.encrypted,
    createdAt: entry.createdAt, retiredAt: entry.retiredAt, warning: entry.warning,
  }
}

/** A key as the log names it. */
export function keyData(entry: KeyEntry): KindData<'key-created'> {
  return { key: entry.fingerprint, algorithm: entry.algorithm, class: entry.class, name: entry.name, home: 'file' }
}

/** What to sign and where to put it; the desk's core, also for the practice line's own firmware. */
export type SignOrder = Readonly<{ firmware: OpenedFile; key: KeyEntry; passphrase: string | null; options: SignOptions; saveAs: string }>

export type SignedFile = Readonly<{ file: OpenedFile; entry: number }>

export async function sign(world: DeskWorld, args: CheckedArgsOf<'sign'>): Promise<SignedView | Failure> {
  const firmware = world.files.get(args.file)
  if (failed(firmware)) return firmware
  const saveAs = args.saveAs
  if (saveAs === null) return new Failure('no-place', 'Say where the signed image is to be saved.')
  if (resolve(saveAs) === resolve(firmware.path)) return new Failure('same-file', `${saveAs} is the firmware itself; the signed image would replace it. Choose another name.`)
  const signed = await attemptAsync(async () => {
    const version = must(parseVersion(args.options.version))
    const found = must(await world.keyring.find(args.key))
    const key = found.entry ?? refuse('no-such-key', `There is no key called "${args.key}" in the key ring. Make or import it first.`)
    const { headerBytes, padHeader, slotBytes, align, pad, confirm, securityCounter } = args.options
    const options: SignOptions = { version, headerBytes, padHeader, slotBytes, align, pad: pad || confirm, confirm, ...(securityCounter === null ? {} : { securityCounter }) }
    const made = must(await signAndFile(world, { firmware, key, passphrase: args.passphrase, options, saveAs }))
    const { view } = must(readImage(made.file, must(await world.keyring.list())))
    return { image: view, savedAs: saveAs, file: made.file.id, key: key.name, entry: made.entry } satisfies SignedView
  })
  if (!failed(signed)) return signed
  const draft: EntryDraft = { kind: 'image-refused', data: { file: firmware.name, failure: signed.kind.slice(0, 64), says: signed.says.slice(0, 1000), inputSha256: firmware.sha256 } }
  const written = world.log.recordAct(draft, 'engineer')
  return failed(written) ? written : signed
}

/** Signs, writes, reads back, verifies, logs, and lets the file appear. The key is wiped whatever happens. */
export async function signAndFile(world: DeskWorld, order: SignOrder): Promise<SignedFile | Failure> {
  const signer = await world.keyring.signer(order.key.name, order.passphrase ?? undefined)
  if (failed(signer)) return signer
  try {
    return await signWith(signer, world, order)
  } finally {
    signer.close()
  }
}

async function signWith(signer: FileSigner, world: DeskWorld, order: SignOrder): Promise<SignedFile | Failure> {
  const { firmware, key, options, saveAs } = order
  const image = await signImage(firmware.bytes, options, signer)
  if (failed(image)) return image
  const beside = join(dirname(saveAs), `.${basename(saveAs)}.${randomBytes(6).toString('hex')}.new`)
  try {
    const written = await writeAndReadBack(beside, image.bytes, signer.publicKey)
    if (failed(written)) return written
    const algorithm: KeyAlgorithm = signer.publicKey.algorithm
    const entry = world.log.recordAct({
      kind: 'image-signed',
      data: {
        key: key.fingerprint, algorithm, keyName: key.name, inputSha256: firmware.sha256, outputSha256: createHash('sha256').update(written).digest('hex'),
        imageHash: toHex(image.digest), version: versionText(options), file: basename(saveAs).slice(0, 200), bytes: written.length,
      },
    }, 'engineer')
    if (failed(entry)) return entry
    await rename(beside, saveAs)
    return { file: world.files.adopt(saveAs, written), entry }
  } catch (error) {
    return unwritable(saveAs, error)
  } finally {
    await rm(beside, { force: true })
  }
}

async function writeAndReadBack(path: string, bytes: Uint8Array, key: PublicKey): Promise<Uint8Array | Failure> {
  const handle = await open(path, 'wx', 0o644)
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
  const back = new Uint8Array(await readFile(path))
  const verified = verifyImage(back, key, { encryptedOk: true })
  return failed(verified) ? new Failure('read-back', `What was written to disk does not verify: ${verified.says} Check the disk.`) : back
}

function versionText({ version: { major, minor, revision, build } }: SignOptions): string {
  return `${major}.${minor}.${revision}+${build}`
}

function unwritable(path: string, error: unknown): Failure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === '') throw error
  if (code === 'ENOSPC' || code === 'EDQUOT') return new Failure('disk-full', `There is no room for ${path}. Free some space and sign again.`)
  if (code === 'ENOENT' || code === 'ENOTDIR') return new Failure('cannot-save', `${path} cannot be saved: there is no such folder. Choose another place.`)
  if (code === 'EISDIR' || code === 'EEXIST' || code === 'ENOTEMPTY') return new Failure('cannot-save', `${path} cannot be saved: a folder has that name. Choose another name.`)
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return new Failure('cannot-save', `${path} cannot be saved: this user may not write there. Choose another place.`)
  return new Failure('cannot-save', `${path} cannot be saved (${code}). Choose another place.`)
}
