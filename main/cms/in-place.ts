// Code that runs from inside its package: the DER is laid out so that the image's vector table stands at an address the
// core accepts. Offset and lengths depend on each other (an image past 64 KiB or 16 MiB makes the fields before it longer,
// a header made longer for alignment makes the image longer, a relink at another address may change the code), so layout
// is repeated until two rounds agree. What surprised us: near a border of the length form the outer lengths can be of one
// form and the inner of another, and with an ECDSA signature one byte may tip them; longer padding always ends that.
import { Failure, failed } from '../base/failure.ts'
import { makePackage, measurePackage } from './package.ts'
import type { MadePackage, PackageOrder } from './package.ts'
import type { Signing } from './signed.ts'

/** Where the image lies in a package, found by measuring, and the lengths around it. */
export type Measure = (image: Uint8Array) => Readonly<{ imageOffset: number; packageBytes: number }>

/** An image for that place: `headerBytes` long before its vector table, linked to run at `vectorAddress`. */
export type Place = Readonly<{ round: number; headerBytes: number; vectorAddress: number }>
export type MakeImage = (place: Place) => Promise<Uint8Array | Failure>

export type InPlaceOrder = Readonly<{
  slotAddress: number
  /** Alignment the core asks of its vector table, a power of two. */
  vectorAlign: number
  /** Shortest header the image can have; it may grow byte by byte. */
  headerBytesMin: number
  roundsMax: number
  /** Alignment steps of padding to begin with, for a caller who knows that less does not stand still. */
  extraSteps?: number
}>

export type InPlaceRound = Readonly<{ imageOffset: number; headerBytes: number; imageBytes: number; packageBytes: number }>

export type InPlaceLayout = Readonly<{
  image: Uint8Array
  imageOffset: number
  headerBytes: number
  /** Bytes of the header that are there for alignment only. */
  paddingBytes: number
  vectorAddress: number
  rounds: readonly InPlaceRound[]
}>

/** MCUboot's header length is a 16-bit field. */
const headerBytesMax = 0xffff
/** The shortest prefix before the content there is: all lengths in one byte. */
const firstGuess = 66

/**
 * Repeats layout until the offset stands still. Kinds: `bad-order`, `no-fixed-point` (facts: rounds), and whatever `make`
 * fails with. The last round's image is returned as it was measured.
 */
export async function layOutInPlace(order: InPlaceOrder, make: MakeImage, measure: Measure): Promise<InPlaceLayout | Failure> {
  const wrong = whyNot(order)
  if (wrong !== null) return wrong
  const rounds: InPlaceRound[] = []
  const seen = new Set<string>()
  let guess = firstGuess
  let extraSteps = order.extraSteps ?? 0
  for (let round = 1; round <= order.roundsMax; round++) {
    const headerBytes = headerFor(order, guess, extraSteps)
    if (headerBytes > headerBytesMax) {
      return new Failure('no-fixed-point', `The image's header would need ${headerBytes} bytes to align the vector table; MCUboot's header has at most ${headerBytesMax}. Choose another slot address or a smaller alignment.`, { rounds: round, headerBytes })
    }
    const vectorAddress = order.slotAddress + guess + headerBytes
    const image = await make({ round, headerBytes, vectorAddress })
    if (failed(image)) return image
    const { imageOffset, packageBytes } = measure(image)
    rounds.push({ imageOffset, headerBytes, imageBytes: image.length, packageBytes })
    if (imageOffset === guess) {
      return { image, imageOffset, headerBytes, paddingBytes: headerBytes - order.headerBytesMin, vectorAddress, rounds }
    }
    // The same question with the same answer twice: these two places call each other for ever. More padding moves both past the border.
    const pair = `${guess} ${imageOffset} ${image.length} ${extraSteps}`
    if (seen.has(pair)) extraSteps += 1
    seen.add(pair)
    guess = imageOffset
  }
  const offsets = [...new Set(rounds.map((one) => one.imageOffset))].slice(-4)
  return new Failure('no-fixed-point', `No layout stood still within ${order.roundsMax} rounds: the image wandered between the offsets ${offsets.join(', ')}. Allow more rounds, or make the link step's output depend less on its address.`, { rounds: order.roundsMax })
}

export type InPlacePackage = Readonly<{ made: MadePackage; layout: InPlaceLayout }>

/** Tries with more padding when the real signature's length tips a border that its longest form did not. */
const signaturesMax = 4

/**
 * Lays out, then signs what stood still and checks that it stands where it was said to. Kinds: `bad-order`,
 * `no-fixed-point`, those of `make` and of the signer.
 */
export async function packInPlace(order: Omit<PackageOrder, 'firmware'>, inPlace: InPlaceOrder, signing: Signing, make: MakeImage, signal?: AbortSignal): Promise<InPlacePackage | Failure> {
  if (order.compress !== undefined || order.encrypt !== undefined) return new Failure('bad-order', 'Firmware that runs from inside its package can be neither compressed nor encrypted.')
  for (let extraSteps = inPlace.extraSteps ?? 0; extraSteps < signaturesMax; extraSteps++) {
    const layout = await layOutInPlace({ ...inPlace, extraSteps }, make, (image) => measurePackage({ ...order, firmware: image }, signing))
    if (failed(layout)) return layout
    const made = await makePackage({ ...order, firmware: layout.image }, signing, signal)
    if (failed(made)) return made
    if (made.firmwareOffset === layout.imageOffset) return { made, layout }
  }
  return new Failure('no-fixed-point', 'The package stands just at a border of its length fields, and each signature tips it. Add some bytes to the firmware.')
}

/** The shortest header that aligns the vector table behind that offset, and a number of alignment steps more. */
function headerFor({ slotAddress, vectorAlign, headerBytesMin }: InPlaceOrder, imageOffset: number, extraSteps: number): number {
  const short = (slotAddress + imageOffset + headerBytesMin) % vectorAlign
  return headerBytesMin + (short === 0 ? 0 : vectorAlign - short) + extraSteps * Math.max(vectorAlign, 8)
}

function whyNot({ slotAddress, vectorAlign, headerBytesMin, roundsMax }: InPlaceOrder): Failure | null {
  const bad = (says: string) => new Failure('bad-order', says)
  if (!Number.isInteger(slotAddress) || slotAddress < 0 || slotAddress > 0xffff_ffff) return bad('The slot address must be a 32-bit address, like 0x8000.')
  if (!Number.isInteger(vectorAlign) || vectorAlign < 1 || vectorAlign > 0x8000 || (vectorAlign & (vectorAlign - 1)) !== 0) return bad('The alignment of the vector table must be a power of two from 1 to 32768; a Cortex-M takes 128 to 1024, by its number of interrupts.')
  if (!Number.isInteger(headerBytesMin) || headerBytesMin < 32) return bad('An image header has at least 32 bytes.')
  if (roundsMax < 1 || roundsMax > 1000) return bad('Allow 1 to 1000 rounds.')
  return null
}
