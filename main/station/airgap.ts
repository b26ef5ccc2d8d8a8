// Signing where the key never meets this station: a digest goes out, a signature comes back (imgtool's
// --vector-to-sign and --fix-sig). The answer is embedded into the same firmware with the same options, and nothing is
// saved or logged as signed unless the whole image verifies with the public key that was named.
import { createHash } from 'node:crypto'
import { basename, resolve } from 'node:path'
import { toHex } from '../base/bytes.ts'
import { attemptAsync, failed, must, refuse } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import type { PublicKey } from '../base/signer.ts'
import type { CheckedArgsOf } from '../contract/api.ts'
import type { DigestView, SignedView } from '../contract/views.ts'
import { keyHash } from '../image/keyhash.ts'
import { opensslCommand, readOutsideSignature } from '../image/outside.ts'
import { signImage, vectorToSign } from '../image/sign.ts'
import { fileImage, permitted, policyData } from './desk.ts'
import type { DeskWorld } from './desk.ts'
import { readImage } from './images.ts'
import { writeWhole } from './saving.ts'
import { outsideKey, signOptionsOf } from './sign-options.ts'

/**
 * Saves what the holder of this public key's private half is to sign: the digest, or with `pure` all that would be hashed.
 * Nothing is signed, so only the export is noted.
 */
export async function exportDigest(world: DeskWorld, { file, publicKey, options, saveAs }: CheckedArgsOf<'exportDigest'>): Promise<DigestView | Failure> {
  return attemptAsync(async () => {
    const firmware = must(world.files.get(file))
    const key = must(await outsideKey(world.files, publicKey))
    const target = placeFor(saveAs, firmware.path)
    const what = options.pure === true ? 'payload' : 'digest'
    const vector = must(await vectorToSign(firmware.bytes, must(await signOptionsOf(world.files, options, firmware.bytes)), what, key))
    must(await writeWhole(target, vector))
    const sha256 = createHash('sha256').update(vector).digest('hex')
    must(world.log.recordAct({ kind: 'export', data: { what: `${what} to sign`, file: basename(target).slice(0, 200), fileSha256: sha256 } }, 'engineer'))
    return { savedAs: target, what, digest: what === 'digest' ? toHex(vector) : sha256, algorithm: key.algorithm, fingerprint: toHex(keyHash(key)), command: opensslCommand(key.algorithm, what, basename(target)) } satisfies DigestView
  })
}

/** Embeds a signature made elsewhere. Kinds besides those of signing and saving: `bad-signature`; a wrong one is noted and nothing is saved. */
export async function importSignature(world: DeskWorld, args: CheckedArgsOf<'importSignature'>): Promise<SignedView | Failure> {
  const firmware = world.files.get(args.file)
  if (failed(firmware)) return firmware
  const signed = await attemptAsync(async () => {
    const saveAs = placeFor(args.saveAs, firmware.path)
    const publicKey = must(await outsideKey(world.files, args.publicKey))
    const fingerprint = toHex(keyHash(publicKey))
    const options = { ...must(await signOptionsOf(world.files, args.options, firmware.bytes)), fixedSignature: { publicKey, signature: must(signatureIn(world, args.signature, publicKey)) } }
    const ring = must(await world.keyring.list())
    const own = ring.find((key) => key.fingerprint === fingerprint) ?? null
    // A key that this station keeps as well does not lose its policy by being used elsewhere.
    const use = own === null ? null : must(permitted(world, { firmware, key: own, passphrase: null, options, saveAs }))
    const image = must(await signImage(firmware.bytes, options))
    const known = own ?? must(await knownAs(world, publicKey, fingerprint))
    const made = must(await fileImage(world, image, { firmware, saveAs, options, hexAddress: args.options.hexAddress, publicKey }, {
      key: fingerprint, keyName: known.name, ...(use === null ? {} : { policy: policyData('allowed', use.reason, null, null), ...(use.approval === null ? {} : { approval: use.approval }) }),
    }))
    const { view } = must(readImage(made.file, [...ring, known]))
    return { image: view, savedAs: saveAs, file: made.file.id, key: known.name, entry: made.entry } satisfies SignedView
  })
  if (!failed(signed)) return signed
  const noted = world.log.recordAct({ kind: 'image-refused', data: { file: firmware.name, failure: signed.kind.slice(0, 64), says: signed.says.slice(0, 1000), inputSha256: firmware.sha256 } }, 'engineer')
  return failed(noted) ? noted : signed
}

function placeFor(saveAs: string | null, firmwarePath: string): string {
  if (saveAs === null) refuse('no-place', 'Say where the file is to be saved.')
  if (resolve(saveAs) === resolve(firmwarePath)) refuse('same-file', `${saveAs} is the firmware itself, and it would be replaced. Choose another name.`)
  return saveAs
}

function signatureIn({ files }: DeskWorld, id: string, publicKey: PublicKey): Uint8Array | Failure {
  const file = files.get(id)
  return failed(file) ? file : readOutsideSignature(file.bytes, file.name, publicKey)
}

/** The key's entry among those known for verifying; filed there on first use, so that its images are recognised later. */
async function knownAs({ keyring, known }: DeskWorld, publicKey: PublicKey, fingerprint: string): ReturnType<typeof keyring.know> {
  const place = known ?? keyring
  const entries = await place.list()
  if (failed(entries)) return entries
  return entries.find((key) => key.fingerprint === fingerprint) ?? place.know(`outside-${fingerprint.slice(0, 12)}`, publicKey, 'production')
}
