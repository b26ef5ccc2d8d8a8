// One drawn set through both tools: the same bytes where nothing is random; else the same structure, either verified by the
// other, and the same firmware after decrypting and unpacking. Where we differ on purpose (main/image/sign.ts lists it) the
// difference itself is held fast here: it must be exactly that one, and nothing beside it.
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { sameBytes, toHex } from '../../../main/base/bytes.ts'
import { failed } from '../../../main/base/failure.ts'
import type { Failure } from '../../../main/base/failure.ts'
import { compressFirmware } from '../../../main/image/compress.ts'
import { dumpInfo, dumpJson } from '../../../main/image/dumpinfo.ts'
import { encryptionTlv } from '../../../main/image/encrypt.ts'
import { IMAGE_FLAGS, isCompressed, parseImage } from '../../../main/image/format.ts'
import type { ImageFile, Tlv } from '../../../main/image/format.ts'
import { readHex } from '../../../main/image/hex.ts'
import { openImage } from '../../../main/image/open.ts'
import type { OpenedImage } from '../../../main/image/open.ts'
import { canSign } from '../../../main/image/publickey.ts'
import { openOpener } from '../../../main/keys/signer.ts'
import { good, keyOf } from '../../image/vectors.ts'
import type { DrawnSet } from './draw.ts'
import { slotwright } from './ours.ts'
import type { Ended } from './ours.ts'
import type { Called, Imgtool } from './process.ts'

export type Verdict = 'same bytes' | 'same but for what is random' | 'same vector' | 'both refuse' | `on purpose: ${string}`

/** What came of a set; `problems` is empty when all holds. */
export type Compared = Readonly<{ verdict: Verdict; problems: readonly string[] }>

type Bench = Readonly<{ imgtool: Imgtool; folder: string; home: string }>
type Pair = Readonly<{ theirs: Called; ours: Ended; theirFile: string; ourFile: string }>

/** TLVs with something random in them: ECDSA and PSS signatures, wrapped keys, the signature of the unpacked image. */
const randomTlvs: ReadonlySet<number> = new Set([0x20, 0x22, 0x23, 0x30, 0x32, 0x33, 0x34, 0x72])
const hashTlvs: ReadonlySet<number> = new Set([0x10, 0x11, 0x12])

export async function compareSet(set: DrawnSet, bench: Bench): Promise<Compared> {
  const problems: string[] = []
  const verdict = await judge(set, bench, (problem) => problems.push(problem))
  return { verdict, problems: problems.map((problem) => `set ${set.number}: ${problem}\n  ${set.words.join(' ')} (${set.firmware.length} B)`) }
}

type Wrong = (problem: string) => void

async function judge(set: DrawnSet, bench: Bench, wrong: Wrong): Promise<Verdict> {
  const pair = await runBoth(set, bench, set.words)
  const took = { theirs: pair.theirs.code === 0, ours: pair.ours.code === 0 }
  if (!took.theirs && !took.ours) return 'both refuse'
  if (!took.ours) return judgeOurRefusal(set, pair, wrong)
  if (!took.theirs) {
    wrong(`only imgtool refuses: ${pair.theirs.output.trim().split('\n').at(-1)} ${pair.theirs.crash ?? ''}`)
    return 'both refuse'
  }
  const kept = isKept(pair, set)
  if (set.compression !== null && !kept && set.encryptTo !== null) return judgeFallback(set, bench, pair, wrong)
  if (set.vector !== null) return judgeVector(set, pair, wrong)
  return judgeImages(set, bench, pair, kept, wrong)
}

async function runBoth(set: DrawnSet, { imgtool, folder, home }: Bench, words: readonly string[]): Promise<Pair> {
  const name = `${set.number}-${randomBytes(4).toString('hex')}.${set.ending}`
  const [theirFile, ourFile] = [join(folder, `theirs-${name}`), join(folder, `ours-${name}`)]
  const theirs = await imgtool.call([...words, set.input, theirFile])
  const ours = await slotwright([...words, ...(set.firmware.length === 0 ? ['--allow-empty'] : []), set.input, ourFile], home)
  return { theirs, ours, theirFile, ourFile }
}

function isKept({ ours }: Pair, set: DrawnSet): boolean {
  if (set.vector !== null) return false
  return (ours.document['compression'] as { kept: boolean } | null)?.kept === true
}

async function judgeOurRefusal(set: DrawnSet, { ours, theirFile }: Pair, wrong: Wrong): Promise<Verdict> {
  const failure = ours.document['failure'] as { kind: string; says: string; facts: Record<string, unknown> } | undefined
  const smaller = set.compression === null ? false : good(await compressFirmware(set.firmware, set.compression as 'lzma2')).stream.length < set.firmware.length
  if (set.vector !== null && smaller && failure?.facts['option'] === 'compression') return 'on purpose: a compressed image is not signed from outside'
  if (set.compression !== null && set.encryptTo !== null && existsSync(theirFile) && !isEncryptedFile(theirFile)) {
    if (set.hmacSha === '512' && failure?.facts['option'] === 'hmac-sha') return 'on purpose: --hmac-sha is checked before compression gives up'
    if (failure?.kind === 'too-large') return 'on purpose: left uncompressed it is still encrypted, and then too large'
  }
  wrong(`only ours refuses: ${failure?.kind} ${failure?.says ?? ours.stderr}`)
  return 'both refuse'
}

function isEncryptedFile(file: string): boolean {
  const image = parseImage(bytesOf(file))
  return !failed(image) && encryptionTlv(image) !== null
}

/** imgtool leaves the firmware in the clear here, under a header that says it is encrypted; ours is what it makes without compression. */
async function judgeFallback(set: DrawnSet, bench: Bench, pair: Pair, wrong: Wrong): Promise<Verdict> {
  if (set.vector === null && isEncryptedFile(pair.theirFile)) wrong('imgtool does encrypt what it leaves uncompressed: the list of differences is out of date')
  const at = set.words.indexOf('--compression')
  const plain = await runBoth(set, bench, set.words.filter((_, i) => i !== at && i !== at + 1))
  if (plain.theirs.code !== 0) {
    wrong('ours takes what imgtool refuses without compression')
    return 'both refuse'
  }
  const uncompressed = { ...set, compression: null }
  const compared = { ...plain, ours: pair.ours, ourFile: pair.ourFile }
  if (set.vector === null) await judgeImages(uncompressed, bench, compared, false, wrong)
  else judgeVector(uncompressed, compared, wrong)
  return 'on purpose: left uncompressed it is still encrypted'
}

function judgeVector(set: DrawnSet, { theirFile, ourFile }: Pair, wrong: Wrong): Verdict {
  const [theirs, ours] = [readFileSync(theirFile), readFileSync(ourFile)]
  // imgtool pads even the digest up to the slot's size when --pad was given
  const padded = ['--pad', '--test', '--confirm'].some((word) => set.words.includes(word))
  if (!sameBytes(ours, padded ? theirs.subarray(0, ours.length) : theirs)) wrong('another vector to sign')
  return 'same vector'
}

async function judgeImages(set: DrawnSet, bench: Bench, pair: Pair, kept: boolean, wrong: Wrong): Promise<Verdict> {
  const bare = { theirs: readFileSync(pair.theirFile), ours: readFileSync(pair.ourFile) }
  const files = { theirs: bytesOf(pair.theirFile), ours: bytesOf(pair.ourFile) }
  const images = { theirs: parseImage(files.theirs), ours: parseImage(files.ours) }
  if (failed(images.theirs) || failed(images.ours)) {
    wrong('does not parse')
    return 'both refuse'
  }
  const lostFlag = kept && set.nonBootable
  const lostRecord = kept && set.test && set.ending === 'hex'
  const random = set.encryptTo !== null || (set.key !== null && set.key !== 'ed25519.pem')
  let verdict: Verdict = random ? 'same but for what is random' : 'same bytes'
  if (lostFlag) verdict = 'on purpose: a compressed image stays non-bootable'
  else if (lostRecord) verdict = 'on purpose: --test keeps its flag record in HEX'
  else if (!random && !sameBytes(bare.theirs, bare.ours)) wrong('other bytes')
  compareStructure(set, images as Images, { lostFlag, kept }, wrong)
  if (!random && !lostFlag && !lostRecord && !sameBytes(files.theirs, files.ours)) wrong('other bytes after reading')
  if (set.ending === 'bin' && files.theirs.length !== files.ours.length && (['--pad', '--test', '--confirm'].some((word) => set.words.includes(word)) || !/ecdsa/.test(set.key ?? ''))) wrong('another file size')
  await compareFirmware(set, files, lostFlag, wrong)
  await askImgtool(set, bench, pair, images as Images, wrong)
  return verdict
}

type Images = Readonly<{ theirs: ImageFile; ours: ImageFile }>

function compareStructure(set: DrawnSet, { theirs, ours }: Images, { lostFlag, kept }: { lostFlag: boolean; kept: boolean }, wrong: Wrong): void {
  const shown = (image: ImageFile, flags: number) => JSON.stringify({ ...image.header, protectedTlvBytes: 0, flags, area: Buffer.from(image.headerArea.subarray(32)).toString('hex') })
  const flags = lostFlag ? ours.header.flags & ~IMAGE_FLAGS.NON_BOOTABLE : ours.header.flags
  if (lostFlag && (ours.header.flags & IMAGE_FLAGS.NON_BOOTABLE) === 0) wrong('lost --non-bootable')
  if (shown(theirs, theirs.header.flags) !== shown(ours, flags)) wrong(`another header: ${shown(theirs, theirs.header.flags)} here ${shown(ours, flags)}`)
  // A compressed image's own hash covers the random signature of the unpacked one; --non-bootable changes it too.
  const hashMoves = lostFlag || (kept && set.key !== null && set.key !== 'ed25519.pem')
  const listed = (tlvs: readonly Tlv[]) => tlvs.map(({ type, value }) => {
    const moves = randomTlvs.has(type) && !(type === 0x72 && set.key === 'ed25519.pem')
    // DER signatures have no fixed length
    if (moves) return `${type}:${type === 0x22 || type === 0x72 ? '' : value.length}`
    return hashMoves && (hashTlvs.has(type) || type === 0x24) ? `${type}:${value.length}` : `${type}:${toHex(value)}`
  }).join(' ')
  if (listed(theirs.protectedTlvs) !== listed(ours.protectedTlvs)) wrong(`other protected TLVs: ${listed(theirs.protectedTlvs)} here ${listed(ours.protectedTlvs)}`)
  if (listed(theirs.tlvs) !== listed(ours.tlvs)) wrong(`other TLVs: ${listed(theirs.tlvs)} here ${listed(ours.tlvs)}`)
  const inTheClear = set.encryptTo === null || set.clear
  if (inTheClear && !sameBytes(theirs.payload, ours.payload)) wrong('another payload')
  if (!inTheClear && sameBytes(theirs.payload, ours.payload) && ours.payload.length > 15) wrong('two encryptions came out the same')
}

/** Both files opened here with the private keys: verified, decrypted, unpacked, and the firmware compared with what went in. */
async function compareFirmware(set: DrawnSet, files: { theirs: Uint8Array; ours: Uint8Array }, lostFlag: boolean, wrong: Wrong): Promise<void> {
  for (const [whose, bytes] of Object.entries(files)) {
    const opened = await openWithKeys(set, bytes)
    if (failed(opened)) {
      // its DECOMP_SHA was made over a header with the flag that imgtool then drops
      if (!(lostFlag && whose === 'theirs' && opened.kind === 'bad-hash')) wrong(`${whose} does not open: ${opened.kind} ${opened.says}`)
      continue
    }
    const { firmware } = opened
    const padding = firmware.subarray(set.firmware.length)
    if (!sameBytes(firmware.subarray(0, set.firmware.length), set.firmware) || padding.length > (set.encryptTo === null ? 0 : 15) || padding.some((byte) => byte !== 0)) wrong(`${whose} opens to other firmware`)
    if (opened.decompressed?.signatureHolds === false) wrong(`${whose}: the unpacked image's signature does not hold`)
  }
}

async function openWithKeys(set: DrawnSet, bytes: Uint8Array): Promise<OpenedImage | Failure> {
  const key = set.key === null ? undefined : (await keyOf(`keys/${set.key}`)).publicKey
  if (key !== undefined && !canSign(key)) throw new Error('drawn keys sign')
  const opener = set.encryptTo === null ? undefined : good(openOpener(await keyOf(`keys/${set.encryptTo}`)))
  return openImage(bytes, { key, opener })
}

/** The other direction: imgtool verifies and prints our file, and Python's cryptography decrypts it. */
async function askImgtool(set: DrawnSet, { imgtool, folder }: Bench, { theirFile, ourFile }: Pair, { ours }: Images, wrong: Wrong): Promise<void> {
  // its verify and dumpinfo read the host's byte order only
  if (set.big) return
  for (const file of [theirFile, ourFile]) {
    const printed = await imgtool.call(['dumpinfo', '-f', 'json', file])
    const info = dumpInfo(bytesOf(file), basename(file))
    const mine = failed(info) ? info.says : dumpJson(info)
    if (printed.output !== mine) wrong(`dumpinfo differs: ${firstDifference(printed.output, mine)} ${printed.crash ?? ''}`)
  }
  const opaque = set.encryptTo !== null && !set.clear
  if (!opaque) {
    const verified = await imgtool.call(['verify', ...(set.key === null ? [] : ['-k', join(folder, set.key)]), ourFile])
    if (verified.code !== 0) wrong(`imgtool does not verify ours: ${verified.output.trim()} ${verified.crash ?? ''}`)
    return
  }
  const tlv = encryptionTlv(ours)
  const plain = join(folder, `plain-${set.number}.bin`)
  writeFileSync(plain, bytesOf(ourFile))
  const { headerBytes, payloadBytes } = ours.header
  const sha256 = await imgtool.open({ file: plain, offset: headerBytes, length: payloadBytes, kind: tlv?.type ?? 0, value: toHex(tlv?.value ?? new Uint8Array(0)), key: join(folder, set.encryptTo ?? '') })
  if (isCompressed(ours.header)) return
  const padded = new Uint8Array(payloadBytes)
  padded.set(set.firmware)
  if (sha256 !== createHash('sha256').update(padded).digest('hex')) wrong('Python decrypts ours to other firmware')
}

function firstDifference(theirs: string, ours: string): string {
  const lines = ours.split('\n')
  const at = theirs.split('\n').findIndex((line, i) => line !== lines[i])
  return `line ${at + 1}: "${theirs.split('\n')[at]}", here "${lines[at]}"`
}

function bytesOf(file: string): Uint8Array {
  const bytes = new Uint8Array(readFileSync(file))
  return file.endsWith('.hex') ? good(readHex(bytes)).bytes : bytes
}
