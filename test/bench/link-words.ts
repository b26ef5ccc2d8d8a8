// What the link bench and its board's process say to each other.
import type { Framing } from '../../main/smp/client.ts'

export type Flash = 'none' | 'nrf52840'

export type LinkOrder = Readonly<{
  dir: string
  /** Null: unpaced. */
  baud: number | null
  framing: Framing
  flash: Flash
  bufferBytes: number
  bufferCount: number
  /** Base64 of the image the board comes with, and of its key's SubjectPublicKeyInfo. */
  firmware: string
  key: string
}>

/** One upload as the board's UART heard it. */
export type LinkFigures = Readonly<{
  imageBytes: number
  /** The last byte of the image was heard. */
  complete: boolean
  requests: number
  /** Image bytes in an ordinary request. */
  chunkBytes: number
  /** All upload requests with their framing. */
  wireBytes: number
  /** From the first bit of the first request to the last bit of the last. */
  wholeSeconds: number
  /** From the first request's last bit to the second one's first: the erase of the slot, and a turn. */
  firstSeconds: number
  /** Image bytes a second from the second request on: the first one waits for the erase. */
  bytesPerSecond: number
}>

export type FromBoard =
  | Readonly<{ is: 'ready'; port: string }>
  | Readonly<{ is: 'figures'; figures: LinkFigures | null; cpuSeconds: number }>
