// The desk's options as the image room takes them: the files they name by id are read here, public keys no further than
// their public half, and the words of both clients (desk and command line) go through the same reader.
import { randomBytes } from 'node:crypto'
import { Failure, attemptAsync, failed, must, refuse } from '../base/failure.ts'
import type { PublicKey } from '../base/signer.ts'
import type { CheckedArgsOf } from '../contract/api.ts'
import type { AskedOptions } from '../contract/sign-options.ts'
import type { MeasuredView } from '../contract/views.ts'
import type { SignOptions } from '../image/options.ts'
import { canSign } from '../image/publickey.ts'
import { measureImage } from '../image/sign.ts'
import { sizeReport } from '../image/size.ts'
import { readOptions } from '../image/written.ts'
import { publicKeyOf } from '../keys/keyring.ts'
import type { Keyring } from '../keys/keyring.ts'
import { readPublicKey } from '../keys/publicpem.ts'
import type { OpenFiles } from './files.ts'

const tlvBytesMax = 0xffff

/** Kinds: `file-not-open`, those of reading public keys, `bad-option`, `bad-version`, `no-vector-table`. */
export async function signOptionsOf(files: OpenFiles, asked: AskedOptions, firmware: Uint8Array): Promise<SignOptions | Failure> {
  return attemptAsync(async () => {
    const { securityCounter, customTlvs, encrypt, hexAddress: _, pad, ...plain } = asked
    return must(await readOptions({
      ...plain,
      pad: pad || plain.confirm || plain.test === true,
      securityCounter: securityCounter ?? undefined,
      customTlvs: customTlvs?.map((one) => ({ type: one.type, value: 'value' in one ? one.value : tlvIn(files, one.file) })),
      encrypt: encrypt === undefined ? undefined : await encryptionOf(files, encrypt),
    }, firmware))
  })
}

function tlvIn(files: OpenFiles, id: string): Uint8Array {
  const { bytes, name } = must(files.get(id))
  if (bytes.length > tlvBytesMax) refuse('bad-option', `"${name}" has ${bytes.length} bytes; a TLV holds at most ${tlvBytesMax}. Choose a smaller file.`, { option: 'custom-tlv-file' })
  return bytes
}

async function encryptionOf(files: OpenFiles, { keyFile, ...rest }: NonNullable<AskedOptions['encrypt']>): Promise<SignOptions['encrypt']> {
  const publicKey = must(await readPublicKey(must(files.get(keyFile)).bytes))
  return { ...rest, publicKey, random: (bytes) => new Uint8Array(randomBytes(bytes)) }
}

/** The public key in an opened PEM file; a private one there is read no further than its public half. */
export async function outsideKey(files: OpenFiles, id: string): Promise<PublicKey | Failure> {
  const file = files.get(id)
  if (failed(file)) return file
  const key = await readPublicKey(file.bytes)
  if (failed(key)) return key
  return canSign(key) ? key : new Failure('unsupported-key', `"${file.name}" is an x25519 key, which cannot sign. Choose the signing key's public half.`)
}

/** How large the image will be and what each swap mode has room for; equal slots. Kinds: of `signOptionsOf` and `measureImage`. */
export async function measureFirmware({ files, keyring }: Readonly<{ files: OpenFiles; keyring: Keyring }>, args: CheckedArgsOf<'measureFirmware'>): Promise<MeasuredView | Failure> {
  return attemptAsync(async () => {
    const firmware = must(files.get(args.file))
    const options = must(await signOptionsOf(files, args.options, firmware.bytes))
    const key = must(args.publicKey !== null ? await outsideKey(files, args.publicKey) : args.key !== null ? await ringKey(keyring, args.key) : null)
    const measured = must(await measureImage(firmware.bytes, options, key ?? undefined))
    const report = sizeReport(
      { headerBytes: measured.headerBytes, payloadBytes: measured.payloadBytes, protectedTlvBytes: measured.protectedTlvBytes, tlvBytes: measured.tlvBytes },
      { ...measured.trailer, primaryBytes: options.slotBytes, secondaryBytes: options.slotBytes, sectorBytes: args.sectorBytes },
    )
    return { ...report, padHeader: options.padHeader === true, algorithm: key?.algorithm ?? null, compression: measured.compression } satisfies MeasuredView
  })
}

async function ringKey(keyring: Keyring, name: string): Promise<PublicKey | Failure> {
  const found = await keyring.find(name)
  if (failed(found)) return found
  return found.entry === null ? new Failure('no-such-key', `There is no key called "${name}" in the key ring. Make or import it first.`) : publicKeyOf(found.entry)
}
