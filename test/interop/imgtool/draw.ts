// Draws command lines for `sign` from a seed: every option of imgtool 2.4.0, most of the time in combinations that make an
// image, now and then in ones that both tools must refuse. One drawn set is one line of words, given to both tools as it is.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeHex } from '../../../main/image/hex.ts'

export type Dice = Readonly<{ below: (limit: number) => number; pick: <T>(from: readonly T[]) => T; chance: (percent: number) => boolean }>

/** xorshift32, well stirred: the same sets for the same seed on every machine. */
export function diceFrom(seed: number): Dice {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1
  const below = (limit: number) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % limit
  }
  return { below, pick: (from) => from[below(from.length)]!, chance: (percent) => below(100) < percent }
}

/** What the comparison has to know of a set beside its words. */
export type DrawnSet = Readonly<{
  number: number
  /** `sign` and its options, without the two file names. */
  words: readonly string[]
  /** File of the firmware. */
  input: string
  /** Ending of the output's name. */
  ending: 'bin' | 'hex'
  /** Firmware as it was linked, without the room for the header. */
  firmware: Uint8Array
  headerBytes: number
  key: string | null
  encryptTo: string | null
  clear: boolean
  hmacSha: string
  compression: string | null
  nonBootable: boolean
  big: boolean
  test: boolean
  vector: 'payload' | 'digest' | null
}>

const signingKeys = ['ed25519.pem', 'ed25519.pem', 'ecdsa-p256.pem', 'ecdsa-p384.pem', 'rsa-2048.pem', 'rsa-3072.pem'] as const
const encryptionKeys = ['enc-ecdsa-p256.pem', 'enc-rsa-2048.pem', 'x25519.pem'] as const

/** One set; `folder` holds the keys and gets the firmware and TLV files. */
export function drawSet(number: number, seed: number, folder: string): DrawnSet {
  const dice = diceFrom(seed * 100_003 + number)
  const { pick, chance } = dice
  const words: string[] = ['sign']
  const flag = (percent: number, ...flags: string[]): boolean => {
    const taken = chance(percent)
    if (taken) words.push(...flags)
    return taken
  }
  const firmware = drawFirmware(dice)
  const headerBytes = pick([32, 64, 0x200, 0x400, 100, 0x800])
  words.push('-v', drawVersion(dice), '-H', pick([String(headerBytes), `0x${headerBytes.toString(16)}`]))
  words.push('-S', String(firmware.length > 400_000 ? 0x200000 : pick([0x20000, 0x80000, 0x180000, 0x200000, firmware.length < 20_000 ? 0x8000 : 0x100000])))
  const padHeader = flag(70, '--pad-header')
  drawLayout(dice, words, flag)
  const test = words.includes('--test')
  const big = flag(12, '-e', 'big')
  const key = chance(86) ? pick(signingKeys) : null
  if (key !== null) words.push('-k', join(folder, key))
  const compression = chance(25) ? pick(['lzma2', 'lzma2armthumb']) : null
  if (compression !== null) words.push('--compression', compression)
  const nonBootable = flag(12, '--non-bootable')
  drawContents(dice, words, flag, folder, number)
  const pure = key === 'ed25519.pem' ? flag(25, '--pure') : flag(2, '--pure')
  if (chance(pure ? 3 : 30)) words.push('--sha', chance(15) ? pick(['384', '512', '256']) : key === 'ecdsa-p384.pem' ? '384' : key === 'ed25519.pem' || key === null ? pick(['auto', '256', '512']) : pick(['auto', '256']))
  flag(15, '--public-key-format', 'full')
  flag(15, '--pad-sig')
  const encryption = drawEncryption(dice, words, flag, folder, key)
  const vector = chance(8) ? pick(['payload', 'digest'] as const) : null
  if (vector !== null) words.push('--vector-to-sign', vector)
  const body = padHeader ? firmware : Buffer.concat([Buffer.alloc(headerBytes), firmware])
  const fromHex = body.length > 0 && body.length < 300_000 && chance(15)
  const toHex = vector === null && firmware.length < 300_000 && chance(20)
  if (toHex && (!fromHex || chance(70))) words.push('-x', pick(['0', '0x8000', '65536', '0xfff0', '0x8020000']))
  const input = join(folder, `firmware-${number}.${fromHex ? 'hex' : 'bin'}`)
  writeFileSync(input, fromHex ? writeHex([{ address: pick([0x1000, 0xff00, 0x8020000]), bytes: body }]) : body)
  return { number, words, input, ending: toHex ? 'hex' : 'bin', firmware, headerBytes, key, ...encryption, compression, nonBootable, big, test, vector }
}

function drawFirmware({ below, pick, chance }: Dice): Uint8Array {
  const length = chance(4) ? below((1 << 20) + 1) : pick([0, 1, 15, 16, 17, 33, 100, 5000, 32768, 60000, below(1 << 16)])
  const bytes = new Uint8Array(length)
  const noise = chance(35)
  const step = 1 + below(9)
  for (let at = 0; at < length; at++) bytes[at] = noise ? below(256) : ((at * step) >> 5) & 0x3f
  return bytes
}

function drawVersion({ below, chance }: Dice): string {
  return `${below(256)}.${below(256)}.${below(65536)}${chance(60) ? `+${below(2 ** 32 - 1)}` : ''}`
}

type Flag = (percent: number, ...flags: string[]) => boolean

function drawLayout({ pick }: Dice, words: string[], flag: Flag): void {
  flag(60, '--align', pick(['1', '2', '4', '8', '16', '32']))
  flag(20, '--max-align', pick(['8', '16', '32']))
  flag(20, '-M', pick(['1', '64', '128', '256']))
  flag(15, '--overwrite-only')
  const padding = pick(['--pad', '--test', '--confirm', null, null, null])
  if (padding !== null) words.push(padding)
  flag(20, '-R', pick(['0', '0xff']))
}

function drawContents({ below, pick, chance }: Dice, words: string[], flag: Flag, folder: string, number: number): void {
  if (!flag(14, '-L', String(below(2 ** 31)))) flag(14, '-F', `0x${below(2 ** 31).toString(16)}`)
  flag(30, '-s', pick(['auto', '0', '77', '0xffffffff', '0b101', '0o17']))
  const dependencies = Array.from({ length: 1 + below(3) }, () => `(${below(256)}, ${below(9)}.${below(9)}.${below(9)}+${below(9)})`)
  flag(20, '-d', dependencies.join(', '))
  flag(20, '--boot-record', pick(['App', 'SPE', 'twelve chars', 'é', '', 'thirteen char']))
  const vendor = flag(20, '--vid', pick(['acme.example', 'c2aa5ad1-b714-5e0f-ae8e-ffab82d11ce9', 'c2aa5ad1b7145e0fae8effab82d11ce9', 'Ünï co']))
  flag(vendor ? 60 : 8, '--cid', pick(['gw mk2', 'C2AA5AD1-b714-5e0f-ae8e-ffab82d11ce9']))
  const values = chance(20) ? 1 + below(3) : 0
  for (let value = 0; value < values; value++) words.push('--custom-tlv', `0x${(0xa0 + value * 256 + below(90)).toString(16)}`, pick([`0x${hexOf(below, below(40))}`, 'a text', 'ünïcode']))
  if (chance(10)) {
    const path = join(folder, `tlv-${number}.bin`)
    writeFileSync(path, Buffer.from(hexOf(below, 1 + below(300)), 'hex'))
    words.push('--custom-tlv-file', '0x7f00', path)
  }
}

function hexOf(below: Dice['below'], bytes: number): string {
  return Array.from({ length: bytes }, () => below(256).toString(16).padStart(2, '0')).join('')
}

function drawEncryption({ pick, chance }: Dice, words: string[], flag: Flag, folder: string, key: string | null): Pick<DrawnSet, 'encryptTo' | 'clear' | 'hmacSha'> {
  if (!chance(28)) return { encryptTo: null, clear: false, hmacSha: 'auto' }
  // mostly of the signing key's kind, since the two must match
  const fitting = key === null || key === 'ed25519.pem' ? pick(encryptionKeys) : key.startsWith('rsa') ? 'enc-rsa-2048.pem' : 'enc-ecdsa-p256.pem'
  const encryptTo = chance(92) ? fitting : pick(encryptionKeys)
  words.push('-E', join(folder, encryptTo))
  flag(50, '--encrypt-keylen', pick(['128', '256']))
  const hmacSha = chance(30) ? pick(encryptTo === 'x25519.pem' ? ['auto', '256', '512'] : ['auto', '256', '256', '256', '512']) : 'auto'
  if (hmacSha !== 'auto') words.push('--hmac-sha', hmacSha)
  const clear = flag(20, '-c')
  flag(30, '--save-enctlv')
  return { encryptTo, clear, hmacSha }
}
