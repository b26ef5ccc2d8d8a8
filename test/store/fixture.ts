// What the store's tests share: homes that go away, a clock wound by hand, drafts.
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../main/base/clock.ts'
import { Failure } from '../../main/base/failure.ts'
import type { EntryDraft } from '../../main/log/entry.ts'
import type { KindData } from '../../main/log/kinds.ts'
import { openAuditStore } from '../../main/store/audit.ts'
import type { AuditIdentity, AuditStore } from '../../main/store/audit.ts'

const homes: string[] = []
const stores: AuditStore[] = []

/** An empty folder that `release` removes. */
export function newHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'slotwright-test-'))
  homes.push(home)
  return home
}

/** Closes every store and removes every home made since the last call. */
export function release(): void {
  for (const store of stores.splice(0)) store.close()
  for (const home of homes.splice(0)) rmSync(home, { recursive: true, force: true })
}

export type HandClock = Clock & { wall: number; mono: number }

/** A clock that stands at 2026-03-01 08:00 UTC until it is moved. */
export function handClock(): HandClock {
  const clock: HandClock = {
    wall: Date.UTC(2026, 2, 1, 8),
    mono: 1_000.25,
    wallMs: () => clock.wall,
    monotonicMs: () => clock.mono,
    after: () => () => {},
  }
  return clock
}

/** The value, or the test fails with the failure's sentence. */
export function value<T>(answer: T | Failure): T {
  if (answer instanceof Failure) throw new Error(`${answer.kind}: ${answer.says}`)
  return answer
}

export function storeIn(home: string, identity: Partial<AuditIdentity> = {}): AuditStore {
  const store = value(openAuditStore(home, { station: 'line 1', session: 's1', clock: handClock(), ...identity }))
  stores.push(store)
  return store
}

/** 64 hex digits that stand for a hash. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

export function outcomeDraft(unit: string, more: Partial<KindData<'outcome'>> = {}): EntryDraft {
  return { kind: 'outcome', data: { run: `run-${unit}`, unit, batch: 'batch-1', outcome: 'confirmed', says: 'Runs the new image.', activeHash: hashOf('image'), ...more } }
}
