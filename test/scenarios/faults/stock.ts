// What every simulated world begins with, made once for a process: a home with its keys and its log key, four signed
// images small enough that ten thousand uploads are affordable, and boards' signature checks remembered by content.
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zipSync } from 'fflate/browser'
import { toHex, utf8 } from '../../../main/base/bytes.ts'
import { realClock } from '../../../main/base/clock.ts'
import { failed } from '../../../main/base/failure.ts'
import type { PublicKey } from '../../../main/base/signer.ts'
import { packInPlace } from '../../../main/cms/in-place.ts'
import { makePackage } from '../../../main/cms/package.ts'
import { inspectImage } from '../../../main/image/inspect.ts'
import { publicKeyFromSpki } from '../../../main/image/publickey.ts'
import { signImage } from '../../../main/image/sign.ts'
import type { SignOptions } from '../../../main/image/sign.ts'
import { updateArchive } from '../../../main/image/update-zip.ts'
import { parseVersion } from '../../../main/image/version.ts'
import { Keyring, publicKeyOf } from '../../../main/keys/keyring.ts'
import type { ImageCheck } from '../../../main/practice/slot-check.ts'
import { checkAgainst } from '../../../main/practice/factory.ts'
import { practiceProfile } from '../../../main/practice/profiles.ts'
import type { BoardProfile } from '../../../main/practice/profiles.ts'
import { secretOf } from '../../../main/practice/secrets.ts'
import type { BoardSecret } from '../../../main/practice/secrets.ts'
import { openStation } from '../../../main/station/station.ts'
import { seededNumbers } from '../../../main/practice/faults.ts'
import { value } from '../simulation.ts'

const pemOf = (letter: string) => `-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw${letter}H\n-----END PRIVATE KEY-----\n`

/**
 * `ram…`: the same for boards that load into RAM; `sealed`: the update encrypted for them; `low` and `high`: linked for either slot;
 * `inside`: linked to run from inside its package.
 */
export type ImageName =
  | 'factory' | 'update' | 'other' | 'strange' | 'ramFactory' | 'ramUpdate' | 'ramOther' | 'ramStrange' | 'sealed' | 'radioFactory' | 'radioUpdate'
  | 'low' | 'high' | 'strangeLow' | 'strangeHigh' | 'inside' | 'strangeInside' | 'insideFactory'
/** What file brings an image: itself, an archive, one with the image for either slot, or a package that the station unwraps, the bootloader unpacks, or that is run in place. */
export type Brought = 'file' | 'archive' | 'slots' | 'package' | 'unwrap' | 'in-place'
export type Stocked = Readonly<{ name: ImageName; version: string; bytes: Uint8Array; hash: string; file: string }>

export type Stock = Readonly<{
  images: Readonly<Record<ImageName, Stocked>>
  trust: readonly PublicKey[]
  /** The archive that brings both images to boards with two, and the boards' private key. */
  bothFile: string
  /** The file that brings that image so. */
  fileOf(image: Stocked, brought: Brought): string
  secret: BoardSecret
  check: ImageCheck
  /** A fresh home, copied. */
  home(): string
  /** The files of a home as they are at this moment. */
  snapshot(home: string): string
  discard(home: string): void
  /** Takes all files of these worlds away. */
  close(): void
}>

/** Files of simulated homes lie in memory where the system has such a place: syncing them is then free. */
const place = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
const payloadBytes = 4_700
const headerBytes = 0x20
const vectorAlign = 512
const radioBytes = 1_500
/** Throw-away, so that the same seed makes the same bytes. */
const encryptionPkcs8 = Buffer.from('302e020100300506032b656e042204200909090909090909090909090909090909090909090909090909090909090909', 'hex')

/** What the packages say of themselves. */
const packageOrder = { name: { id: '1.3.6.1.4.1.99999.1.4', version: 17n }, hardware: [practiceProfile.hardware], signingTimeMs: Date.UTC(2026, 0, 1) }

/** Slots of sixteen 1 KiB sectors: room for the images, and swaps of a few hundred flash steps. */
export const smallProfile: BoardProfile = {
  ...practiceProfile,
  name: 'small',
  flash: { baseAddress: 0x1_0000, sizeBytes: 0xa000, sectorBytes: 1024, writeBlockBytes: 4 },
  slot0: { address: 0x1_0000, sizeBytes: 0x4000 },
  slot1: { address: 0x1_4000, sizeBytes: 0x4000 },
  scratch: { address: 0x1_8000, sizeBytes: 0x2000 },
}

/** A second image's slots behind what the small board has. */
export const smallOthers = [{ slot0: { address: 0x1_a000, sizeBytes: 0x4000 }, slot1: { address: 0x1_e000, sizeBytes: 0x4000 } }] as const
export const smallRam = { address: 0x2000_0000, sizeBytes: 0x8000 } as const

export async function makeStock(): Promise<Stock> {
  const root = mkdtempSync(join(place, 'slotwright-worlds-'))
  const close = () => rmSync(root, { recursive: true, force: true })
  // For whoever is ended in the middle.
  process.once('exit', close)
  const template = join(root, 'template')
  mkdirSync(template)
  const keyring = new Keyring(join(template, 'keys'), realClock)
  const practice = await value(keyring.add('practice', pemOf('B'), { class: 'test', newPassphrase: null }))
  await value(keyring.add('stranger', pemOf('C'), { class: 'test', newPassphrase: null }))
  const secret = await value(secretOf(new Uint8Array(encryptionPkcs8)))
  const sealedTo = await value(publicKeyFromSpki(new Uint8Array(createPublicKey(createPrivateKey({ key: encryptionPkcs8, format: 'der', type: 'pkcs8' })).export({ type: 'spki', format: 'der' }))))
  const sign = async (name: ImageName, version: string, key: string, options: Partial<SignOptions> = {}, bytes = payloadBytes): Promise<Stocked> => {
    const signer = await value(keyring.signer(key))
    const signed = await value(signImage(payloadOf(version).subarray(0, bytes), { version: await value(parseVersion(version)), headerBytes, padHeader: true, slotBytes: 0x4000, align: 4, ...options }, signer))
    signer.close()
    const file = join(root, `${name}.bin`)
    writeFileSync(file, signed.bytes)
    return { name, version, bytes: signed.bytes, hash: toHex(signed.digest), file }
  }
  const inRam = { loadAddress: smallRam.address }
  const images = {
    factory: await sign('factory', '1.0.0', 'practice'),
    update: await sign('update', '1.1.0', 'practice'),
    other: await sign('other', '1.0.5', 'practice'),
    strange: await sign('strange', '1.4.0', 'stranger'),
    ramFactory: await sign('ramFactory', '1.0.0', 'practice', inRam),
    ramUpdate: await sign('ramUpdate', '1.1.0', 'practice', inRam),
    ramOther: await sign('ramOther', '1.0.5', 'practice', inRam),
    ramStrange: await sign('ramStrange', '1.4.0', 'stranger', inRam),
    // Not random, or the same seed would not be the same world.
    sealed: await sign('sealed', '1.1.0', 'practice', { encrypt: { publicKey: sealedTo, random: (bytes) => new Uint8Array(bytes).fill(7) } }),
    low: await sign('low', '1.1.0', 'practice', { romFixed: smallProfile.slot0.address }),
    high: await sign('high', '1.1.0', 'practice', { romFixed: smallProfile.slot1.address }),
    strangeLow: await sign('strangeLow', '1.4.0', 'stranger', { romFixed: smallProfile.slot0.address }),
    strangeHigh: await sign('strangeHigh', '1.4.0', 'stranger', { romFixed: smallProfile.slot1.address }),
    // Run in place like the others, so its vector table must stand where the core takes it.
    insideFactory: await sign('insideFactory', '1.0.0', 'practice', { headerBytes: vectorAlign }),
    radioFactory: await sign('radioFactory', '3.0.0', 'practice', {}, radioBytes),
    radioUpdate: await sign('radioUpdate', '3.1.0', 'practice', {}, radioBytes),
  }
  const packed = async (name: ImageName, image: Stocked) => {
    const signer = await value(keyring.signer('practice'))
    const made = await value(makePackage({ ...packageOrder, firmware: image.bytes }, { signer, certificate: null }))
    signer.close()
    const file = join(root, `${name}.cms`)
    writeFileSync(file, made.bytes)
    return file
  }
  /** Laid out for the upgrade slot; its package is signed with the same key. */
  const inside = async (name: ImageName, version: string, key: string): Promise<Stocked> => {
    const signer = await value(keyring.signer(key))
    const options = { version: await value(parseVersion(version)), padHeader: true, slotBytes: 0x4000, align: 4 } as const
    const { made, layout } = await value(packInPlace(packageOrder, { slotAddress: smallProfile.slot1.address, vectorAlign, headerBytesMin: headerBytes, roundsMax: 20 }, { signer, certificate: null }, async (at) => {
      const signed = await signImage(payloadOf(version), { ...options, headerBytes: at.headerBytes, romFixed: at.vectorAddress - at.headerBytes }, signer)
      return failed(signed) ? signed : signed.bytes
    }))
    signer.close()
    const file = join(root, `${name}.in-place.cms`)
    writeFileSync(file, made.bytes)
    const { hash } = await value(inspectImage(layout.image))
    return { name, version, bytes: layout.image, hash: hash!.claimed, file }
  }
  const archive = (name: string, files: readonly Readonly<{ slot?: number; image: Stocked }>[]) => {
    const file = join(root, `${name}.zip`)
    const rows = files.map(({ slot, image }) => ({ file: `${image.name}.bin`, image_index: '0', ...(slot === undefined ? {} : { slot: String(slot) }), size: image.bytes.length }))
    writeFileSync(file, zipSync({ ...Object.fromEntries(files.map(({ image }) => [`${image.name}.bin`, image.bytes])), 'manifest.json': utf8(JSON.stringify({ 'format-version': 1, files: rows })) }))
    return file
  }
  const placed = { ...images, inside: await inside('inside', '1.1.0', 'practice'), strangeInside: await inside('strangeInside', '1.4.0', 'stranger') }
  const packages = new Map<string, string>()
  for (const name of ['update', 'strange', 'ramUpdate', 'ramStrange'] as const) packages.set(name, await packed(name, images[name]))
  const archives = new Map<string, string>()
  for (const name of ['update', 'strange', 'ramUpdate', 'ramStrange'] as const) archives.set(name, archive(name, [{ image: images[name] }]))
  const slotArchives = { update: archive('update-slots', [{ slot: 0, image: images.low }, { slot: 1, image: images.high }]), strange: archive('strange-slots', [{ slot: 0, image: images.strangeLow }, { slot: 1, image: images.strangeHigh }]) }
  const fileOf = ({ name, file }: Stocked, brought: Brought): string => {
    const found = brought === 'archive' ? archives.get(name) : brought === 'package' || brought === 'unwrap' ? packages.get(name) : brought === 'slots' && (name === 'update' || name === 'strange') ? slotArchives[name] : file
    if (found === undefined) throw new Error(`the stock has no ${brought} with ${name}`)
    return found
  }
  const station = await value(openStation({ home: template, version: '0.0.0-test', ports: [], person: 'tester' }))
  await station.close()
  const bothFile = join(root, 'both.zip')
  writeFileSync(bothFile, updateArchive([{ image: 0, name: 'app.bin', bytes: images.update.bytes, version: '1.1.0' }, { image: 1, name: 'radio.bin', bytes: images.radioUpdate.bytes, version: '3.1.0' }]))
  const trust = [await value(publicKeyOf(practice))]
  let count = 0
  const copy = (from: string) => {
    const to = join(root, `home-${++count}`)
    cpSync(from, to, { recursive: true })
    return to
  }
  return {
    images: placed, trust, bothFile, fileOf, secret, check: rememberedCheck(checkAgainst(trust)),
    home: () => copy(template),
    snapshot: copy,
    discard: (home) => rmSync(home, { recursive: true, force: true }),
    close: () => {
      process.off('exit', close)
      close()
    },
  }
}

function payloadOf(version: string): Uint8Array {
  const draw = seededNumbers(Number(version.replaceAll('.', '')))
  return new Uint8Array(payloadBytes).map(() => Math.floor(draw() * 256))
}

/** The same verdicts as the real check, each reached once. */
function rememberedCheck(check: ImageCheck): ImageCheck {
  const known = new Map<string, boolean>()
  return (image) => {
    const content = createHash('sha256').update(image).digest('base64')
    let holds = known.get(content)
    if (holds === undefined) {
      holds = !failed(check(image))
      if (known.size > 10_000) known.clear()
      known.set(content, holds)
    }
    return holds ? true : check(image)
  }
}
