// Appends beside a line at work: sixteen practice boards in a process of their own are written by a whole station, and through
// its open log go a hundred entries a second more. The disk's own flush is timed in the same seconds, on the same disk, since
// no append can be quicker than that.
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { failed } from '../../main/base/failure.ts'
import type { EntryDraft } from '../../main/log/entry.ts'
import { startPracticeProcess } from '../../main/practice/child.ts'
import type { PracticeHost } from '../../main/station/practice.ts'
import { openStation } from '../../main/station/station.ts'
import { firmwareOf, value } from './made.ts'

const boards = 16
const baud = 115_200
const imageBytes = 131_072
const everyMs = 10
/** A flush of this much is timed with each tenth append: about what one append writes. */
const probeBytes = 32_768

export type Beside = Readonly<{ appends: readonly number[]; flushes: readonly number[]; uploaded: number; seconds: number }>

const sorted = (figures: readonly number[]) => [...figures].sort((a, b) => a - b)
/** The figure below which a share of all lie. */
export const quantile = (figures: readonly number[], share: number): number => sorted(figures)[Math.min(figures.length - 1, Math.floor(figures.length * share))] ?? 0

/** Milliseconds of each append and of each flush while the boards are written. */
export async function appendBesideBoards(draft: (i: number) => EntryDraft): Promise<Beside> {
  const home = mkdtempSync(join(tmpdir(), 'slotwright-beside-'))
  const practiceHost: PracticeHost = {
    async start(order) {
      const child = await startPracticeProcess(join(import.meta.dirname, 'practice.mjs'), { ...order, dir: order.folder })
      return failed(child) ? child : { stop: () => child.stop(), onLost: (listener) => child.onLost(() => listener()) }
    },
  }
  const station = value(await openStation({ home, version: '0.0.0-bench', ports: [], person: 'bench', practiceHost }))
  const probe = openSync(join(home, 'probe'), 'w')
  try {
    value(await station.sampleFile({})) // makes the practice key
    const source = join(home, 'update.bin')
    writeFileSync(source, firmwareOf(imageBytes, '1.1.0'))
    const { file: firmware } = value(await station.openFile({ path: source, purpose: 'firmware' }))
    const saveAs = join(home, 'update.signed.bin')
    value(await station.sign({ file: firmware, key: 'practice', passphrase: null, options: { version: '1.1.0' }, saveAs }))
    const { file } = value(await station.openFile({ path: saveAs, purpose: 'image' }))
    value(await station.startPractice({ boards, baud }))
    const began = performance.now()
    value(await station.startBatch({ file, recipe: { mode: 'test-and-confirm' } }))
    const appends: number[] = []
    const flushes: number[] = []
    const probed = new Uint8Array(probeBytes)
    const ticking = setInterval(() => {
      const before = performance.now()
      value(station.audit.append(draft(appends.length)))
      const after = performance.now()
      appends.push(after - before)
      if (appends.length % 10 !== 0) return
      writeSync(probe, probed)
      fsyncSync(probe)
      flushes.push(performance.now() - after)
    }, everyMs)
    await station.batchEnded()
    clearInterval(ticking)
    const runs = value(await station.listRuns({ batch: null }))
    return { appends, flushes, uploaded: runs.filter(({ outcome }) => outcome === 'confirmed').length, seconds: (performance.now() - began) / 1000 }
  } finally {
    closeSync(probe)
    await station.close()
    rmSync(home, { recursive: true, force: true })
  }
}
