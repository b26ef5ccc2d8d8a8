// What a board does not tell of itself and the line must know: its flash, how its port is to be opened, how long it must
// be left alone after a restart, and how it is brought into MCUboot's serial recovery (boot/boot_serial, facts of
// BOOT_SERIAL_WAIT_FOR_DFU and BOOT_SERIAL_ENTRANCE_GPIO). Whatever a board does tell counts more than its profile.
// What surprised us: a bootloader that waits for an upload takes any packet for one, so a station that asks too soon
// after a restart keeps the board from starting.

/** What a board does not tell of itself and its profile does. */
export type FlashProfile = Readonly<{
  /** Size of each slot of image 0 where the board cannot tell; null: nobody knows. */
  slotBytes: number | null
  /** Smallest erase, bytes. */
  sectorBytes: number
  /** Smallest write, bytes. */
  writeAlign: 1 | 2 | 4 | 8 | 16 | 32
}>

/** Lines of the port are set (or left as they are), then held for that long. */
export type LineStep = Readonly<{ dtr?: boolean; rts?: boolean; holdMs: number }>

/** How a board comes into serial recovery when it must. */
export type RecoveryEntry = Readonly<{
  /**
   * `none`: it has no recovery; `boot-mode`: the running firmware is told to restart into it; `lines`: DTR and RTS are wired
   * to its reset and its recovery pin; `catch`: its bootloader listens for a moment after each restart.
   */
  by: 'none' | 'boot-mode' | 'lines' | 'catch'
  /** For `lines`, and for `catch` where the lines can restart the board; the last step leaves the board running. */
  steps: readonly LineStep[]
  /** How long it is asked until it answers; where somebody must restart it by hand, his time for that. */
  withinMs: number
}>

export type BoardProfile = FlashProfile & Readonly<{
  name: string
  /** One sentence: which boards this is for. */
  says: string
  /** Hardware type (an object identifier), which a firmware package must name; left out or null: the recipe may say it. */
  hardware?: string | null
  /** Null: the station's own rate. */
  baudRate: number | null
  /** Null: found out by asking. */
  framing: 'console' | 'raw' | null
  /** For boards that do not tell their buffers. */
  bufferBytes: number | null
  bufferCount: number | null
  /** Requests in flight at most, however many buffers there are. */
  inFlightMax: 1 | 2 | 3 | 4
  /** Longest time for erasing one sector. */
  eraseSectorMs: number
  /** How DTR and RTS stand while the port is open; null: as the system leaves them. */
  dtr: boolean | null
  rts: boolean | null
  /** Done with the lines once, when a run opens the port: a board that is to be reset first. Empty: opening resets nothing. */
  openSteps: readonly LineStep[]
  recovery: RecoveryEntry
  /** Nothing is sent for so long after a restart was acknowledged (which is 250 ms before it happens). */
  quietAfterResetMs: number
}>

/** An nRF52840's flash: what most MCUboot boards on a line look like, for boards whose profile nobody named. */
export const commonProfile: BoardProfile = {
  name: 'generic', says: 'Any board whose firmware answers SMP; what it does not tell is taken from an nRF52840.',
  slotBytes: null, sectorBytes: 4096, writeAlign: 8, eraseSectorMs: 85,
  baudRate: null, framing: null, bufferBytes: null, bufferCount: null, inFlightMax: 4,
  dtr: null, rts: null, openSteps: [], recovery: { by: 'boot-mode', steps: [], withinMs: 10_000 }, quietAfterResetMs: 0,
}

/** A page swap erases three sectors and writes two; measured with an nRF52840: 400 ms a 4 KiB page. */
const swapErases = 3
const swapWriteMsPer4K = 145

/** What a wait for the board's return owes to its profile. `timeoutMs` never gets shorter. */
export function awayFor(profile: BoardProfile, imageBytes: number, timeoutMs: number): { quietMs: number; timeoutMs: number } {
  const { sectorBytes, eraseSectorMs, quietAfterResetMs } = profile
  const sectorMs = swapErases * eraseSectorMs + (swapWriteMsPer4K * sectorBytes) / 4096
  return { quietMs: quietAfterResetMs, timeoutMs: Math.max(timeoutMs, 30_000 + quietAfterResetMs + Math.ceil(imageBytes / sectorBytes) * Math.ceil(sectorMs)) }
}

/** Whether the lines or the moment after a restart bring the board into recovery, which needs no word from its firmware. */
export function entersWithoutFirmware({ recovery }: BoardProfile): boolean {
  return recovery.by === 'lines' || recovery.by === 'catch'
}
