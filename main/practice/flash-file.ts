// Keeps a board's flash in a file, so that a practice board that is started again still has its images, trailers and
// half-done swaps. The file is the bare flash content. Changed sectors are written back a moment later and at the end.
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { Failure } from '../base/failure.ts'
import type { Clock } from '../base/clock.ts'
import type { Board } from './board.ts'

const writeBackMs = 250

export class FlashFile {
  readonly #descriptor: number
  readonly #clock: Clock
  readonly #dirty = new Set<number>()
  #board: Board | null = null
  #cancel: (() => void) | null = null

  constructor(descriptor: number, clock: Clock) {
    this.#descriptor = descriptor
    this.#clock = clock
  }

  /** The content, or null when the file is new or of another size than that flash. */
  read(sizeBytes: number): Uint8Array | null {
    if (fstatSync(this.#descriptor).size !== sizeBytes) return null
    const content = new Uint8Array(sizeBytes)
    return readSync(this.#descriptor, content, 0, sizeBytes, 0) === sizeBytes ? content : null
  }

  /** Writes the board's flash whole and follows its changes from now on. */
  follow(board: Board): void {
    this.#board = board
    const { sectorBytes, sizeBytes } = board.flash.geometry
    ftruncateSync(this.#descriptor, sizeBytes)
    writeSync(this.#descriptor, board.flash.read(0, sizeBytes), 0, sizeBytes, 0)
    board.onFlashChange((offset, length) => {
      for (let sector = Math.floor(offset / sectorBytes); sector * sectorBytes < offset + length; sector++) this.#dirty.add(sector)
      this.#cancel ??= this.#clock.after(writeBackMs, () => this.#writeBack())
    })
  }

  /** Writes what is due and lets go of the file. */
  close(): void {
    this.#writeBack()
    closeSync(this.#descriptor)
  }

  #writeBack(): void {
    this.#cancel?.()
    this.#cancel = null
    if (this.#board === null) return
    const { flash } = this.#board
    const { sectorBytes } = flash.geometry
    for (const sector of this.#dirty) writeSync(this.#descriptor, flash.read(sector * sectorBytes, sectorBytes), 0, sectorBytes, sector * sectorBytes)
    this.#dirty.clear()
  }
}

/** Opens or makes the file. Failure kind `bad-folder`. */
export function openFlashFile(path: string, clock: Clock): FlashFile | Failure<'bad-folder'> {
  try {
    return new FlashFile(openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644), clock)
  } catch (error) {
    return new Failure('bad-folder', `The practice board's flash file ${path} cannot be opened: ${(error as Error).message}.`)
  }
}
