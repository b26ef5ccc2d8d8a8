// Events gathered for the window: no row is held back for long, none that matters is lost, and the order of all else stays.
import { expect, test } from 'vitest'
import type { BayView, StationEvent } from '../../main/contract/views.ts'
import { gatherEvents, gatherMs } from '../../main/shell/gathering.ts'
import { WoundClock } from '../smp/wound-clock.ts'

const row = (bay: number, bytesDone: number): StationEvent => ({ is: 'bay', bay: { bay, bytesDone } as BayView })
const shown = (event: StationEvent) => (event.is === 'bay' ? `${event.bay.bay}:${event.bay.bytesDone}` : event.is)

function gathered(): { clock: WoundClock; sent: string[][]; tell: (event: StationEvent) => void; close: () => void } {
  const clock = new WoundClock()
  const sent: string[][] = []
  const { tell, close } = gatherEvents((events) => sent.push(events.map(shown)), (delayMs, work) => clock.after(delayMs, work))
  return { clock, sent, tell, close }
}

test('many rows become one message with the newest of each bay', async () => {
  const { clock, sent, tell } = gathered()
  for (let done = 0; done < 5; done++) for (const bay of [1, 2, 3]) tell(row(bay, done))
  expect(sent).toEqual([])
  await clock.wind(gatherMs)
  expect(sent).toEqual([['1:4', '2:4', '3:4']])
  tell(row(1, 9))
  await clock.wind(gatherMs)
  expect(sent[1]).toEqual(['1:9'])
})

test('anything else goes at once, behind the rows that came before it', () => {
  const { clock, sent, tell } = gathered()
  tell(row(1, 1))
  tell({ is: 'batch', batch: null })
  tell({ is: 'tokens' })
  expect(sent).toEqual([['1:1', 'batch'], ['tokens']])
  expect(clock.pending).toBe(0)
})

test('a bridge that is closed sends nothing and leaves no timer', async () => {
  const { clock, sent, tell, close } = gathered()
  tell(row(1, 1))
  close()
  await clock.wind(gatherMs * 2)
  expect([sent, clock.pending]).toEqual([[], 0])
})
