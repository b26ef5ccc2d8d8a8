// What a bench needs before it can measure: a key, an image of a wanted size that boards with that key boot, and answers
// without their failures, since a bench that cannot go on has nothing to report.
import { Failure } from '../../main/base/failure.ts'
import type { PublicKey } from '../../main/base/signer.ts'
import { signImage } from '../../main/image/sign.ts'
import { parseVersion } from '../../main/image/version.ts'
import { generateKey } from '../../main/keys/filekey.ts'
import { openSigner } from '../../main/keys/signer.ts'
import { practiceFirmware } from '../../main/station/sample.ts'

/** The answer, or an end of the bench that says why. */
export function value<T>(answer: T | Failure): T {
  if (answer instanceof Failure) throw new Error(`${answer.kind}: ${answer.says}`)
  return answer
}

export type Made = Readonly<{ factory: Uint8Array; update: Uint8Array; key: PublicKey }>

/** Firmware that no compression shortens: the practice firmware repeated, each time with other bits turned. */
export function firmwareOf(bytes: number, version: string): Uint8Array {
  const piece = practiceFirmware(version)
  const whole = new Uint8Array(bytes)
  for (let at = 0; at < bytes; at++) whole[at] = piece[at % piece.length]! ^ Math.floor(at / piece.length)
  return whole
}

/** Factory image 1.0.0 and an update 1.1.0 of `updateBytes`, header and TLVs included, give or take a byte or two. */
export async function makeImages(updateBytes: number): Promise<Made> {
  const signer = value(openSigner(await generateKey('ecdsa-p256')))
  const sign = async (firmware: Uint8Array, version: string) =>
    value(await signImage(firmware, { version: value(parseVersion(version)), headerBytes: 0x200, padHeader: true, slotBytes: 0x69000, align: 4 }, signer)).bytes
  // ECDSA's DER is a byte or two longer or shorter from image to image, so the size is approached.
  let firmwareBytes = updateBytes - 0x200 - 150
  let update = await sign(firmwareOf(firmwareBytes, '1.1.0'), '1.1.0')
  for (let tries = 0; tries < 50 && update.length !== updateBytes; tries++) {
    firmwareBytes += updateBytes - update.length
    update = await sign(firmwareOf(firmwareBytes, '1.1.0'), '1.1.0')
  }
  return { factory: await sign(firmwareOf(4096, '1.0.0'), '1.0.0'), update, key: signer.publicKey }
}
