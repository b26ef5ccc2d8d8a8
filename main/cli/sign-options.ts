// imgtool 2.4.0's `sign` options: their names and short flags (scripts/imgtool/main.py), and how they become the image
// room's SignOptions. A value of the wrong shape is wrong usage; a value that cannot make an image is a Failure.
import { InvalidArgumentError, Option } from 'commander'
import type { Command } from 'commander'
import type { Failure } from '../base/failure.ts'
import { attemptAsync, failed, must, refuse } from '../base/failure.ts'
import type { SignOptions } from '../image/options.ts'
import { readOptions } from '../image/written.ts'
import type { WrittenOptions } from '../image/written.ts'
import { readInput } from './files.ts'
import { pairMark, wholeNumber } from './numbers.ts'

/** Options of `sign` as commander gives them. */
export type SignFlags = Readonly<{
  key?: string
  passphraseFile?: string
  publicKeyFormat: 'hash' | 'full'
  maxAlign?: '8' | '16' | '32'
  align?: '1' | '2' | '4' | '8' | '16' | '32'
  version: string
  securityCounter?: string
  dependencies?: string
  padSig?: true
  headerSize: number | 'auto'
  padHeader?: true
  slotSize: number
  pad?: true
  test?: true
  confirm?: true
  maxSectors?: number
  bootRecord?: string
  overwriteOnly?: true
  endian: 'little' | 'big'
  clear?: true
  compression: 'disabled' | 'lzma2' | 'lzma2armthumb'
  encryptKeylen: '128' | '256'
  encrypt?: string
  saveEnctlv?: true
  hmacSha: 'auto' | '256' | '512'
  romFixed?: number
  loadAddr?: number
  hexAddr?: number
  erasedVal: number
  customTlv?: readonly string[]
  customTlvFile?: readonly string[]
  nonBootable?: true
  sha: 'auto' | '256' | '384' | '512'
  pure?: true
  vectorToSign?: 'payload' | 'digest'
  fixSig?: string
  fixSigPubkey?: string
  sigOut?: string
  vid?: string
  cid?: string
  allowEmpty?: true
}>

const u32Max = 0xffff_ffff
const collect = (text: string, before: readonly string[] = []): string[] => [...before, text]
const erased = (text: string): number => {
  const value = wholeNumber(0, 255)(text)
  if (value !== 0 && value !== 255) throw new InvalidArgumentError('It must be 0 or 0xff.')
  return value
}

const headerSize = (text: string): number | 'auto' => (text === 'auto' ? text : wholeNumber(0, u32Max)(text))

/** Adds every option of imgtool's `sign`. */
export function declareSignOptions(command: Command): void {
  const choice = (flags: string, says: string, words: readonly string[], otherwise?: string) =>
    command.addOption(new Option(flags, says).choices(words).default(otherwise))
  command
    .requiredOption('-v, --version <text>', 'version of the image, like 1.2.0 or 1.2.0+7')
    .requiredOption('-H, --header-size <bytes>', 'size of the image header, at least 32; `auto` reads it from the vector table', headerSize)
    .requiredOption('-S, --slot-size <bytes>', 'size of the slot (the secondary one if they differ)', wholeNumber(0, u32Max))
    .option('-k, --key <key>', 'name of one of the station\'s keys, a PEM file, or a PKCS#11 URI')
    .option('--passphrase-file <file>', 'file whose first line is the key\'s passphrase')
    .option('--pad-header', 'put the header before the firmware instead of over its first bytes')
    .option('--pad', 'fill up to the slot\'s size and add the trailer')
    .option('--test', 'mark for a test swap (implies --pad)')
    .option('--confirm', 'mark as confirmed (implies --pad)')
    .option('-s, --security-counter <number>', 'security counter, or `auto` to take it from the version')
    .option('-d, --dependencies <list>', 'other images it needs: "(1, 1.2.0+3), (2, 2.0.0)"')
  choice('--align <bytes>', 'write alignment of the flash', ['1', '2', '4', '8', '16', '32'])
  choice('--max-align <bytes>', 'largest alignment, when the slots differ and one exceeds 8', ['8', '16', '32'])
  command
    .option('-M, --max-sectors <number>', 'sectors to allow for in the trailer (default: 128)', wholeNumber(1, u32Max))
    .option('--overwrite-only', 'trailer of overwrite-only upgrades')
  choice('-e, --endian <order>', 'byte order', ['little', 'big'], 'little')
  command
    .option('-R, --erased-val <value>', 'what erased flash reads as: 0 or 0xff', erased, 0xff)
    .option('-F, --rom-fixed <address>', 'flash address the image is built for', wholeNumber(0, u32Max))
    .option('-L, --load-addr <address>', 'RAM address the image is loaded to', wholeNumber(0, u32Max))
    .option('-x, --hex-addr <address>', 'address in an Intel HEX output', wholeNumber(0, u32Max))
    .option('--non-bootable', 'mark the image as not bootable')
    .option('--boot-record <type>', 'add a boot record with this software type (12 characters at most)')
    .option('--vid <vendor>', 'vendor: a UUID or a domain name')
    .option('--cid <class>', 'image class: a UUID or a name within the vendor')
    .option('--custom-tlv <tag value>', 'protected TLV: tag, then text or 0x… (may be repeated)', collect)
    .option('--custom-tlv-file <tag file>', 'the same with the value from a file (may be repeated)', collect)
  choice('--public-key-format <format>', 'put the public key\'s hash or the whole key in', ['hash', 'full'], 'hash')
  choice('--sha <bits>', 'hash to use', ['auto', '256', '384', '512'], 'auto')
  command
    .option('--pure', 'sign the image itself instead of its hash (ed25519)')
    .option('--pad-sig', 'pad ECDSA signatures (for MCUboot before 1.5)')
    .option('-E, --encrypt <file>', 'encrypt for this public key')
  choice('--encrypt-keylen <bits>', 'AES key length', ['128', '256'], '128')
  choice('--hmac-sha <bits>', 'hash of the ECIES key exchange', ['auto', '256', '512'], 'auto')
  command
    .option('-c, --clear', 'keep the payload readable, with the encryption TLV')
    .option('--save-enctlv', 'leave room in the trailer for whole encryption TLVs')
  choice('--compression <kind>', 'compress when that makes it smaller', ['disabled', 'lzma2', 'lzma2armthumb'], 'disabled')
  choice('--vector-to-sign <what>', 'write what an outside signer must sign instead of an image', ['payload', 'digest'])
  command
    .option('--fix-sig <file>', 'use this signature, made elsewhere (base64, hex or as it is)')
    .option('--fix-sig-pubkey <file>', 'public key of --fix-sig; it decides on the hash of --vector-to-sign too')
    .option('--sig-out <file>', 'write the signature there too (base64)')
    .option('--allow-empty', 'take firmware of 0 bytes, as imgtool does without asking')
}

/** What can be said of the options without keys and files of keys; those are added by the command. */
export async function optionsOf(flags: SignFlags, firmware: Uint8Array): Promise<SignOptions | Failure> {
  const written = await attemptAsync(async (): Promise<WrittenOptions> => ({
    version: flags.version,
    headerBytes: flags.headerSize,
    padHeader: flags.padHeader,
    slotBytes: flags.slotSize,
    align: flags.align === undefined ? undefined : Number(flags.align) as SignOptions['align'],
    maxAlign: flags.maxAlign === undefined ? undefined : Number(flags.maxAlign) as SignOptions['maxAlign'],
    maxSectors: flags.maxSectors,
    pad: flags.pad,
    test: flags.test,
    confirm: flags.confirm,
    overwriteOnly: flags.overwriteOnly,
    endian: flags.endian,
    erasedValue: flags.erasedVal as SignOptions['erasedValue'],
    loadAddress: flags.loadAddr,
    romFixed: flags.romFixed,
    nonBootable: flags.nonBootable,
    securityCounter: counterOf(flags.securityCounter),
    dependencies: dependenciesOf(flags.dependencies),
    bootRecord: flags.bootRecord,
    vid: flags.vid,
    cid: flags.cid,
    customTlvs: await customTlvsOf(flags),
    sha: flags.sha,
    pure: flags.pure,
    publicKeyFormat: flags.publicKeyFormat,
    padSig: flags.padSig,
    compression: flags.compression,
    allowEmpty: flags.allowEmpty,
  }))
  return failed(written) ? written : readOptions(written, firmware)
}

function counterOf(text: string | undefined): number | 'auto' | undefined {
  if (text === undefined) return undefined
  if (text.toLowerCase() === 'auto') return 'auto'
  const value = /^(0x[0-9a-f]+|0o[0-7]+|0b[01]+|\d+)$/i.test(text) ? Number(text) : Number.NaN
  if (value <= u32Max) return value
  return refuse('bad-option', `--security-counter "${text.slice(0, 40)}" is not a number up to 0xffffffff; give one, or the word auto.`, { option: 'security-counter' })
}

/** `(1, 1.2.0+3), (2, 2.0.0)`; imgtool looks for pairs anywhere in the text, we want the text to be pairs. */
function dependenciesOf(text: string | undefined): WrittenOptions['dependencies'] {
  if (text === undefined) return undefined
  if (!/^\s*\(\s*\d{1,3}\s*,\s*[0-9.+]+\s*\)(\s*,?\s*\(\s*\d{1,3}\s*,\s*[0-9.+]+\s*\))*\s*$/.test(text)) {
    refuse('bad-option', `--dependencies "${text.slice(0, 80)}" is not a list of pairs; write it like "(1, 1.2.0+3), (2, 2.0.0)".`, { option: 'dependencies' })
  }
  return [...text.matchAll(/\(\s*(\d{1,3})\s*,\s*([0-9.+]+)\s*\)/g)].map(([, image, version]) => ({
    image: Number(image),
    version: version ?? '',
  }))
}

const tlvBytesMax = 0xffff

async function customTlvsOf(flags: SignFlags): Promise<NonNullable<WrittenOptions['customTlvs']>> {
  const entries = (flags.customTlv ?? []).map((pair): { type: number; value: string | Uint8Array } => {
    const [type, value] = pairOf(pair, '--custom-tlv')
    return { type, value }
  })
  for (const pair of flags.customTlvFile ?? []) {
    const [type, path] = pairOf(pair, '--custom-tlv-file')
    entries.push({ type, value: must(await readInput(path, 'TLV file', tlvBytesMax)) })
  }
  return entries
}

function pairOf(pair: string, option: string): [type: number, value: string] {
  const at = pair.indexOf(pairMark)
  if (at < 0) return refuse('bad-option', `${option} takes two words: the tag and its value.`, { option: option.slice(2) })
  const tag = pair.slice(0, at)
  const type = /^(0x[0-9a-f]{1,4}|\d{1,5})$/i.test(tag) ? Number(tag) : Number.NaN
  if (Number.isNaN(type)) return refuse('bad-option', `${option} ${tag.slice(0, 20)}: the tag is a number such as 0x2e00.`, { option: option.slice(2) })
  return [type, pair.slice(at + 1)]
}
