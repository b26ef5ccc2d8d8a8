// An upload that was cut off is not begun again where the board remembers it: the cable comes off and is put back, the
// board never lost power, and the second turn sends what is missing and no more.
import { afterEach, expect, test } from 'vitest'
import { Line, value } from './simulation.ts'

let line: Line | null = null
afterEach(async () => {
  await line?.close()
  line = null
})

/** Of the image, on the wire, at most: frames are 1.5 times their data, and every exchange besides is small. */
const wireShare = 1.6

async function pulledAt(share: number, loseMemory: boolean): Promise<{ sent: number; imageBytes: number }> {
  const here = await Line.open({ seed: 91, boards: 1 })
  line = here
  const fixture = here.ports.fixtures[0]!
  const { id } = await here.begin()
  const bay = async () => (await here.bays())[0]!
  for (let turn = 0; turn < 1_000 && (await bay()).bytesDone < share * ((await bay()).bytesTotal || 1e9); turn++) await here.clock.wind(50)
  const before = fixture.bytesToBoard
  const { bytesTotal } = await bay()
  fixture.pullCable()
  if (loseMemory) fixture.board.reset()
  await here.clock.wind(300)
  fixture.plug()
  await here.finish()
  // Its first turn ended with the cable; put back before the batch was over it has another, or the next batch takes it.
  if ((await value(here.station.listRuns({ batch: id }))).every((run) => run.outcome !== 'confirmed')) await here.runBatch()
  expect(fixture.board.running?.version).toBe('1.1.0')
  expect(await here.check()).toEqual([])
  return { sent: fixture.bytesToBoard - before, imageBytes: bytesTotal }
}

test('after a pulled cable only the rest is sent', async () => {
  const { sent, imageBytes } = await pulledAt(0.7, false)
  expect(sent / imageBytes).toBeLessThan(0.4 * wireShare)
})

test('a board that was restarted meanwhile has forgotten it, and gets all of it', async () => {
  const { sent, imageBytes } = await pulledAt(0.7, true)
  expect(sent / imageBytes).toBeGreaterThan(1)
  expect(sent / imageBytes).toBeLessThan(1.1 * wireShare)
})
