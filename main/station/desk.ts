// The signing desk and the key cabinet: keys are made, taken in and retired, firmware becomes a signed image. A signed
// image is written beside its target, read back and verified, then logged, and only then appears under its name: no
// signed image that the log does not know. Refusals are logged too.
import { createHash, randomBytes } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { sameBytes, toHex, utf8 } from '../base/bytes.ts'
import { realClock } from '../base/clock.ts'
import { Failure, attemptAsync, failed, must, refuse } from '../base/failure.ts'
import type { KeyAlgorithm, PublicKey } from '../base/signer.ts'
import type { CheckedArgsOf } from '../contract/api.ts'
import type { KeyView, SignedView } from '../contract/views.ts'
import { addressOfImage, imageToHex, isHexName, readHex } from '../image/hex.ts'
import { signImage } from '../image/sign.ts'
import type { SignOptions, SignedImage } from '../image/sign.ts'
import { verifyImage } from '../image/verify.ts'
import { parseVersion } from '../image/version.ts'
import type { KeyEntry } from '../keys/keyring.ts'
import { publicKeyOf } from '../keys/keyring.ts'
import { judgeUse } from '../keys/policy.ts'
import type { Allowed, KeyClass, PolicyKind } from '../keys/policy.ts'
import type { FileSigner } from '../keys/signer.ts'
import type { EntryDraft } from '../log/entry.ts'
import type { KindData } from '../log/kinds.ts'
import { unusedApprovals } from './approvals.ts'
import type { DeskWorld } from './desk-world.ts'
import type { OpenedFile } from './files.ts'
import { readImage } from './images.ts'
import { filed, keyData, keyView, policyWords } from './key-rows.ts'
import { signOptionsOf } from './sign-options.ts'
import { unlock } from './tokens.ts'

export type { DeskWorld }

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
  // The ring has it now; a wrong passphrase may be typed again.
  if (!failed(entry)) files.wipe(args.file)
  return filed(log, 'take in a key', entry, 'key-imported')
}

export async function retireKey({ keyring, log }: DeskWorld, args: CheckedArgsOf<'retireKey'>): Promise<KeyView | Failure> {
  return filed(log, 'retire a key', await keyring.retire(args.name), 'key-retired')
}

/** Sets who may use a key, for what and when; both policies are in the log. */
export async function setKeyPolicy({ keyring, log }: DeskWorld, { name, products, notBefore, notAfter, needsTwo }: CheckedArgsOf<'setKeyPolicy'>): Promise<KeyView | Failure> {
  const before = await keyring.find(name)
  if (failed(before)) return before
  const entry = await keyring.setPolicy(name, { products, notBefore, notAfter, needsTwo })
  if (failed(entry)) return log.refuse('change the policy of a key', entry)
  const draft: EntryDraft = { kind: 'key-policy', data: { ...keyData(entry), before: policyWords(before.entry?.policy ?? entry.policy), after: policyWords(entry.policy) } }
  const written = log.recordAct(draft, 'engineer')
  if (failed(written)) return written
  return keyView(entry) ?? new Failure('unsupported-key', `The policy of "${entry.name}" was set; it encrypts only and does not sign images.`)
}

/** Notes that this person lets the key sign this firmware as this version. */
export async function approveSigning({ keyring, files, log }: DeskWorld, args: CheckedArgsOf<'approveSigning'>): Promise<{ entry: number } | Failure> {
  const firmware = files.get(args.file)
  if (failed(firmware)) return firmware
  const found = await keyring.find(args.key)
  if (failed(found)) return found
  const version = parseVersion(args.version)
  if (failed(version)) return version
  if (found.entry === null) return new Failure('no-such-key', `There is no key called "${args.key}" in the key ring.`)
  if (log.account === null) return log.refuse('approve a signature', new Failure('needs-accounts', 'An approval is one person\'s word, and nobody is signed in here. Give people accounts, and sign in.'))
  const entry = log.recordAct({ kind: 'use-approved', data: { key: found.entry.fingerprint, name: found.entry.name, inputSha256: firmware.sha256, version: versionText({ version }), ...(log.account === null ? {} : { account: log.account }) } }, 'engineer')
  return failed(entry) ? entry : { entry }
}

/** What a key's policy said, as the log has it. */
export function policyData(decision: 'allowed' | 'refused', reason: string, product: string | null, recipe: KeyClass | null): NonNullable<KindData<'image-signed'>['policy']> {
  return { decision, reason: reason.slice(0, 1000), ...(product === null ? {} : { product }), ...(recipe === null ? {} : { recipe }) }
}

/** Refusals that are the key's policy. */
const policyKinds: ReadonlySet<string> = new Set(['key-retired', 'key-not-yet', 'key-expired', 'test-key', 'key-wrong-product', 'needs-approval', 'needs-accounts'] satisfies PolicyKind[])

/** What to sign and where to put it; the desk's core, also for the practice line's own firmware. */
export type SignOrder = Readonly<{
  firmware: OpenedFile
  key: KeyEntry
  /** The file's passphrase, or the PIN of a token that is still locked. */
  passphrase: string | null
  options: SignOptions
  saveAs: string
  /** Where an Intel HEX file puts the image; where the firmware's file did when left out. */
  hexAddress?: number | undefined
  /** What the firmware is for, as far as somebody said. */
  product?: string | null
  recipe?: KeyClass | null
}>

export type SignedFile = Readonly<{ file: OpenedFile; entry: number }>

export async function sign(world: DeskWorld, args: CheckedArgsOf<'sign'>): Promise<SignedView | Failure> {
  const firmware = world.files.get(args.file)
  if (failed(firmware)) return firmware
  const saveAs = args.saveAs
  if (saveAs === null) return new Failure('no-place', 'Say where the signed image is to be saved.')
  if (resolve(saveAs) === resolve(firmware.path)) return new Failure('same-file', `${saveAs} is the firmware itself; the signed image would replace it. Choose another name.`)
  const signed = await attemptAsync(async () => {
    const found = must(await world.keyring.find(args.key))
    const key = found.entry ?? refuse('no-such-key', `There is no key called "${args.key}" in the key ring. Make or import it first.`)
    const options = must(await signOptionsOf(world.files, args.options, firmware.bytes))
    const made = must(await signAndFile(world, { firmware, key, passphrase: args.passphrase, options, saveAs, hexAddress: args.options.hexAddress, product: args.product, recipe: args.recipe }))
    const { view } = must(readImage(made.file, must(await world.keyring.list())))
    return { image: view, savedAs: saveAs, file: made.file.id, key: key.name, entry: made.entry } satisfies SignedView
  })
  if (!failed(signed)) return signed
  const named = await world.keyring.find(args.key)
  const key = failed(named) ? null : named.entry
  const draft: EntryDraft = {
    kind: 'image-refused',
    data: {
      file: firmware.name, failure: signed.kind.slice(0, 64), says: signed.says.slice(0, 1000), inputSha256: firmware.sha256, ...(key === null ? {} : { key: key.fingerprint }),
      ...(policyKinds.has(signed.kind) ? { policy: policyData('refused', signed.says, args.product, args.recipe) } : {}),
    },
  }
  const written = world.log.recordAct(draft, 'engineer')
  return failed(written) ? written : signed
}

/**
 * Asks the key's policy, signs, writes, reads back, verifies, logs, and lets the file appear. A key file's key is wiped
 * whatever happens. Kinds besides those of signing and saving: those of `judgeUse`.
 */
export async function signAndFile(world: DeskWorld, order: SignOrder): Promise<SignedFile | Failure> {
  const use = permitted(world, order)
  if (failed(use)) return use
  const signer = await signerFor(world, order.key, order.passphrase)
  if (failed(signer)) return signer
  try {
    return await signWith(signer, world, order, use)
  } finally {
    signer.close()
  }
}

/** A signer for a key of the ring, in a file (with its passphrase) or in a token (with its PIN, where it is still locked); to be closed. */
export async function signerFor(world: DeskWorld, key: KeyEntry, passphrase: string | null): Promise<FileSigner | Failure> {
  return key.token === null ? await world.keyring.signer(key.name, passphrase ?? undefined) : await tokenSigner(world, key, key.token.uri, passphrase)
}

export type Permitted = Allowed & Readonly<{ approval: number | null }>

/** What the key's policy says to this order. */
export function permitted({ log, clock = realClock }: DeskWorld, { key, firmware, options, product = null, recipe = null }: SignOrder): Permitted | Failure {
  const approvals = key.policy.needsTwo ? unusedApprovals(log.audit, { key: key.fingerprint, inputSha256: firmware.sha256, version: versionText(options) }) : []
  if (failed(approvals)) return approvals
  const decision = judgeUse(key, { wallMs: clock.wallMs(), account: log.account, product, recipe, approvedBy: approvals })
  return failed(decision) ? decision : { ...decision, approval: approvals.find(({ account }) => account === decision.approvedBy?.account && account !== null)?.entry ?? null }
}

/** A signer in a token, unlocked with the PIN when one was given; the key stays where it is. */
async function tokenSigner(world: DeskWorld, key: KeyEntry, uri: string, pin: string | null): Promise<FileSigner | Failure> {
  const tokens = world.tokens ?? null
  if (tokens === null) return new Failure('no-pkcs11', `The key ${key.name} lies in a token, and this station was started without the process that talks to tokens.`)
  const publicKey = publicKeyOf(key)
  if (failed(publicKey)) return publicKey
  const unlocked = pin === null || pin === '' ? null : await unlock(world, tokens, uri, pin)
  if (failed(unlocked)) return unlocked
  const signer = tokens.signer(uri, publicKey)
  return {
    publicKey,
    close: () => {},
    async sign(what, signal) {
      const first = await signer.sign(what, signal)
      if (!failed(first) || first.kind !== 'needs-pin' || first.facts['pinPad'] !== true) return first
      // Its reader has keys of its own: the person who pressed Sign types the PIN there.
      const there = await unlock(world, tokens, uri, null)
      return failed(there) ? there : signer.sign(what, signal)
    },
  }
}

async function signWith(signer: FileSigner, world: DeskWorld, order: SignOrder, use: Permitted): Promise<SignedFile | Failure> {
  const { firmware, key, options, saveAs, hexAddress } = order
  const image = await signImage(firmware.bytes, options, signer)
  if (failed(image)) return image
  return fileImage(world, image, { firmware, saveAs, options, hexAddress, publicKey: signer.publicKey }, {
    key: key.fingerprint, keyName: key.name, home: key.token === null ? 'file' : 'pkcs11', policy: policyData('allowed', use.reason, order.product ?? null, order.recipe ?? null),
    ...(use.approval === null ? {} : { approval: use.approval }),
  })
}

/** Writes a signed image beside its target, reads it back, verifies and logs it, and only then gives it its name. */
export async function fileImage(
  world: DeskWorld, image: SignedImage, { firmware, saveAs, options, hexAddress, publicKey }: Readonly<{ firmware: OpenedFile; saveAs: string; options: SignOptions; hexAddress?: number | undefined; publicKey: PublicKey }>,
  by: Pick<KindData<'image-signed'>, 'key' | 'keyName' | 'home' | 'policy' | 'approval'>,
): Promise<SignedFile | Failure> {
  const beside = join(dirname(saveAs), `.${basename(saveAs)}.${randomBytes(6).toString('hex')}.new`)
  const file = contentFor(saveAs, image, firmware, options, hexAddress)
  if (failed(file)) return file
  try {
    const written = await writeAndReadBack(beside, file, options, publicKey, isHexName(saveAs))
    if (failed(written)) return written
    const algorithm: KeyAlgorithm = publicKey.algorithm
    const entry = world.log.recordAct({
      kind: 'image-signed',
      data: {
        ...by, ...(world.log.account === null ? {} : { account: world.log.account }), algorithm, inputSha256: firmware.sha256, outputSha256: createHash('sha256').update(written).digest('hex'),
        imageHash: toHex(image.digest), version: versionText(image), file: basename(saveAs).slice(0, 200), bytes: written.length,
      },
    }, 'engineer')
    if (failed(entry)) return entry
    await rename(beside, saveAs)
    return { file: world.files.adopt(saveAs, isHexName(saveAs) ? image.bytes : written), entry }
  } catch (error) {
    return unwritable(saveAs, error)
  } finally {
    await rm(beside, { force: true })
  }
}

/** The image as its file holds it: in Intel HEX, where the name asks for it, at the address asked for or that the firmware's own file gave. */
function contentFor(saveAs: string, image: SignedImage, firmware: OpenedFile, options: SignOptions, hexAddress: number | undefined): Uint8Array | Failure {
  if (!isHexName(saveAs)) return image.bytes
  const address = addressOfImage(firmware.hexAddress ?? null, hexAddress, options)
  if (address === undefined) return new Failure('no-address', 'An Intel HEX file needs an address, and only firmware that came as Intel HEX has one. Give the address (--hex-addr), or save the image under a name that ends in .bin.')
  const text = imageToHex(image, address, options)
  return failed(text) ? text : utf8(text)
}

async function writeAndReadBack(path: string, bytes: Uint8Array, options: SignOptions, key: PublicKey, isHex: boolean): Promise<Uint8Array | Failure> {
  const handle = await open(path, 'wx', 0o644)
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
  const back = new Uint8Array(await readFile(path))
  const read = isHex ? readHex(back) : { bytes: back }
  if (!sameBytes(back, bytes)) return new Failure('read-back', 'What was written to disk reads back as other bytes. Check the disk.')
  // A pure signature is over the plaintext, which an encrypted file no longer holds; it was checked when it was made.
  const checkedWith = options.pure === true && options.encrypt !== undefined && options.encrypt.clear !== true ? undefined : key
  const verified = failed(read) ? read : verifyImage(read.bytes, checkedWith, { encryptedOk: true })
  return failed(verified) ? new Failure('read-back', `What was written to disk does not verify: ${verified.says} Check the disk.`) : back
}

function versionText({ version: { major, minor, revision, build } }: Pick<SignOptions, 'version'>): string {
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
