// A home whose log tells of two batches with all kinds of endings, and bundles made of it.
import { join } from 'node:path'
import { unpack } from '../../main/bundle/unpack.ts'
import type { EntryDraft } from '../../main/log/entry.ts'
import type { AuditStore } from '../../main/store/audit.ts'
import { exportBundle } from '../../main/store/export.ts'
import type { Exported, ExportOrder, ExportWorld } from '../../main/store/export.ts'
import { handClock, hashOf, newHome, storeIn, value } from '../store/fixture.ts'
import type { HandClock } from '../store/fixture.ts'

export const version = '9.9.9'
export const imageHash = hashOf('new image')
export const keyHash = hashOf('signing key')

/** One run of a unit, from start to outcome. */
export function runDrafts(batch: string, unit: string, outcome: 'confirmed' | 'reverted' | 'failed', bay: number): EntryDraft[] {
  const of = { run: `${batch}-${unit}`, unit, batch, bay }
  const begun: EntryDraft[] = [
    { kind: 'run-started', data: { ...of, port: `/dev/ttyACM${bay}`, activeHash: hashOf('old image'), version: '1.0.0' } },
    { kind: 'slot-write-intended', data: { ...of, image: 0, slot: 1, imageHash, bytes: 100_000 } },
  ]
  if (outcome === 'failed') {
    return [...begun, { kind: 'slot-write-failed', data: { ...of, image: 0, slot: 1, imageHash, failure: 'unplugged', says: 'The board was unplugged.' } },
      { kind: 'outcome', data: { ...of, outcome, failure: 'unplugged', says: 'The board was unplugged. Plug it in and run it again.' } }]
  }
  const activeHash = outcome === 'confirmed' ? imageHash : hashOf('old image')
  return [...begun,
    { kind: 'slot-write-done', data: { ...of, image: 0, slot: 1, imageHash, bytes: 100_000, slotHash: imageHash, tookMs: 8_000 } },
    { kind: 'mark-intended', data: { ...of, imageHash, for: 'test' } }, { kind: 'marked', data: { ...of, imageHash, for: 'test' } },
    { kind: 'reset-intended', data: of }, { kind: 'reset', data: of }, { kind: 'booted', data: { ...of, activeHash: imageHash, version: '2.0.0' } },
    outcome === 'confirmed' ? { kind: 'confirmed', data: { ...of, activeHash: imageHash, version: '2.0.0' } } : { kind: 'proof-failed', data: { ...of, proof: 'echo', says: 'It did not answer.' } },
    { kind: 'outcome', data: { ...of, outcome, says: outcome === 'confirmed' ? 'Runs 2.0.0.' : '=cmd|danger <b>&"quoted", went back', activeHash, version: outcome === 'confirmed' ? '2.0.0' : '1.0.0', tookMs: 21_500 } }]
}

export type Made = Readonly<{ home: string; store: AuditStore; clock: HandClock }>

/** The home, its store open: keys and signature, then batches b1 (12 units) and b2 (3 units), a checkpoint after each. */
export async function madeHome(): Promise<Made> {
  const home = newHome()
  const clock = handClock()
  const store = storeIn(home, { clock })
  const add = (drafts: readonly EntryDraft[], person = 'Ada') => {
    clock.wall += 1_000
    clock.mono += 1_000
    value(store.appendAll(drafts.map((draft) => ({ ...draft, person, role: 'operator' as const }))))
  }
  add([{ kind: 'key-created', data: { key: keyHash, algorithm: 'ed25519', class: 'production', name: 'line', home: 'file' } }])
  add([{ kind: 'image-signed', data: { key: keyHash, algorithm: 'ed25519', keyName: 'line', inputSha256: hashOf('in'), outputSha256: hashOf('out'), imageHash, version: '2.0.0', file: 'app.bin', bytes: 99_000 } }])
  for (const [batch, units] of [['b1', 12], ['b2', 3]] as const) {
    add([{ kind: 'batch-started', data: { batch, name: 'Line A', mode: 'test-and-confirm', imageHash, version: '2.0.0', key: keyHash, file: 'app.bin', target: units } }])
    for (let i = 0; i < units; i++) for (const draft of runDrafts(batch, `SN-${batch}-${i}`, i === 3 ? 'reverted' : i === 5 ? 'failed' : 'confirmed', i + 1)) add([draft])
    add([{ kind: 'batch-ended', data: { batch, reason: 'done', confirmed: units - (units > 5 ? 2 : 0), reverted: units > 5 ? 1 : 0, unchanged: 0, failed: units > 5 ? 1 : 0, stopped: 0 } }])
    value(await store.checkpoint())
  }
  return { home, store, clock }
}

/** That home with its store closed, as another program finds it. */
export async function closedHome(): Promise<string> {
  const { home, store } = await madeHome()
  store.close()
  return home
}

/** Exports entries `from` to `to` − 1, or batch b1. */
export async function bundleOf(made: Made, order: Partial<ExportOrder> = {}, world: Partial<ExportWorld> = {}): Promise<{ exported: Exported; files: Map<string, Uint8Array> }> {
  const rows = made.store.database.sql.prepare("SELECT min(seq) AS low, max(seq) AS high FROM entries WHERE batch = 'b1'").get() as { low: number; high: number }
  const file = join(made.home, 'bundle.zip')
  const exported = value(await exportBundle(made.store, { file, from: rows.low, to: rows.high + 1, what: 'Batch b1', batch: 'b1', ...order }, { version, wallMs: made.clock.wall, ...world }))
  const { readFileSync } = await import('node:fs')
  return { exported, files: value(unpack(readFileSync(file))) }
}
