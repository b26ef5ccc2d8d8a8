// What `sign` can be asked for: imgtool 2.4.0's options under readable names, and the checks that do not need the image
// built. The one rule worth knowing: the key decides which hashes are allowed (image.py ALLOWED_KEY_SHA).
import { Failure, attempt, must, refuse } from '../base/failure.ts'
import type { HashName, PublicKey } from '../base/signer.ts'
import type { Compression } from './compress.ts'
import type { EncryptionOptions } from './encrypt.ts'
import { FIRMWARE_BYTES_MAX, HEADER_BYTES, HEADER_BYTES_MAX } from './format.ts'
import { TLV_VENDOR_MAX, TLV_VENDOR_MIN, tlvName } from './tlv.ts'
import type { Endian, TlvEntry } from './tlv.ts'
import { maxAligns, writeAligns } from './trailer.ts'
import type { MaxAlign, WriteAlign } from './trailer.ts'
import { hashesOf } from './verify.ts'
import { checkVersion } from './version.ts'
import type { ImageVersion } from './version.ts'

export type Sha = 'auto' | '256' | '384' | '512'

export type SignOptions = Readonly<{
  /** `-v` */
  version: ImageVersion
  /** `-H`, at least 32 */
  headerBytes: number
  /** `-S`; 0 means: do not check */
  slotBytes: number
  /** `--pad-header`: the firmware has no room for the header yet */
  padHeader?: boolean
  /** `--align` */
  align?: WriteAlign
  /** `--max-align` */
  maxAlign?: MaxAlign
  /** `-M` */
  maxSectors?: number
  pad?: boolean
  /** implies `pad` */
  test?: boolean
  /** implies `pad` */
  confirm?: boolean
  overwriteOnly?: boolean
  /** `-e` */
  endian?: Endian
  /** `-R` */
  erasedValue?: 0 | 0xff
  /** `-L` */
  loadAddress?: number
  /** `-F` */
  romFixed?: number
  nonBootable?: boolean
  /** `-s` */
  securityCounter?: number | 'auto'
  /** `-d` */
  dependencies?: readonly Readonly<{ image: number; version: ImageVersion }>[]
  /** `--boot-record`, the software type, at most 12 characters */
  bootRecord?: string
  vid?: string
  cid?: string
  /** `--custom-tlv`, `--custom-tlv-file`: types 0x00a0–0xfffe, each once */
  customTlvs?: readonly TlvEntry[]
  sha?: Sha
  pure?: boolean
  publicKeyFormat?: 'hash' | 'full'
  padSig?: boolean
  /** `-E` and its companions */
  encrypt?: EncryptionOptions
  compression?: 'disabled' | Compression
  /** `--fix-sig` with `--fix-sig-pubkey`: a signature made elsewhere */
  fixedSignature?: Readonly<{ signature: Uint8Array; publicKey: PublicKey }>
  /** Firmware of 0 bytes is refused unless this says otherwise (imgtool accepts it). */
  allowEmpty?: boolean
}>

const bootRecordTypeMax = 12
const sectorsMax = 65_536
const dependenciesMax = 255

/** The image hash for these options and this key. */
export function hashFor(options: Pick<SignOptions, 'sha' | 'pure'>, key: PublicKey | undefined): HashName | Failure<'bad-option'> {
  const asked = options.sha ?? 'auto'
  if (options.pure === true && asked !== 'auto') {
    return new Failure('bad-option', '--pure fixes the hash itself: leave --sha out.', { option: 'sha' })
  }
  if (key === undefined) return asked === 'auto' ? 'sha256' : `sha${asked}`
  if (options.pure === true) {
    if (key.algorithm === 'ed25519') return 'sha512'
    return new Failure('bad-option', `--pure signs the whole image, which only ed25519 keys do; this key is ${key.algorithm}.`, { option: 'pure' })
  }
  const allowed = hashesOf[key.algorithm]
  if (asked === 'auto') return allowed[0] ?? 'sha256'
  const hash: HashName = `sha${asked}`
  if (allowed.includes(hash)) return hash
  return new Failure('bad-option', `--sha ${asked} does not go with an ${key.algorithm} key; it takes ${allowed.map((name) => name.slice(3)).join(' or ')}.`, { option: 'sha' })
}

function bad(option: string, says: string): never {
  refuse('bad-option', says, { option })
}

function whole(option: string, value: number | undefined, from: number, to: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= from && value <= to)) return
  const show = (number: number) => (to > 9999 ? `0x${number.toString(16)}` : String(number))
  bad(option, `--${option} must be a whole number from ${show(from)} to ${show(to)}.`)
}

/** Everything that can be said before the image is built; null when nothing is wrong. */
export function checkOptions(payload: Uint8Array, options: SignOptions, signingKey: PublicKey | undefined): null | Failure {
  return attempt(() => {
    must(checkVersion(options.version))
    if (payload.length === 0 && options.allowEmpty !== true) refuse('empty-firmware', 'The firmware file is empty. Choose the .bin or .hex file that the build made.')
    if (payload.length > FIRMWARE_BYTES_MAX) {
      refuse('too-large', `The firmware has ${payload.length} bytes; no board takes more than ${FIRMWARE_BYTES_MAX}. Is it the right file?`, { bytes: payload.length, limit: FIRMWARE_BYTES_MAX })
    }
    checkLayout(options)
    checkContents(options)
    checkKeys(options, signingKey)
    return null
  })
}

function checkLayout(options: SignOptions): void {
  whole('header-size', options.headerBytes, HEADER_BYTES, HEADER_BYTES_MAX)
  whole('slot-size', options.slotBytes, 0, 0xffffffff)
  if (options.slotBytes > 4 * FIRMWARE_BYTES_MAX) bad('slot-size', `--slot-size ${options.slotBytes} is larger than any flash this station writes (${4 * FIRMWARE_BYTES_MAX} bytes).`)
  whole('max-sectors', options.maxSectors, 1, sectorsMax)
  whole('load-addr', options.loadAddress, 0, 0xffffffff)
  whole('rom-fixed', options.romFixed, 0, 0xffffffff)
  if (options.align !== undefined && !writeAligns.includes(options.align)) bad('align', '--align must be 1, 2, 4, 8, 16 or 32.')
  if (options.maxAlign !== undefined && !maxAligns.includes(options.maxAlign)) bad('max-align', '--max-align must be 8, 16 or 32.')
  if (options.erasedValue !== undefined && options.erasedValue !== 0 && options.erasedValue !== 0xff) bad('erased-val', '--erased-val must be 0 or 0xff.')
  if (options.loadAddress && options.romFixed) bad('load-addr', '--load-addr and --rom-fixed exclude each other: an image either runs from RAM or from one flash address.')
  if (options.slotBytes === 0 && (options.pad === true || options.test === true || options.confirm === true)) bad('slot-size', '--pad, --test and --confirm fill the slot, so they need --slot-size.')
}

function checkContents(options: SignOptions): void {
  if (options.securityCounter !== 'auto') whole('security-counter', options.securityCounter, 0, 0xffffffff)
  if (options.bootRecord !== undefined && [...options.bootRecord].length > bootRecordTypeMax) {
    bad('boot-record', `--boot-record takes at most ${bootRecordTypeMax} characters; "${options.bootRecord.slice(0, 40)}" has ${[...options.bootRecord].length}.`)
  }
  if ((options.dependencies?.length ?? 0) > dependenciesMax) bad('dependencies', `An image can depend on at most ${dependenciesMax} others.`)
  for (const { image, version } of options.dependencies ?? []) {
    whole('dependencies', image, 0, 255)
    must(checkVersion(version))
  }
  const seen = new Set<number>()
  for (const { type, value } of options.customTlvs ?? []) {
    const hex = `0x${type.toString(16).padStart(4, '0')}`
    if (!Number.isInteger(type) || type < TLV_VENDOR_MIN || type > TLV_VENDOR_MAX) {
      const taken = tlvName(type) === 'UNKNOWN' ? '' : ` (it is MCUboot's own ${tlvName(type)})`
      bad('custom-tlv', `Custom TLV ${hex} is not free for use${taken}: take one from 0x00a0 to 0xfffe.`)
    }
    if (seen.has(type)) bad('custom-tlv', `Custom TLV ${hex} is given twice.`)
    if (value.length > 0xffff) bad('custom-tlv', `Custom TLV ${hex} has ${value.length} bytes; a TLV holds at most 65535.`)
    seen.add(type)
  }
}

function checkKeys(options: SignOptions, signingKey: PublicKey | undefined): void {
  const key = signingKey ?? options.fixedSignature?.publicKey
  if (signingKey !== undefined && options.fixedSignature !== undefined) bad('fix-sig', 'Give either a key to sign with or a finished signature, not both.')
  must(hashFor(options, key))
  const encryptTo = options.encrypt?.publicKey.algorithm
  if (encryptTo === undefined || signingKey === undefined) return
  const same = signingKey.algorithm.startsWith('rsa') ? encryptTo.startsWith('rsa') : signingKey.algorithm.startsWith('ecdsa') ? encryptTo === signingKey.algorithm : true
  if (!same) bad('encrypt', `MCUboot signs and encrypts with the same kind of key: an ${signingKey.algorithm} signature does not go with ${encryptTo} encryption.`)
}
