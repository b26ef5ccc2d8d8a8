// The line as an operator sees it, simulated: boards each with their own luck. The log verifies after each scenario, what
// it says of a board is what the board runs, and nothing stays open.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { Failure } from '../../main/base/failure.ts'
import { practiceFirmware } from '../../main/station/sample.ts'
import { Line, runLine, value } from './simulation.ts'
import type { LineOptions } from './simulation.ts'

const open: Line[] = []
afterEach(async () => {
  for (const line of open.splice(0)) await line.close()
})

async function lineOf(options: Partial<LineOptions> = {}): Promise<Line> {
  const line = await Line.open({ seed: 1, boards: 1, ...options })
  open.push(line)
  return line
}

/** Another image signed at the desk: opened and ready for a batch. */
async function imageOf(line: Line, options: { version: string; key?: string; bytes?: Uint8Array; slotBytes?: number; pad?: boolean }): Promise<string> {
  const path = join(line.home, `firmware-${options.version}.bin`)
  writeFileSync(path, options.bytes ?? practiceFirmware(options.version))
  const { file } = await value(line.station.openFile({ path, purpose: 'firmware' }))
  const { version, slotBytes = 0x69000, pad = false } = options
  const signed = await value(line.station.sign({ file, key: options.key ?? 'practice', passphrase: null, options: { version, slotBytes, pad }, saveAs: `${path}.signed` }))
  if (signed === null) throw new Error('the desk asked where to save')
  return signed.file
}

const refusal = (answer: unknown) => (answer instanceof Failure ? answer.kind : 'not refused')
const outcomes = (runs: readonly { bay: number; outcome: string | null; kind: string | null }[]) => runs.map((run) => (run.kind === null ? run.outcome : `${run.outcome} ${run.kind}`))

describe('outcomes', () => {
  test('eight boards are confirmed, and the log says so', async () => {
    const { batch, runs, wrongs } = await runLine({ seed: 1, boards: 8 })
    expect(wrongs).toEqual([])
    expect(batch).toMatchObject({ status: 'ended', boards: 8, counts: { confirmed: 8 } })
    expect(runs.map((run) => run.outcome)).toEqual(Array.from({ length: 8 }, () => 'confirmed'))
    expect(runs[0]?.steps.map((step) => `${step.step} ${step.result}`)).toEqual([
      'Attached begun', 'Upload begun', 'Upload done', 'Mark begun', 'Mark done', 'Restart begun', 'Restart done', 'Return done',
      'Proof done', 'Proof done', 'Proof done', 'Confirm begun', 'Confirm done', 'Outcome done',
    ])
  })

  test('one fails its proof, one hangs, one is unplugged: the other five are not delayed or touched', async () => {
    const { batch, runs, wrongs, seconds } = await runLine({ seed: 2, boards: 8, faults: '2:fails-proof,4:hangs,6:unplug@40%' })
    expect(wrongs).toEqual([])
    expect(outcomes(runs)).toEqual(['confirmed', 'reverted proof-failed', 'confirmed', 'failed no-return', 'confirmed', 'failed unplugged', 'confirmed', 'confirmed'])
    expect(batch.counts).toMatchObject({ confirmed: 5, reverted: 1, failed: 2 })
    const good = runs.filter((run) => run.outcome === 'confirmed').map((run) => run.seconds)
    expect(Math.max(...good) - Math.min(...good)).toBeLessThan(1)
    expect(seconds).toBeGreaterThan(30)
    expect(runs[1]).toMatchObject({ version: '1.0.0', todo: expect.stringContaining('old image') as string })
    // What happened and what to do are told side by side: neither says the other once more.
    expect(runs[3]).toMatchObject({ says: expect.stringMatching(/has not answered for \d+ s\.$/) as string, todo: expect.stringContaining('Switch the board off and on') as string })
    expect(runs[5]).toMatchObject({ says: 'The board was unplugged while it was being worked on.', todo: expect.stringContaining('Plug the board in again') as string })
    expect(runs[5]?.steps.at(-2)).toMatchObject({ step: 'Upload', result: 'failed' })
    // What was acknowledged of it before the cable came off: the slot is not what it was.
    expect(runs[5]?.bytes).toBeGreaterThan(30_000)
    expect(runs[5]?.bytes).toBeLessThan(60_000)
  })

  test('boards that have it already are left alone, without a byte of an image', async () => {
    const line = await lineOf({ boards: 2 })
    await line.runBatch()
    const sent = line.ports.fixtures.map((fixture) => fixture.bytesToBoard)
    const second = await line.runBatch()
    expect(second.counts).toMatchObject({ unchanged: 2, confirmed: 0 })
    for (const [index, fixture] of line.ports.fixtures.entries()) expect(fixture.bytesToBoard - (sent[index] ?? 0)).toBeLessThan(500)
    expect(await line.check()).toEqual([])
  })

  test('an image that already lies in the slot is not sent again', async () => {
    const line = await lineOf()
    expect((await line.runBatch({ mode: 'upload-only' })).counts).toMatchObject({ uploaded: 1 })
    const [fixture] = line.ports.fixtures
    const sent = fixture?.bytesToBoard ?? 0
    expect((await line.runBatch()).counts).toMatchObject({ confirmed: 1 })
    expect((fixture?.bytesToBoard ?? 0) - sent).toBeLessThan(2_000)
  })

  test('test-only leaves the board proven and unconfirmed, and says what its next restart does', async () => {
    const line = await lineOf()
    expect((await line.runBatch({ mode: 'test-only' })).counts).toMatchObject({ tested: 1 })
    const [run] = await line.runs()
    expect(run?.says).toContain('1.0.0, which the bootloader will put back')
    const [fixture] = line.ports.fixtures
    fixture?.board.reset()
    await line.clock.wind(5_000)
    expect(fixture?.board.running?.version).toBe('1.0.0')
  })

  test('a power cut in the middle of the swap ends confirmed once the board has finished it', async () => {
    const { runs, wrongs } = await runLine({ seed: 3, boards: 1, faults: '1:power-cut@40' })
    expect(wrongs).toEqual([])
    expect(outcomes(runs)).toEqual(['confirmed'])
  })

  test('boards whose USB ports vanish at the restart and come back under other names are the same boards', async () => {
    const { runs, wrongs } = await runLine({ seed: 5, boards: 4, usb: true, faults: '2:fails-proof,3:hangs' })
    expect(wrongs).toEqual([])
    expect(outcomes(runs)).toEqual(['confirmed', 'reverted proof-failed', 'failed no-return', 'confirmed'])
    expect(runs.map((run) => run.board)).toEqual(['PB-0001', 'PB-0002', 'PB-0003', 'PB-0004'])
  })

  test('a board whose flash swaps for half a minute in silence is waited for', async () => {
    const { profiles } = await import('../../main/practice/profiles.ts')
    const { runs, wrongs, seconds } = await runLine({ seed: 4, boards: 1, profile: profiles['nrf52840'] })
    expect(wrongs).toEqual([])
    expect(outcomes(runs)).toEqual(['confirmed'])
    expect(seconds).toBeGreaterThan(5)
  })
})

describe('boards that come and go', () => {
  test('each plug and unplug is in the log; a board that restarts under another port name, or keeps its bay while its run goes on, is neither', async () => {
    const line = await lineOf({ boards: 2, usb: true, faults: '2:unplug@40%' })
    await line.runBatch()
    const fixture = line.ports.fixtures[0]!
    fixture.unplug()
    await line.clock.wind(1_000)
    const { entries } = await value(line.station.listLog({ text: 'board-', limit: 50 }))
    const seen = entries.map(({ kind, data }) => `${kind} ${String(data['unit'])} ${String(data['bay'])}`).reverse()
    expect(seen).toEqual(['board-attached PB-0001 1', 'board-attached PB-0002 2', 'board-detached PB-0002 2', 'board-detached PB-0001 1'])
    expect(await line.verdict()).toMatchObject({ holds: true })
  })
})

describe('refused before the first byte', () => {
  test('a downgrade, unless the recipe allows it', async () => {
    const line = await lineOf()
    await line.runBatch()
    const older = await imageOf(line, { version: '1.0.9' })
    const refused = await line.runBatch({}, older)
    expect(refused.counts).toMatchObject({ failed: 1 })
    expect(outcomes(await line.runs())).toContain('failed downgrade')
    expect((await line.runBatch({ allowDowngrade: true }, older)).counts).toMatchObject({ confirmed: 1 })
    expect(line.ports.fixtures[0]?.board.running?.version).toBe('1.0.9')
  })

  test('an image too large for the slot beside its trailer, though imgtool would sign it', async () => {
    const line = await lineOf()
    // 0x67bf7 bytes in all were signed by imgtool, listed and marked by the real server, and thrown away by MCUboot.
    const large = await imageOf(line, { version: '1.2.0', bytes: new Uint8Array(0x67a00).fill(7), slotBytes: 0x6a000 })
    expect((await line.runBatch({}, large)).counts).toMatchObject({ failed: 1 })
    expect(outcomes(await line.runs())).toEqual(['failed image-too-large'])
    expect(line.ports.fixtures[0]?.bytesToBoard).toBeLessThan(500)
  })

  test('a key that the recipe does not allow, an unsigned firmware, a padded image', async () => {
    const line = await lineOf()
    const { file } = await value(line.station.sampleFile({}))
    expect(refusal(await line.station.startBatch({ file, recipe: { allowedKeys: ['00'.repeat(32)] } }))).toBe('key-not-allowed')
    const padded = await imageOf(line, { version: '1.3.0', pad: true })
    expect(refusal(await line.station.startBatch({ file: padded, recipe: {} }))).toBe('has-trailer')
    const path = join(line.home, 'raw.bin')
    writeFileSync(path, practiceFirmware('9.9.9'))
    const raw = await value(line.station.openFile({ path, purpose: 'firmware' }))
    expect(await line.station.startBatch({ file: raw.file, recipe: {} })).toBeInstanceOf(Failure)
    const { entries } = await value(line.station.listLog({ kind: 'refusal' }))
    expect(entries.length).toBeGreaterThanOrEqual(2)
    expect(await line.runs()).toEqual([])
  })

  test('a retired key', async () => {
    const line = await lineOf()
    const { file } = await value(line.station.sampleFile({}))
    await value(line.station.retireKey({ name: 'practice' }))
    expect(refusal(await line.station.startBatch({ file, recipe: {} }))).toBe('key-retired')
  })
})

describe('a key the board does not trust', () => {
  test('comes back on the old image, and the sentence names the key', async () => {
    const line = await lineOf()
    await value(line.station.generateKey({ name: 'stranger', algorithm: 'ed25519', class: 'test', passphrase: null }))
    const strange = await imageOf(line, { version: '1.4.0', key: 'stranger' })
    await line.runBatch({}, strange)
    const [run] = await line.runs()
    expect(outcomes([run!])).toEqual(['failed not-swapped'])
    expect(run?.says).toContain('stranger')
    expect(line.ports.fixtures[0]?.board.running?.version).toBe('1.0.0')
  })
})

describe('half-done updates of others', () => {
  test('another image on test, and another one pending, are got past by restarts', async () => {
    const line = await lineOf({ boards: 2 })
    const other = await imageOf(line, { version: '1.0.5' })
    await line.runBatch({ mode: 'test-only' }, other)
    expect((await line.runBatch()).counts).toMatchObject({ confirmed: 2 })
    expect(await line.check()).toEqual([])
  })
})

describe('stopping', () => {
  test('stopped in the middle of the upload: every run says so, ports are given back, the next batch finishes', async () => {
    const line = await lineOf({ boards: 3 })
    await line.begin()
    await line.clock.wind(800)
    const stopping = line.station.stopBatch({})
    await line.clock.settle(stopping)
    expect((await line.finish()).counts).toMatchObject({ stopped: 3 })
    expect(await line.check()).toEqual([])
    expect((await line.runBatch()).counts).toMatchObject({ confirmed: 3 })
    expect(await line.check()).toEqual([])
  })

  test('stopped at any moment, a run ends as stopped or as it would have, and never half-told', async () => {
    for (let afterMs = 0; afterMs <= 2_600; afterMs += 130) {
      const line = await lineOf({ boards: 1, seed: afterMs })
      await line.begin()
      await line.clock.wind(afterMs)
      await line.clock.settle(line.station.stopBatch({}))
      await line.finish()
      expect(await line.check(), `stopped after ${afterMs} ms`).toEqual([])
      expect((await line.runBatch()).counts, `stopped after ${afterMs} ms`).toMatchObject({ failed: 0, stopped: 0, reverted: 0 })
      expect(line.ports.fixtures[0]?.board.running?.version).toBe('1.1.0')
      await open.pop()?.close()
    }
  })
})

describe('a station that died', () => {
  test('closes its open runs at the next start, with the last proven step of each', async () => {
    const first = await lineOf({ boards: 2 })
    await first.begin()
    await first.clock.wind(800)
    // Killed: what a power cut would leave on disk is all that the next station finds.
    const home = mkdtempSync(join(tmpdir(), 'slotwright-died-'))
    cpSync(first.home, home, { recursive: true })
    await first.finish()
    const again = await lineOf({ boards: 2, home })
    expect(again.station.closedRuns).toBe(2)
    const runs = await again.runs()
    expect(outcomes(runs)).toEqual(['stopped station-died', 'stopped station-died'])
    expect(runs[0]?.says).toContain('Nothing on the board had been changed and proven yet')
    expect(runs[0]?.steps.map((step) => `${step.step} ${step.result}`)).toEqual(['Attached begun', 'Upload begun', 'Upload failed', 'Outcome note'])
    expect(await again.verdict()).toMatchObject({ holds: true })
    await again.close()
    const third = await lineOf({ boards: 2, home })
    expect(third.station.closedRuns).toBe(0)
    await third.close()
    rmSync(home, { recursive: true })
  })

  test('killed at any moment, what it leaves behind is told truly and the batch can be run again', async () => {
    const first = await lineOf({ boards: 1, seed: 9 })
    const homes: string[] = []
    await first.begin()
    for (let at = 0; at < 2_600; at += 200) {
      const home = mkdtempSync(join(tmpdir(), 'slotwright-died-'))
      homes.push(home)
      cpSync(first.home, home, { recursive: true })
      await first.clock.wind(200)
    }
    await first.finish()
    const said = new Set<string>()
    for (const home of homes) {
      const again = await lineOf({ boards: 1, home })
      expect(await again.verdict()).toMatchObject({ holds: true })
      const [run] = await again.runs()
      // The first copy was taken before the run itself was in the log.
      expect(home === homes[0] ? ['none'] : ['stopped', 'confirmed']).toContain(run?.outcome ?? 'none')
      said.add(run?.says.replace(/^.*?Last proven: /, '').slice(0, 20) ?? 'no run')
      expect((await again.runBatch()).counts).toMatchObject({ confirmed: 1 })
      await again.close()
      rmSync(home, { recursive: true })
    }
    expect(said.size, [...said].join(' | ')).toBeGreaterThanOrEqual(3)
  })
})

describe('a log that gives out', () => {
  test('no act without its intent on disk: every run ends before its next act', async () => {
    const line = await lineOf({ boards: 2 })
    await line.begin()
    await line.clock.wind(300)
    line.station.audit.database.sql.exec('PRAGMA query_only = ON')
    const batch = await line.finish()
    expect(batch.counts).toMatchObject({ failed: 2, confirmed: 0 })
    const bays = await line.bays()
    expect(bays.map((bay) => bay.failure?.kind)).toEqual(['log-failed', 'log-failed'])
    for (const fixture of line.ports.fixtures) expect(fixture.board.running?.version).toBe('1.0.0')
    line.station.audit.database.sql.exec('PRAGMA query_only = OFF')
  })
})

describe('the wire', () => {
  test.each([1, 2, 3, 4, 5, 6])('lost and garbled bytes, seed %i: every board ends in a stated outcome that is true', async (seed) => {
    const { runs, wrongs } = await runLine({ seed, boards: 4, dropLine: 0.01, garbleLine: 0.01 })
    expect(wrongs).toEqual([])
    expect(runs).toHaveLength(4)
    expect(outcomes(runs).filter((outcome) => outcome === 'confirmed').length).toBeGreaterThanOrEqual(3)
  })
})

describe('what the window is shown', () => {
  test('rows of a bay come at most ten a second, and the last one tells the outcome', async () => {
    const line = await lineOf({ boards: 2, baud: 115_200 })
    await line.runBatch()
    const { seconds } = (await value(line.station.batch({})))!
    await line.clock.wind(200)
    const rows = line.events.flatMap((event) => (event.is === 'bay' && event.bay.bay === 1 ? [event.bay] : []))
    expect(rows.length).toBeLessThanOrEqual(Math.ceil(seconds * 10) + 2)
    expect(rows.at(-1)).toMatchObject({ phase: 'ended', outcome: 'confirmed', runningVersion: '1.1.0', targetVersion: '1.1.0' })
    const uploading = rows.filter((row) => row.phase === 'uploading' && row.bytesPerSecond > 0)
    expect(uploading.length).toBeGreaterThan(10)
    // 115,200 baud carry 11,520 bytes a second, of which framing leaves some two thirds.
    for (const row of uploading.slice(5)) expect(row.bytesPerSecond).toBeGreaterThan(5_000)
    for (const row of uploading.slice(5)) expect(row.bytesPerSecond).toBeLessThan(8_400)
  })

  test('an unplugged board leaves its outcome in the bay; plugged in again it finds its bay, and the next batch takes it', async () => {
    const line = await lineOf({ boards: 2, faults: '2:unplug@30%' })
    await line.runBatch()
    await line.clock.wind(200)
    expect((await line.bays())[1]).toMatchObject({ bay: 2, board: null, outcome: 'failed', failure: { kind: 'unplugged' } })
    line.ports.fixtures[1]?.plug()
    await line.clock.wind(1_000)
    expect((await line.bays())[1]).toMatchObject({ bay: 2, board: 'PB-0002' })
    expect((await line.runBatch()).counts).toMatchObject({ unchanged: 1, confirmed: 1 })
    expect(await line.check()).toEqual([])
  })

  test('a quota is not exceeded', async () => {
    const line = await lineOf({ boards: 4 })
    const batch = await line.runBatch({ quota: 3 })
    expect(batch).toMatchObject({ boards: 3, counts: { confirmed: 3 } })
  })

  test('a second batch is refused while one runs, and so is asking a board that is being worked on', async () => {
    const line = await lineOf()
    await line.begin()
    const { file } = await value(line.station.sampleFile({}))
    expect(refusal(await line.station.startBatch({ file, recipe: {} }))).toBe('batch-running')
    expect(refusal(await line.station.askBoard({ port: '/sim/tty1' }))).toBe('port-held')
    await line.finish()
    const board = await line.clock.settle(line.station.askBoard({ port: '/sim/tty1' }))
    expect(board).toMatchObject({ board: 'PB-0001', mode: 'swap-move', bufferBytes: 384, slots: [{ version: '1.1.0', active: true }, { version: '1.0.0' }] })
  })
})
