// What every simulated world begins with, made once for a process: a home with its keys and its log key, four signed
// images small enough that ten thousand uploads are affordable, and boards' signature checks remembered by content.
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHex } from '../../../main/base/bytes.ts'
import { realClock } from '../../../main/base/clock.ts'
import { failed } from '../../../main/base/failure.ts'
import type { PublicKey } from '../../../main/base/signer.ts'
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

/** `ram…`: the same for boards that load into RAM; `sealed`: the update encrypted for them. */
export type ImageName = 'factory' | 'update' | 'other' | 'strange' | 'ramFactory' | 'ramUpdate' | 'ramOther' | 'ramStrange' | 'sealed' | 'radioFactory' | 'radioUpdate'
export type Stocked = Readonly<{ name: ImageName; version: string; bytes: Uint8Array; hash: string; file: string }>

export type Stock = Readonly<{
  images: Readonly<Record<ImageName, Stocked>>
  trust: readonly PublicKey[]
  /** The archive that brings both images to boards with two, and the boards' private key. */
  bothFile: string
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
const radioBytes = 1_500
/** Throw-away, so that the same seed makes the same bytes. */
const encryptionPkcs8 = Buffer.from('302e020100300506032b656e042204200909090909090909090909090909090909090909090909090909090909090909', 'hex')

/** Slots of sixteen 1 KiB sectors: room for the images, and swaps of a few hundred flash steps. */
export const smallProfile: BoardProfile = {
  ...practiceProfile,
  name: 'small',
  flash: { baseAddress: 0, sizeBytes: 0xa000, sectorBytes: 1024, writeBlockBytes: 4 },
  slot0: { address: 0, sizeBytes: 0x4000 },
  slot1: { address: 0x4000, sizeBytes: 0x4000 },
  scratch: { address: 0x8000, sizeBytes: 0x2000 },
}

/** A second image's slots behind what the small board has. */
export const smallOthers = [{ slot0: { address: 0xa000, sizeBytes: 0x4000 }, slot1: { address: 0xe000, sizeBytes: 0x4000 } }] as const
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
    radioFactory: await sign('radioFactory', '3.0.0', 'practice', {}, radioBytes),
    radioUpdate: await sign('radioUpdate', '3.1.0', 'practice', {}, radioBytes),
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
    images, trust, bothFile, secret, check: rememberedCheck(checkAgainst(trust)),
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
