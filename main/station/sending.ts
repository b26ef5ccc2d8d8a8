// What goes to the boards when the opened file is a firmware package: the image in it, unwrapped here (the default, which
// any MCUboot board takes), or the package as it is, for bootloaders that unpack it while they swap or run it in place.
// Either way the board is asked for the image's own hash afterwards; only the bytes on the wire differ.
import { Failure } from '../base/failure.ts'
import { said, type Said } from '../base/said.ts'
import type { ReadFile } from './bundled.ts'
import type { OpenedFile } from './files.ts'

export type Send = 'image' | 'whole' | 'in-place'

/** Flash sectors are no smaller, and where a package's image lies in it is never a multiple of it. */
const slotAlign = 256

/**
 * The file as it is to be sent. Kinds: `not-a-package` (an image, where packages are sent), `not-plain` (encrypted or
 * compressed, so it cannot run in place), `laid-out-in-place` and `not-laid-out` (made for the other way).
 */
export function asSent(opened: OpenedFile, file: ReadFile, send: Send = 'image'): ReadFile | Failure {
  const { package: packed, packed: bytes } = opened
  if (packed === undefined || bytes === undefined) {
    return send === 'image' ? file : new Failure('not-a-package', `The recipe sends firmware packages as they are, and "${opened.name}" is none. Choose a package, or let the recipe send images.`)
  }
  const laidOut = isLaidOut(file.view, packed.firmwareOffset)
  if (laidOut && send !== 'in-place') {
    return new Failure('laid-out-in-place', `The firmware in "${opened.name}" is linked to run from inside the package (at 0x${file.view.loadAddress.toString(16)}), and would not run anywhere else. Let the recipe send it in place, or make the package without --in-place.`)
  }
  if (send === 'image') return file
  if (send === 'in-place' && packed.firmwareOffset === null) {
    const how = packed.layers.includes('encrypted') ? 'encrypted' : packed.layers.includes('compressed') ? 'compressed' : 'in pieces'
    return new Failure('not-plain', `The firmware in "${opened.name}" is ${how}, and cannot run in place: the core would execute those very bytes where they lie. Let the recipe send the package whole, to a bootloader that unpacks it, or the image in it, which is unwrapped at the station.`)
  }
  if (send === 'in-place' && !laidOut) {
    return new Failure('not-laid-out', `The firmware in "${opened.name}" is not laid out to run from inside the package. Make the package with --in-place for the boards' slot, or let the recipe send the image in it.`)
  }
  // What lies in the slot beside the trailer is the package; that this asks a little more of the other slot than needed is on the safe side.
  const asItIs = { ...file.facts, bytes: bytes.bytes.length, imageBytes: bytes.bytes.length, fileSha256: bytes.sha256 }
  // What is not plain is unpacked behind the package: both need room there, and both take their time.
  const { imageBytes } = file.facts
  const facts = packed.firmwareOffset === null ? { ...asItIs, imageBytes: bytes.bytes.length + imageBytes, unpackedBytes: imageBytes } : asItIs
  return { ...file, facts, contents: new Map([[bytes.sha256, bytes.bytes]]) }
}

/** Whether the image is fixed to an address inside its package (flag ROM_FIXED), as `package make --in-place` does it. */
export function isLaidOut({ flags, loadAddress }: Readonly<{ flags: readonly string[]; loadAddress: number }>, offset: number | null): boolean {
  return offset !== null && flags.includes('ROM_FIXED') && loadAddress % slotAlign !== 0 && (loadAddress - offset) % slotAlign === 0
}

/** What is said of a package that runs in place; nothing of any other. */
export function laidOut(image: Readonly<{ flags: readonly string[]; loadAddress: number }>, offset: number | null): Said[] {
  if (!isLaidOut(image, offset)) return []
  const [at, slot] = [`0x${image.loadAddress.toString(16)}`, `0x${(image.loadAddress - (offset ?? 0)).toString(16)}`]
  return [said('package-laid-out', `Linked to run from inside the package, at ${at}, in a slot at ${slot}.`, { at, slot })]
}
