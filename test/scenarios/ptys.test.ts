// The same station over real pseudo-terminals and real time: practice boards in this process, found in their folder like
// any ports, opened by the real serial link.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zipSync } from 'fflate/browser'
import { afterEach, expect, test } from 'vitest'
import type { StationEvent } from '../../main/contract/views.ts'
import { Keyring } from '../../main/keys/keyring.ts'
import { startPracticeLine } from '../../main/practice/line.ts'
import type { PracticeLine } from '../../main/practice/line.ts'
import type { BoardProfile } from '../../main/practice/profiles.ts'
import { openStation } from '../../main/station/station.ts'
import type { Station } from '../../main/station/station.ts'
import { value } from './simulation.ts'
import { makeStock, smallProfile } from './faults/stock.ts'

const smallXip: BoardProfile = { ...smallProfile, mode: 'direct-xip-revert' }

let station: Station | null = null
let line: PracticeLine | null = null
let home = ''
const closing: (() => void)[] = []
afterEach(async () => {
  await station?.close()
  await line?.stop()
  line = null
  for (const close of closing.splice(0)) close()
  rmSync(home, { recursive: true, force: true })
})

/** Resolves when an event fits. */
function heard(from: Station, fits: (event: StationEvent) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = from.subscribe((event) => {
      if (!fits(event)) return
      stop()
      resolve()
    })
  })
}

test('three boards on real ports: confirmed, reverted, unplugged; the boards say so themselves; the log holds', async () => {
  home = mkdtempSync(join(tmpdir(), 'slotwright-ptys-'))
  station = await value(openStation({ home, version: '0.0.0-test', ports: [], person: 'tester' }))
  const here = station
  await value(here.startPractice({ boards: 3, baud: 1_000_000, faults: '2:fails-proof,3:unplug@40%' }))
  const bays = await value(here.bays({}))
  expect(bays.map((bay) => [bay.bay, bay.board, bay.practice, bay.phase])).toEqual([1, 2, 3].map((bay) => [bay, `PB-000${bay}`, true, 'attached']))
  const { file, image } = await value(here.sampleFile({}))
  expect(image).toMatchObject({ version: '1.1.0+0', signature: 'valid', keyName: 'practice' })
  const ended = heard(here, (event) => event.is === 'batch' && event.batch?.status === 'ended')
  await value(here.startBatch({ file, recipe: {} }))
  await ended
  const runs = (await value(here.listRuns({ batch: null }))).sort((a, b) => a.bay - b.bay)
  expect(runs.map((run) => [run.outcome, run.kind])).toEqual([['confirmed', null], ['reverted', 'proof-failed'], ['failed', 'unplugged']])
  const board = await value(here.askBoard({ port: bays[1]!.port! }))
  expect(board.slots.find((slot) => slot.active)).toMatchObject({ version: '1.0.0', confirmed: true })
  expect((await value(here.verifyLog({}))).holds).toBe(true)
  expect(runs[0]!.bytesPerSecond).toBeGreaterThan(20_000)
  await value(here.stopPractice({}))
  expect((await value(here.listPorts({})))).toEqual([])
}, 60_000)

test('boards of another kind from the window: two images, encrypted with AES-256, counted, ports that vanish; the sample fits them', async () => {
  home = mkdtempSync(join(tmpdir(), 'slotwright-ptys-'))
  station = await value(openStation({ home, version: '0.0.0-test', ports: [], person: 'tester' }))
  const here = station
  const kind = { mode: 'swap-scratch', images: 2, encrypted: 256, securityCounter: true, usb: true } as const
  expect(await here.startPractice({ ...kind, mode: 'direct-xip' })).toMatchObject({ kind: 'bad-profile' })
  const started = await value(here.startPractice({ boards: 2, baud: 1_000_000, faults: '2:fails-proof', ...kind }))
  expect(started.build).toEqual({ loader: null, downgradePrevention: false, ...kind })
  const { file, image } = await value(here.sampleFile({}))
  expect(image?.images?.map((part) => part.version)).toEqual(['1.1.0+0', '1.1.0+0'])
  const ended = heard(here, (event) => event.is === 'batch' && event.batch?.status === 'ended')
  await value(here.startBatch({ file, recipe: {} }))
  await ended
  const runs = (await value(here.listRuns({ batch: null }))).sort((a, b) => a.bay - b.bay)
  expect(runs.map((run) => [run.outcome, run.kind])).toEqual([['confirmed', null], ['reverted', 'proof-failed']])
  await value(here.stopPractice({}))
  expect((await value(here.sampleFile({}))).image?.images ?? null).toBeNull()
}, 60_000)

test('direct-xip with an image linked for each slot: boards go from slot 0 to slot 1 and from there to slot 0', async () => {
  home = mkdtempSync(join(tmpdir(), 'slotwright-ptys-'))
  const dir = mkdtempSync(join(tmpdir(), 'slotwright-ptys-'))
  closing.push(() => rmSync(dir, { recursive: true, force: true }))
  const desk = await value(openStation({ home, version: '0.0.0-test', ports: [], person: 'tester' }))
  await value(desk.generateKey({ name: 'maker', algorithm: 'ed25519', class: 'test', passphrase: null }))
  const { slot0, slot1 } = smallXip
  const archive = async (version: string): Promise<string> => {
    const files: Record<string, Uint8Array> = {}
    for (const [slot, { address }] of [slot0, slot1].entries()) {
      const path = join(home, `${version}-${slot}.bin`)
      // Linked for another address, it is another firmware.
      writeFileSync(path, new Uint8Array(4_000).map((_, i) => (i * 31 + address + Number(version.at(2))) & 0xff))
      const firmware = await value(desk.openFile({ path, purpose: 'firmware' }))
      await value(desk.sign({ file: firmware.file, key: 'maker', passphrase: null, options: { version, headerBytes: 0x20, padHeader: true, slotBytes: slot0.sizeBytes, romFixed: address }, saveAs: `${path}.signed` }))
      files[`app-${slot}.bin`] = new Uint8Array(readFileSync(`${path}.signed`))
    }
    const rows = [0, 1].map((slot) => ({ file: `app-${slot}.bin`, image_index: '0', slot: String(slot) }))
    const path = join(home, `${version}.zip`)
    writeFileSync(path, zipSync({ ...files, 'manifest.json': new TextEncoder().encode(JSON.stringify({ 'format-version': 1, files: rows })) }))
    return path
  }
  const archives = { '1.0.0': await archive('1.0.0'), '1.1.0': await archive('1.1.0'), '1.2.0': await archive('1.2.0') }
  await desk.close()
  const key = await value(new Keyring(join(home, 'keys')).publicKey('maker'))
  const boards = await value(startPracticeLine({ dir, boards: 2, baud: 921_600, firmware: new Uint8Array(readFileSync(join(home, '1.0.0-0.bin.signed'))), trust: [key], profile: smallXip, seed: 1 }))
  line = boards
  station = await value(openStation({ home, version: '0.0.0-test', ports: [dir], person: 'tester' }))
  const here = station
  for (const [version, slot] of [['1.1.0', 1], ['1.2.0', 0]] as const) {
    const { file, problem } = await value(here.openFile({ path: archives[version], purpose: 'image' }))
    expect(problem).toBeNull()
    const ended = heard(here, (event) => event.is === 'batch' && event.batch?.status === 'ended')
    const batch = await value(here.startBatch({ file, recipe: {} }))
    await ended
    expect((await value(here.listRuns({ batch: batch.id }))).map((run) => [run.outcome, run.kind])).toEqual([['confirmed', null], ['confirmed', null]])
    expect([1, 2].map((bay) => boards.board(bay)!.running)).toMatchObject([{ version, slot }, { version, slot }])
  }
}, 60_000)

test.each([1, 2])('power cuts inside the swap, cables pulled and put back, power lost while proving: over real ports too every run tells the truth (turn %i)', async (turn) => {
  const stock = await makeStock()
  closing.push(() => stock.close())
  home = stock.home()
  const dir = mkdtempSync(join(tmpdir(), 'slotwright-ptys-'))
  const { images, trust } = stock
  const boards = await value(startPracticeLine({
    dir, boards: 4, baud: 921_600, firmware: images.factory.bytes, trust, profile: smallProfile, usb: turn === 2, seed: turn, faults: `1:power-cut@${20 * turn},2:power-cut@7,3:unplug@40%`,
  }))
  line = boards
  station = await value(openStation({ home, version: '0.0.0-test', ports: [dir], person: 'tester' }))
  const here = station
  const { file } = await value(here.openFile({ path: images.update.file, purpose: 'image' }))
  // The third board's cable comes off by itself; it is put back the moment its bay says so. The fourth is switched off and
  // on when it is seen proving its new image.
  const pulled = heard(here, (event) => event.is === 'bay' && event.bay.bay === 3 && event.bay.outcome === 'failed').then(() => boards.replug(3))
  void heard(here, (event) => event.is === 'bay' && event.bay.bay === 4 && event.bay.phase === 'proving').then(() => boards.powerCycle(4))
  await value(here.startBatch({ file, recipe: {} }))
  await here.batchEnded()
  await pulled
  const first = (await value(here.listRuns({ batch: null }))).sort((a, b) => a.bay - b.bay)
  expect(first.every((run) => run.outcome !== null && run.kind !== 'fault')).toBe(true)
  expect(first.filter((run) => run.bay <= 2).map((run) => run.outcome)).toEqual(['confirmed', 'confirmed'])
  // Put back, it may have had a second turn in the same batch.
  expect(first.filter((run) => run.bay === 3).map((run) => run.kind)).toContain('unplugged')
  // What is left undone is done by the next batch.
  const attached = async () => (await value(here.bays({}))).filter((bay) => bay.port !== null).length
  if ((await attached()) < 4) await heard(here, (event) => event.is === 'bay' && event.bay.bay === 3 && event.bay.port !== null)
  await value(here.startBatch({ file, recipe: {} }))
  await here.batchEnded()
  const batch = await value(here.batch({}))
  expect((batch?.counts.confirmed ?? 0) + (batch?.counts.unchanged ?? 0), JSON.stringify(batch?.counts)).toBe(4)
  expect(boards.boards().map((_, i) => boards.board(i + 1)?.running?.version)).toEqual(['1.1.0', '1.1.0', '1.1.0', '1.1.0'])
  expect((await value(here.verifyLog({}))).holds).toBe(true)
  await here.close()
  await boards.stop()
  rmSync(dir, { recursive: true, force: true })
}, 90_000)

test('a rolling line over real ports: each run begins when its board is plugged, its board may go at once when its bay shows the outcome, and the next begins by itself', async () => {
  const stock = await makeStock()
  closing.push(() => stock.close())
  home = stock.home()
  const dir = mkdtempSync(join(tmpdir(), 'slotwright-rolling-'))
  closing.push(() => rmSync(dir, { recursive: true, force: true }))
  const { images, trust } = stock
  // USB boards: each is under another port name after its restart, and the one that is plugged next may get the old one's.
  const boards = await value(startPracticeLine({ dir, boards: 3, baud: 921_600, firmware: images.factory.bytes, trust, profile: smallProfile, usb: true, seed: 3 }))
  line = boards
  for (const bay of [1, 2, 3]) boards.unplug(bay)
  station = await value(openStation({ home, version: '0.0.0-test', ports: [dir], person: 'tester' }))
  const here = station
  const { file } = await value(here.openFile({ path: images.update.file, purpose: 'image' }))
  await value(here.startBatch({ file, recipe: { rolling: true, quota: 3 } }))
  for (const bay of [1, 2, 3]) {
    const shown = heard(here, (event) => event.is === 'bay' && event.bay.bay === bay && event.bay.outcome !== null)
    await value(boards.replug(bay))
    await shown
    boards.unplug(bay)
  }
  await here.batchEnded()
  const runs = await value(here.listRuns({ batch: null }))
  expect(runs.map((run) => [run.board, run.outcome]).sort()).toEqual([1, 2, 3].map((bay) => [`PB-000${bay}`, 'confirmed']))
  const opened = new Set(runs.map((run) => run.startedAt))
  expect(opened.size, 'runs that began together').toBe(3)
  expect((await value(here.verifyLog({}))).holds).toBe(true)
}, 60_000)

test('eight alike that restart together and come back under each other\'s names: each run stays with its own board', async () => {
  const stock = await makeStock()
  closing.push(() => stock.close())
  home = stock.home()
  const dir = mkdtempSync(join(tmpdir(), 'slotwright-alike-'))
  closing.push(() => rmSync(dir, { recursive: true, force: true }))
  const { images, trust } = stock
  const boards = await value(startPracticeLine({ dir, boards: 8, baud: 921_600, firmware: images.factory.bytes, trust, profile: smallProfile, usb: true, seed: 4, faults: '2:fails-proof,5:fails-proof' }))
  line = boards
  station = await value(openStation({ home, version: '0.0.0-test', ports: [dir], person: 'tester' }))
  const here = station
  const namesBefore = new Map(boards.boards().map(({ serial, port }) => [serial, port]))
  const { file } = await value(here.openFile({ path: images.update.file, purpose: 'image' }))
  await value(here.startBatch({ file, recipe: {} }))
  await here.batchEnded()
  const runs = (await value(here.listRuns({ batch: null }))).sort((a, b) => a.bay - b.bay)
  expect(runs.map((run) => [run.board, run.outcome])).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((bay) => [`PB-000${bay}`, bay === 2 || bay === 5 ? 'reverted' : 'confirmed']))
  // What the log says of a unit is what that very board runs.
  expect(boards.boards().map((_, at) => boards.board(at + 1)?.running?.version)).toEqual(['1.1.0', '1.0.0', '1.1.0', '1.1.0', '1.0.0', '1.1.0', '1.1.0', '1.1.0'])
  expect(boards.boards().some(({ serial, port }) => port !== namesBefore.get(serial)), 'no port ever had another name').toBe(true)
  const taken = new Set(namesBefore.values())
  expect(boards.boards().some(({ serial, port }) => taken.has(port) && port !== namesBefore.get(serial)), 'no board ever had another one\'s old name').toBe(true)
  expect((await value(here.verifyLog({}))).holds).toBe(true)
}, 60_000)
