// The practice line over real pseudo-terminals and the real serialport: what a client meets, what the folder says, and
// what is left when it stops.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { realClock } from '../../main/base/clock.ts'
import type { Clock } from '../../main/base/clock.ts'
import { Failure, failed } from '../../main/base/failure.ts'
import { openSerial } from '../../main/link/serial.ts'
import { startPracticeLine } from '../../main/practice/line.ts'
import type { PracticeBoardView, PracticeLine, PracticeLineOptions } from '../../main/practice/line.ts'
import { practiceProfile } from '../../main/practice/profiles.ts'
import { SmpClient } from '../../main/smp/client.ts'
import { encodeUpload } from '../../main/smp/frames.ts'
import { imageState, setImageState, slotInfo } from '../../main/smp/image.ts'
import { appInfo, bootloaderMode, echo, parameters, reset } from '../../main/smp/os.ts'
import { upload } from '../../main/smp/upload.ts'
import type { UploadResult } from '../../main/smp/upload.ts'
import { imageA, imageB, publicKey } from './rig.ts'

const folders: string[] = []
const lines: PracticeLine[] = []
const clients: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of clients.splice(0)) await close()
  for (const line of lines.splice(0)) await line.stop()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'practice-'))
  folders.push(dir)
  return dir
}

async function start(options: Partial<PracticeLineOptions> = {}): Promise<PracticeLine> {
  const line = await startPracticeLine({
    dir: options.dir ?? folder(), boards: 1, baud: 1_000_000, firmware: imageA('ecdsa-p256'), trust: [publicKey('board-ecdsa-p256')], ...options,
  })
  if (failed(line)) throw new Error(line.says)
  lines.push(line)
  return line
}

/** A conversation that waits until the board is up. */
async function talk(port: string): Promise<SmpClient> {
  const link = await openSerial({ path: port, baudRate: 1_000_000 })
  if (failed(link)) throw new Error(link.says)
  const client = new SmpClient(link, realClock, { replyTimeoutMs: 2000 })
  clients.push(async () => {
    client.close()
    await link.close()
  })
  await up(client)
  return client
}

/** Asks until the board answers: one that is booting hears nothing. */
async function up(client: SmpClient): Promise<void> {
  for (let asked = 0; asked < 50; asked++) {
    const answer = await client.request(echo, { text: 'up?' }, { timeoutMs: 100 })
    if (!failed(answer)) return
    if (answer.kind !== 'timeout') throw new Error(answer.says)
  }
  throw new Error('the board never answered')
}

function held<T>(value: T | Failure): T {
  if (value instanceof Failure) throw new Error(`${value.kind}: ${value.says}`)
  return value
}

/** Resolves at the first list of boards for which that holds. */
function until(line: PracticeLine, holds: (boards: readonly PracticeBoardView[]) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = line.onChange((boards) => {
      if (!holds(boards)) return
      stop()
      resolve()
    })
    if (holds(line.boards())) {
      stop()
      resolve()
    }
  })
}

async function uploadTo(client: SmpClient, image: Uint8Array): Promise<UploadResult | Failure> {
  const { bufferBytes } = held(await client.request(parameters, {}))
  return upload(client, realClock, held(encodeUpload(image, { bufferBytes })), { windowMax: 3 })
}

describe('a board on a real pseudo-terminal', () => {
  test('takes an upload, swaps, is confirmed, and keeps it over a reset', async () => {
    const line = await start()
    const client = await talk(line.boards()[0]!.port!)
    expect(held(await client.request(appInfo, { format: 'n' })).output).toBe('PB-0001')
    expect(held(await client.request(bootloaderMode, {})).mode).toBe('swap-move')
    expect(held(await client.request(slotInfo, {})).images[0]!.slots).toMatchObject([{ slot: 0, sizeBytes: 0x69000 }, { slot: 1, sizeBytes: 0x69000 }])
    expect(held(await uploadTo(client, imageB('ecdsa-p256')))).toMatchObject({ matched: true, resent: 0, rewinds: 0 })
    const [, b] = held(await client.request(imageState, {})).slots
    held(await client.request(setImageState, { hash: b!.hash!, confirm: false }))
    held(await client.request(reset, {}))
    await rebooted(line, 1)
    await up(client)
    expect(held(await client.request(imageState, {})).slots[0]).toMatchObject({ active: true, confirmed: false, version: '1.1.0.7' })
    held(await client.request(setImageState, { confirm: true }))
    held(await client.request(reset, {}))
    await rebooted(line, 1)
    await up(client)
    expect(held(await client.request(imageState, {})).slots[0]).toMatchObject({ active: true, confirmed: true, version: '1.1.0.7' })
  })

  test('is still there for the next client when one has gone', async () => {
    const line = await start()
    const port = line.boards()[0]!.port!
    await talk(port)
    await clients.pop()!()
    const client = await talk(port)
    expect(held(await client.request(echo, { text: 'again' })).text).toBe('again')
  })

  test('keeps its flash in the folder, so that a line started again runs the image it was given', async () => {
    const dir = folder()
    const first = await start({ dir })
    const client = await talk(first.boards()[0]!.port!)
    held(await uploadTo(client, imageB('ecdsa-p256')))
    const [, b] = held(await client.request(imageState, {})).slots
    held(await client.request(setImageState, { hash: b!.hash!, confirm: true }))
    await first.stop()
    const second = await start({ dir })
    const again = await talk(second.boards()[0]!.port!)
    expect(held(await again.request(imageState, {})).slots[0]).toMatchObject({ version: '1.1.0.7', active: true, confirmed: true })
  })

  test('of which the flash file is damaged comes back as it left its factory', async () => {
    const dir = folder()
    writeFileSync(join(dir, 'PB-0001.flash'), 'not a flash')
    const client = await talk((await start({ dir })).boards()[0]!.port!)
    expect(held(await client.request(imageState, {})).slots).toMatchObject([{ version: '1.0.0', active: true }])
  })
})

/** Resolves when the board in that bay has booted again. */
function rebooted(line: PracticeLine, bay: number): Promise<void> {
  return new Promise((resolve) => {
    const stop = line.onEvent((where, event) => {
      if (where !== bay || event.is !== 'booted') return
      stop()
      resolve()
    })
  })
}

describe('faults and cables', () => {
  test('unplug in the middle of an upload closes the port for good, replug brings board and port back', async () => {
    const line = await start({ faults: '1:unplug@40%' })
    const client = await talk(line.boards()[0]!.port!)
    const ended = await uploadTo(client, imageB('ecdsa-p256'))
    expect(ended).toMatchObject({ kind: 'unplugged' })
    expect(line.boards()[0]!.port).toBeNull()
    expect(readdirSync(line.dir)).not.toContain('ttyP0')
    held(await line.replug(1))
    const again = await talk(line.boards()[0]!.port!)
    expect(held(await uploadTo(again, imageB('ecdsa-p256')))).toMatchObject({ matched: true, resumedFrom: 0 })
  })

  test('firmware that fails its proof echoes something else, and a reset brings the old one back', async () => {
    const line = await start({ faults: '1:fails-proof' })
    const client = await talk(line.boards()[0]!.port!)
    held(await uploadTo(client, imageB('ecdsa-p256')))
    const [, b] = held(await client.request(imageState, {})).slots
    held(await client.request(setImageState, { hash: b!.hash!, confirm: false }))
    held(await client.request(reset, {}))
    await rebooted(line, 1)
    await up(client)
    expect(held(await client.request(echo, { text: 'proof' })).text).not.toBe('proof')
    held(await client.request(reset, {}))
    await rebooted(line, 1)
    await up(client)
    expect(held(await client.request(echo, { text: 'proof' })).text).toBe('proof')
    expect(held(await client.request(imageState, {})).slots[0]).toMatchObject({ version: '1.0.0', confirmed: true })
  })

  test('a usb board vanishes at a reset and comes back under another name as the same board', async () => {
    const line = await start({ usb: true, boards: 2 })
    await until(line, (boards) => boards.every(({ port }) => port !== null))
    const before = line.boards()[1]!.port!
    const client = await talk(before)
    held(await client.request(reset, {}))
    await until(line, (boards) => boards[1]!.port === null)
    await until(line, (boards) => boards[1]!.port !== null)
    const after = line.boards()[1]!.port!
    expect(after).not.toBe(before)
    expect(line.boards()[1]!.serial).toBe('PB-0002')
    const again = await talk(after)
    expect(held(await again.request(appInfo, { format: 'n' })).output).toBe('PB-0002')
  })

  test('what the firmware of a usb board writes at its start waits for a host that comes late, and is heard once', async () => {
    const quiet = new QuietClock()
    const line = await start({ usb: true, profile: practiceProfile, clock: quiet })
    line.powerCycle(1)
    await until(line, (boards) => boards[0]!.port === null)
    await until(line, (boards) => boards[0]!.port !== null)
    await quiet.untilQuiet()
    const link = held(await openSerial({ path: line.boards()[0]!.port!, baudRate: 1_000_000 }))
    const client = new SmpClient(link, realClock)
    clients.push(async () => {
      client.close()
      await link.close()
    })
    const lines: string[] = []
    client.onNoise((text) => lines.push(text))
    held(await client.request(echo, { text: 'first' }))
    held(await client.request(echo, { text: 'second' }))
    expect(lines.map((text) => text.trim())).toEqual(['*** Booting Zephyr OS build v4.2.0 ***', expect.stringContaining('self-test passed')])
  })
})

/** The machine's clock, telling when nothing is planned on it any more. */
class QuietClock implements Clock {
  #pending = 0
  #waiting: (() => void)[] = []
  readonly wallMs = () => realClock.wallMs()
  readonly monotonicMs = () => realClock.monotonicMs()

  after(delayMs: number, work: () => void): () => void {
    let open = true
    const end = () => {
      if (!open) return
      open = false
      if (--this.#pending === 0) for (const tell of this.#waiting.splice(0)) tell()
    }
    this.#pending++
    const cancel = realClock.after(delayMs, () => {
      work()
      end()
    })
    return () => {
      cancel()
      end()
    }
  }

  untilQuiet(): Promise<void> {
    return this.#pending === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve))
  }
}

describe('the folder', () => {
  test('names process, bays, serial numbers and ports, and is empty of them after the stop', async () => {
    const line = await start({ boards: 3 })
    const list = JSON.parse(readFileSync(join(line.dir, 'boards.json'), 'utf8')) as unknown
    expect(list).toEqual({
      version: 1,
      pid: process.pid,
      boards: [1, 2, 3].map((bay) => ({ bay, serial: `PB-000${bay}`, port: join(line.dir, `ttyP${bay - 1}`) })),
    })
    await line.stop()
    expect(readdirSync(line.dir).sort()).toEqual(['PB-0001.flash', 'PB-0002.flash', 'PB-0003.flash'])
  })

  test('in use by a living line is refused, left by a killed one is swept', async () => {
    const line = await start()
    const options = { dir: line.dir, boards: 1, baud: null, firmware: imageA('ecdsa-p256'), trust: [publicKey('board-ecdsa-p256')] }
    expect(await startPracticeLine(options)).toMatchObject({ kind: 'folder-in-use' })
    const dir = folder()
    symlinkSync('/dev/pts/99999', join(dir, 'ttyP7'))
    writeFileSync(join(dir, 'boards.json'), JSON.stringify({ version: 1, pid: 999_999_999, boards: [{ bay: 1, serial: 'PB-0001', port: join(dir, 'ttyP7') }] }))
    await start({ dir })
    expect(existsSync(join(dir, 'ttyP0'))).toBe(true)
    expect(readdirSync(dir)).not.toContain('ttyP7')
  })

  test('that is a file, boards without number, firmware that could not boot: each a sentence', async () => {
    const dir = folder()
    writeFileSync(join(dir, 'file'), '')
    const good = { dir: join(dir, 'line'), boards: 1, baud: null, firmware: imageA('ecdsa-p256'), trust: [publicKey('board-ecdsa-p256')] }
    expect(await startPracticeLine({ ...good, dir: join(dir, 'file', 'x') })).toMatchObject({ kind: 'bad-folder' })
    expect(await startPracticeLine({ ...good, boards: 0 })).toMatchObject({ kind: 'bad-boards' })
    expect(await startPracticeLine({ ...good, trust: [publicKey('wrong-ecdsa-p256')] })).toMatchObject({ kind: 'bad-firmware' })
    expect(await startPracticeLine({ ...good, faults: '2:hangs' })).toMatchObject({ kind: 'bad-faults' })
  })
})
