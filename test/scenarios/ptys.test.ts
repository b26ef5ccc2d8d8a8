// The same station over real pseudo-terminals and real time: practice boards in this process, found in their folder like
// any ports, opened by the real serial link.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { StationEvent } from '../../main/contract/views.ts'
import { openStation } from '../../main/station/station.ts'
import type { Station } from '../../main/station/station.ts'
import { value } from './simulation.ts'

let station: Station | null = null
let home = ''
afterEach(async () => {
  await station?.close()
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
