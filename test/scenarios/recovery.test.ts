// MCUboot's serial recovery, from the whole station to the flash: a single-slot board is sent there by boot mode, a board
// that is there already is taken up where it stands, and what was written is proven once the board has started it.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { profiles } from '../../main/practice/profiles.ts'
import { practiceFirmware } from '../../main/station/sample.ts'
import { expectPairConfirmed } from './pty-pair.ts'
import { Line, runLine, value } from './simulation.ts'

const single = profiles['practice-single-slot']!
const withRecovery = profiles['practice-recovery']!

let line: Line | null = null
afterEach(async () => {
  await line?.close()
  line = null
})

test('single-slot boards are sent into recovery, written, started and proven; that there is no way back is said before', async () => {
  const { runs, wrongs } = await runLine({ seed: 31, boards: 3, profile: single })
  expect(wrongs).toEqual([])
  expect(runs.map((run) => run.outcome)).toEqual(['confirmed', 'confirmed', 'confirmed'])
  const steps = runs[0]!.steps.map((step) => `${step.step} ${step.result}`)
  expect(steps.indexOf('Preflight note')).toBeLessThan(steps.indexOf('Upload begun'))
  expect(steps.indexOf('Upload done')).toBeGreaterThan(steps.indexOf('Return done'))
})

test('a single-slot board whose new image fails its proof keeps it, and says so', async () => {
  const { runs, wrongs } = await runLine({ seed: 32, boards: 1, profile: single, faults: '1:fails-proof' })
  expect(wrongs).toEqual([])
  expect(runs[0]).toMatchObject({ outcome: 'failed', kind: 'proof-failed', version: '1.1.0' })
  expect(runs[0]?.says).toContain('no way back')
})

test('a single-slot board is left alone where the recipe asks for a way back', async () => {
  const { runs } = await runLine({ seed: 33, boards: 1, profile: single }, { needsWayBack: true })
  expect(runs[0]).toMatchObject({ outcome: 'failed', kind: 'no-way-back', version: '1.0.0' })
})

test('a board that is in recovery because nothing in it boots is brought back to life', async () => {
  line = await Line.open({ seed: 34, boards: 2, profile: withRecovery })
  const { board } = line.ports.fixtures[0]!
  board.slots.primary.area.erase(0, board.slots.primary.area.sizeBytes)
  board.reset()
  await line.clock.wind(1000)
  expect(board.state).toBe('recovery')
  await line.runBatch()
  expect((await line.runs()).map((run) => run.outcome)).toEqual(['confirmed', 'confirmed'])
  expect(board.running?.version).toBe('1.1.0')
  expect(await line.check()).toEqual([])
})

test('an upload over the only slot that is cut off leaves a board that can be written again', async () => {
  line = await Line.open({ seed: 35, boards: 1, profile: single, faults: '1:unplug@40%' })
  await line.runBatch()
  const fixture = line.ports.fixtures[0]!
  expect((await line.runs())[0]).toMatchObject({ outcome: 'failed', kind: 'unplugged' })
  fixture.plug()
  await line.clock.wind(2000)
  expect(fixture.board.state).toBe('recovery')
  const { port } = (await value(line.station.bays({})))[0]!
  expect(await line.clock.settle(value(line.station.askBoard({ port: port! })))).toMatchObject({ recovery: true, bootloader: null })
  await line.runBatch()
  expect(fixture.board.running?.version).toBe('1.1.0')
  expect(await line.check()).toEqual([])
})

test('an image that the bootloader does not trust is told as such, and the write is closed in the log', async () => {
  line = await Line.open({ seed: 36, boards: 1, profile: withRecovery })
  const { board } = line.ports.fixtures[0]!
  const { area } = board.slots.primary
  area.erase(0, area.sizeBytes)
  board.reset()
  await line.clock.wind(1000)
  await value(line.station.generateKey({ name: 'stranger', algorithm: 'ed25519', class: 'test', passphrase: null }))
  const path = join(line.home, 'strange.bin')
  writeFileSync(path, practiceFirmware('1.1.0'))
  const firmware = await value(line.station.openFile({ path, purpose: 'firmware' }))
  const signed = await value(line.station.sign({ file: firmware.file, key: 'stranger', passphrase: null, options: { version: '1.1.0' }, saveAs: `${path}.signed` }))
  await line.runBatch({}, signed!.file)
  expect((await line.runs())[0]).toMatchObject({ outcome: 'failed', kind: 'not-started' })
  expect(await line.check()).toEqual([])
})

test('boards with a USB port of their own come back under another name in recovery too', async () => {
  const { runs, wrongs } = await runLine({ seed: 37, boards: 2, profile: single, usb: true })
  expect(wrongs).toEqual([])
  expect(runs.map((run) => run.outcome)).toEqual(['confirmed', 'confirmed'])
})

test('single-slot boards on real pseudo-terminals, ports that vanish and stay alike, are confirmed', async () => {
  await expectPairConfirmed({ profile: single, usb: true, recipe: { tests: [{ test: 'console', matches: '*self-test passed' }] } })
}, 60_000)
