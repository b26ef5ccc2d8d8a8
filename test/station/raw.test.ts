// Boards whose SMP has a raw UART of its own: the station finds that out by asking, spares the other boards of
// the batch that question, and brings them through a whole run.
import { expect, test } from 'vitest'
import { profiles } from '../../main/practice/profiles.ts'
import { askBoard } from '../../main/station/ask.ts'
import { Line, value } from '../scenarios/simulation.ts'

test('boards on a raw UART are found out and go through to confirmed', async () => {
  const line = await Line.open({ seed: 5, boards: 3, profile: profiles['practice-raw']! })
  try {
    const batch = await line.runBatch()
    expect(batch.counts).toMatchObject({ confirmed: 3 })
    expect(await line.check()).toEqual([])
  } finally {
    await line.close()
  }
  expect(line.leftovers).toEqual({ timers: 0, listeners: 0 })
})

test('after one raw board has answered, the next of the batch is not kept waiting for console lines', async () => {
  // Boards that answer the moment they have power, so that only the framing can cost time.
  const line = await Line.open({ seed: 6, boards: 2, profile: { ...profiles['practice-raw']!, romMs: 0, applicationStartMs: 0 } })
  try {
    const second = line.ports.fixtures[1]!
    second.unplug()
    await line.begin({ mode: 'upload-only' })
    await line.clock.wind(1_500)
    second.plug()
    await line.finish()
    const runs = await line.runs()
    expect(runs.map((run) => run.outcome)).toEqual(['uploaded', 'uploaded'])
    expect(runs[0]!.seconds - runs[1]!.seconds).toBeGreaterThan(0.9)
  } finally {
    await line.close()
  }
})

test('a raw board asked by itself tells what it is', async () => {
  const line = await Line.open({ seed: 7, boards: 1, profile: profiles['practice-raw']! })
  try {
    const said = await line.clock.settle(askBoard('/sim/tty1', line.ports, line.clock))
    expect(await value(Promise.resolve(said))).toMatchObject({ bufferBytes: 384, bootloader: 'MCUboot' })
  } finally {
    await line.close()
  }
})

test('a console board that is busy when it is first asked is still understood after the raw question', async () => {
  const line = await Line.open({ seed: 8, boards: 1 })
  try {
    const fixture = line.ports.fixtures[0]!
    // Deaf for a second and a half, in which both first questions fall.
    fixture.board.powerOff()
    const said = askBoard('/sim/tty1', line.ports, line.clock)
    await line.clock.wind(1_500)
    fixture.board.powerOn()
    expect(await line.clock.settle(said)).toMatchObject({ bufferBytes: 384 })
  } finally {
    await line.close()
  }
})
