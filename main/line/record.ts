// What a run writes into the log, as drafts (log/kinds.ts has the shapes). Intents stand beside the steps that need one;
// results are made from the board's own word. Texts are cut to the log's limits here, so that no odd board can make an
// entry that the log refuses.
import type { Failure } from '../base/failure.ts'
import type { EntryDraft } from '../log/entry.ts'
import { itemName } from './unit-data.ts'
import type { UnitItem } from './unit-data.ts'
import { partOf, runsHashOf } from './parts.ts'
import { activeSlot } from './slots.ts'
import type { Ending, ImageFacts, Job, Part, ResetPurpose, SlotSays, Step } from './state.ts'

const saysMax = 1000
const nameMax = 200

const cut = (text: string, most: number) => (text.length <= most ? text : `${text.slice(0, most - 1)}…`)

function ofRun(job: Job): { run: string; unit: string; batch: string; bay: number } {
  return { run: job.run, unit: job.unit, batch: job.batch, bay: job.bay }
}

const resetWhy: Record<ResetPurpose, string> = {
  try: 'to try the new image',
  revert: 'to go back to the old image',
  clear: 'to get past an earlier update',
  recover: 'to write the image in serial recovery',
}

/** The entries that must be on disk before this step is carried out. */
export function intentOf(job: Job, step: Step, why?: string): EntryDraft[] {
  switch (step.do) {
    case 'upload':
      return [{ kind: 'slot-write-intended', data: { ...ofRun(job), image: step.image, slot: step.slot, imageHash: partOf(job, step.image).hash, bytes: step.bytes, fileSha256: step.fileSha256 } }]
    case 'mark':
      return [{ kind: 'mark-intended', data: { ...ofRun(job), imageHash: step.hash, for: 'test' } }]
    case 'erase':
      return [{ kind: 'slot-erase-intended', data: { ...ofRun(job), image: step.image, slot: step.slot, ...(why === undefined ? {} : { why: cut(`because ${why}`, nameMax) }) } }]
    case 'write-data':
      return [{ kind: 'unit-data-intended', data: { ...ofRun(job), item: cut(itemName(step.item), nameMax), secret: step.item.secret } }]
    case 'reset':
      return [{ kind: 'reset-intended', data: { ...ofRun(job), why: cut(why ?? resetWhy[step.purpose], nameMax) } }]
    case 'confirm':
      return [{ kind: 'confirm-intended', data: { ...ofRun(job), imageHash: step.hash ?? runsHashOf(job.image) } }]
    default:
      return []
  }
}

export function started(job: Job): EntryDraft {
  return { kind: 'run-started', data: { ...ofRun(job), port: cut(job.port, 500) } }
}

export function preflightRefused(job: Job, failure: Failure): EntryDraft {
  return { kind: 'preflight-refused', data: { ...ofRun(job), failure: failure.kind, says: cut(failure.says, saysMax) } }
}

/** Said before anything is sent to a board that cannot go back; nothing for any other. */
export function wayBack(job: Job, note: string | null): EntryDraft[] {
  return note === null || job.recipe.mode === 'upload-only' ? [] : [{ kind: 'preflight-note', data: { ...ofRun(job), note: 'no-way-back', says: cut(note, saysMax) } }]
}

/** Said before an image is sent that the board will never list as running. */
export function unlisted(job: Job, note: string | null): EntryDraft[] {
  return note === null ? [] : [{ kind: 'preflight-note', data: { ...ofRun(job), note: 'not-listed', says: cut(note, saysMax) } }]
}

export function slotWriteDone(job: Job, { number, image }: Part, slot: number, tookMs: number): EntryDraft {
  return { kind: 'slot-write-done', data: { ...ofRun(job), image: number, slot, imageHash: image.hash, bytes: image.bytes, slotHash: image.hash, tookMs: Math.round(tookMs) } }
}

export function erased(job: Job, image: number, slot: number): EntryDraft {
  return { kind: 'slot-erased', data: { ...ofRun(job), image, slot } }
}

/** `bytes` is what the board had acknowledged; null where nobody knows. */
export function slotWriteFailed(job: Job, image: number, slot: number, failure: Failure, bytes: number | null): EntryDraft {
  return { kind: 'slot-write-failed', data: { ...ofRun(job), image, slot, imageHash: partOf(job, image).hash, ...(bytes === null ? {} : { bytes }), failure: failure.kind, says: cut(failure.says, saysMax) } }
}

export function marked(job: Job, image: ImageFacts): EntryDraft {
  return { kind: 'marked', data: { ...ofRun(job), imageHash: image.hash, for: 'test' } }
}

export function resetDone(job: Job, purpose: ResetPurpose): EntryDraft {
  return { kind: 'reset', data: { ...ofRun(job), why: resetWhy[purpose] } }
}

/** What the board says it runs, under each number of the job; nothing where it names no hash. */
export function booted(job: Job, slots: readonly SlotSays[]): EntryDraft[] {
  const active = activeSlot(slots)
  const first: EntryDraft[] = active === null || active.hash === null ? [] : [{ kind: 'booted', data: { ...ofRun(job), activeHash: active.hash, version: cut(active.version, 64), confirmed: active.confirmed } }]
  return [...first, ...othersRunning(job, slots)]
}

function othersRunning(job: Job, slots: readonly SlotSays[]): EntryDraft[] {
  return (job.others ?? []).flatMap(({ number }): EntryDraft[] => {
    const active = activeSlot(slots, number)
    if (active === null || active.hash === null) return []
    return [{ kind: 'image-runs', data: { ...ofRun(job), image: number, activeHash: active.hash, version: cut(active.version, 64), confirmed: active.confirmed } }]
  })
}

export function proofPassed(job: Job, proof: string, says: string): EntryDraft {
  return { kind: 'proof-passed', data: { ...ofRun(job), proof, says: cut(says, saysMax) } }
}

export function proofFailed(job: Job, proof: string, failure: Failure): EntryDraft {
  return { kind: 'proof-failed', data: { ...ofRun(job), proof, failure: failure.kind, says: cut(failure.says, saysMax) } }
}

/** The value is told only where it is no secret. */
export function unitDataWritten(job: Job, item: UnitItem): EntryDraft {
  return { kind: 'unit-data-written', data: { ...ofRun(job), item: cut(itemName(item), nameMax), secret: item.secret, ...(item.secret ? {} : { value: cut(item.value, saysMax) }) } }
}

export function unitDataFailed(job: Job, item: UnitItem, failure: Failure): EntryDraft {
  return { kind: 'unit-data-failed', data: { ...ofRun(job), item: cut(itemName(item), nameMax), failure: failure.kind, says: cut(failure.says, saysMax) } }
}

export function confirmed(job: Job, slots: readonly SlotSays[]): EntryDraft[] {
  const active = activeSlot(slots)
  return [...othersRunning(job, slots), { kind: 'confirmed', data: { ...ofRun(job), activeHash: active?.hash ?? runsHashOf(job.image), version: cut(active?.version ?? '', 64) } }]
}

export function outcome(job: Job, how: Ending): EntryDraft {
  return {
    kind: 'outcome',
    data: {
      ...ofRun(job),
      outcome: how.outcome,
      ...(how.failure === null ? {} : { failure: how.failure.kind }),
      says: cut(how.says, saysMax),
      ...(how.activeHash === null ? {} : { activeHash: how.activeHash }),
      ...(how.version === null ? {} : { version: cut(how.version, 64) }),
    },
  }
}
