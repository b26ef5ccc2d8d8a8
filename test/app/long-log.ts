// A long log in a home, written by the store itself: runs of units that end well, badly and not at all, some hours apart.
import { createHash } from 'node:crypto'
import type { Clock } from '../../main/base/clock.ts'
import { Failure } from '../../main/base/failure.ts'
import type { EntryDraft } from '../../main/log/entry.ts'
import { openAuditStore } from '../../main/store/audit.ts'

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')
export const longImage = hashOf('the image of the long log')

/** Writes so many entries (in tens) and signs a checkpoint over them. */
export async function writeLongLog(home: string, entries: number): Promise<void> {
  let wallMs = Date.UTC(2026, 0, 5, 6)
  const clock: Clock = { wallMs: () => wallMs, monotonicMs: () => wallMs - Date.UTC(2026, 0, 5), after: () => () => {} }
  const store = value(openAuditStore(home, { station: 'line 1', session: 's1', clock }))
  for (let from = 0; from < entries; from += 5_000) {
    const drafts: EntryDraft[] = []
    for (let run = from / 10; run < (from + 5_000) / 10; run++) drafts.push(...runDrafts(run))
    value(store.appendAll(drafts))
    wallMs += 6 * 60_000
  }
  value(await store.checkpoint())
  store.close()
}

function runDrafts(run: number): EntryDraft[] {
  const of = { run: `r-${run}`, unit: `SN-${String(run).padStart(6, '0')}`, batch: `b-${Math.floor(run / 2_000)}`, bay: (run % 16) + 1 }
  const imageHash = longImage
  const bad = run % 37 === 5
  return [
    { kind: 'run-started', data: { ...of, port: `/dev/ttyACM${run % 16}`, activeHash: hashOf('old'), version: '1.0.0' } },
    { kind: 'slot-write-intended', data: { ...of, image: 0, slot: 1, imageHash, bytes: 100_000 } },
    { kind: 'slot-write-done', data: { ...of, image: 0, slot: 1, imageHash, bytes: 100_000, slotHash: imageHash, tookMs: 8_000 } },
    { kind: 'mark-intended', data: { ...of, imageHash, for: 'test' } }, { kind: 'marked', data: { ...of, imageHash, for: 'test' } },
    { kind: 'reset-intended', data: of }, { kind: 'reset', data: of },
    { kind: 'booted', data: { ...of, activeHash: imageHash, version: '2.0.0' } },
    bad ? { kind: 'proof-failed', data: { ...of, proof: 'echo', says: 'It did not answer.' } } : { kind: 'confirmed', data: { ...of, activeHash: imageHash, version: '2.0.0' } },
    { kind: 'outcome', data: { ...of, outcome: bad ? 'failed' : 'confirmed', ...(bad ? { failure: run % 2 === 0 ? 'no-return' : 'not-swapped' } : {}), says: bad ? 'The board did not come back.' : 'Runs 2.0.0.', activeHash: imageHash, version: '2.0.0' } },
  ]
}

function value<T>(answer: T | Failure): T {
  if (answer instanceof Failure) throw new Error(`${answer.kind}: ${answer.says}`)
  return answer
}
