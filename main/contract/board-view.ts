// What one board says of itself when it is asked, as the outside sees it.

export type SlotView = Readonly<{
  image: number
  slot: number
  version: string
  hash: string | null
  bootable: boolean
  pending: boolean
  confirmed: boolean
  active: boolean
  permanent: boolean
  bytes: number | null
}>

/** What one board says of itself. */
export type BoardView = Readonly<{
  port: string
  board: string | null
  bufferBytes: number | null
  bufferCount: number | null
  bootloader: string | null
  /** MCUboot's serial recovery answers, and no firmware runs. */
  recovery: boolean
  mode: string | null
  application: string | null
  /** How it was understood: base64 lines on a console, or packets as they are. */
  framing: 'console' | 'raw'
  slots: readonly SlotView[]
}>
