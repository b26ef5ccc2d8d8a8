// Two practice boards over real pseudo-terminals and real time, taken through one batch by the whole station.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { startPracticeLine } from '../../main/practice/line.ts'
import type { PracticeLine } from '../../main/practice/line.ts'
import type { BoardProfile } from '../../main/practice/profiles.ts'
import { openStation } from '../../main/station/station.ts'
import { makeStock } from './faults/stock.ts'
import { value } from './simulation.ts'

type Pair = Readonly<{ profile: BoardProfile; usb?: boolean; recipe: object; /** Before the station looks at the boards. */ prepare?(boards: PracticeLine): void }>

/** Expects both boards confirmed with the stock's update, and a log that holds. */
export async function expectPairConfirmed({ profile, usb = false, recipe, prepare }: Pair): Promise<void> {
  const stock = await makeStock()
  const dir = mkdtempSync(join(tmpdir(), 'slotwright-pair-'))
  const boards = await value(startPracticeLine({ dir, boards: 2, baud: 921_600, firmware: stock.images.factory.bytes, trust: stock.trust, profile, usb, seed: 1 }))
  prepare?.(boards)
  const station = await value(openStation({ home: stock.home(), version: '0.0.0-test', ports: [dir], person: 'tester' }))
  try {
    const { file } = await value(station.openFile({ path: stock.images.update.file, purpose: 'image' }))
    await value(station.startBatch({ file, recipe }))
    await station.batchEnded()
    expect((await value(station.listRuns({ batch: null }))).map((run) => [run.outcome, run.kind])).toEqual([['confirmed', null], ['confirmed', null]])
    expect((await value(station.verifyLog({}))).holds).toBe(true)
  } finally {
    await station.close()
    await boards.stop()
    rmSync(dir, { recursive: true, force: true })
    stock.close()
  }
}
