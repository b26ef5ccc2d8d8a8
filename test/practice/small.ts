// Small boards built with extras (several images, encryption, security counters), and images signed for them here: few
// sectors, so that the power can be cut before every single flash step.
import { randomBytes } from 'node:crypto'
import { must } from '../../main/base/failure.ts'
import { publicKeyFromSpki } from '../../main/image/publickey.ts'
import type { SignOptions } from '../../main/image/options.ts'
import { signImage } from '../../main/image/sign.ts'
import { parseVersion } from '../../main/image/version.ts'
import { generateKey } from '../../main/keys/filekey.ts'
import { openSigner } from '../../main/keys/signer.ts'
import type { Bootloader } from '../../main/practice/slot-check.ts'
import { bootloaderOf, checkAgainst, flashFactoryImage, layOut } from '../../main/practice/factory.ts'
import { Flash } from '../../main/practice/flash.ts'
import type { FlashArea } from '../../main/practice/flash.ts'
import { practiceProfile, withExtras } from '../../main/practice/profiles.ts'
import type { BoardExtras, BoardProfile } from '../../main/practice/profiles.ts'
import { secretOf } from '../../main/practice/secrets.ts'
import type { BoardSecret } from '../../main/practice/secrets.ts'
import type { BootMode } from '../../main/practice/swap.ts'
import { cutEachStep } from './cuts.ts'

const signing = await generateKey('ed25519')
const encryption = await generateKey('x25519')
export const signingPublic = must(publicKeyFromSpki(signing.publicKey.spki))
const secrets = { 16: must(secretOf(encryption.pkcs8)), 32: must(secretOf(encryption.pkcs8, 32)) }
const check = checkAgainst([signing.publicKey as never])

/** Slots of twenty 512-byte sectors and a scratch area; two images have three kilobytes each. */
export function smallProfile(mode: BootMode, extras: BoardExtras = {}): BoardProfile {
  const slot0 = { address: 0, sizeBytes: 0x2800 }
  const slot1 = { address: 0x2800, sizeBytes: 0x2a00 }
  return withExtras({
    ...practiceProfile, name: 'small', mode, timing: { eraseSectorMs: 0, writeWordUs: 0 },
    flash: { baseAddress: 0, sizeBytes: 0x8000, sectorBytes: 512, writeBlockBytes: 4 }, slot0, slot1, scratch: { address: 0x6000, sizeBytes: 0x2000 },
  }, extras)
}

export type Made = Partial<SignOptions> & { payloadBytes?: number; /** Bits of the AES key. */ encrypted?: 128 | 256; text?: string }

export async function made(version: string, { payloadBytes = 2_700, encrypted, text = version, ...options }: Made = {}): Promise<Uint8Array> {
  const payload = new Uint8Array(payloadBytes).map((_, i) => (i * 7 + text.charCodeAt(i % text.length)) & 0xff)
  const signed = must(await signImage(payload, {
    version: must(parseVersion(version)), headerBytes: 0x20, padHeader: true, slotBytes: 0x20000, align: 4,
    ...(encrypted !== undefined ? { encrypt: { publicKey: encryption.publicKey, keyBits: encrypted, random: (bytes: number) => new Uint8Array(randomBytes(bytes)) } } : {}), ...options,
  }, must(openSigner(signing))))
  return signed.bytes
}

export function loaderFor(profile: BoardProfile, content: Uint8Array | null = null, opens: BoardSecret | null = secrets[profile.keyBytes === 32 ? 32 : 16]): Bootloader {
  return bootloaderOf(layOut(new Flash(profile.flash, profile.timing, content), profile), profile, check, undefined, profile.keyBytes === 0 ? null : opens)
}

/** A board from its factory, prepared further; its flash. */
export function prepared(profile: BoardProfile, factory: readonly Uint8Array[], prepare: (loader: Bootloader) => void): Uint8Array {
  const loader = loaderFor(profile)
  flashFactoryImage(loader.slots, factory[0]!, profile.mode, factory.slice(1))
  prepare(loader)
  return loader.slots.primary.area.flash.snapshot()
}

/** Puts an upgrade where its mode wants it. */
export function put(area: FlashArea, mode: BootMode, image: Uint8Array): void {
  const padded = new Uint8Array(Math.ceil(image.length / area.writeBlockBytes) * area.writeBlockBytes).fill(0xff)
  padded.set(image)
  area.write(mode === 'swap-offset' ? area.sectorBytes : 0, padded)
}

/** `cutEachStep` for a board of that profile. */
export function cutEverywhere(profile: BoardProfile, content: Uint8Array, after: (loader: Bootloader, when: string) => void): number {
  return cutEachStep((bytes) => loaderFor(profile, bytes), content, after)
}
