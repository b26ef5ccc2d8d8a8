// What leaves the station: failures and log entries as plain rows of the contract.
import type { Failure } from '../base/failure.ts'
import { failed } from '../base/failure.ts'
import type { Said } from '../base/said.ts'
import type { EntryView, FailureView, SaidView } from '../contract/views.ts'
import type { ListedEntry } from '../store/audit.ts'
import { text } from './history.ts'
import { sentenceOf } from './words.ts'

export function failureView({ kind, says, facts }: Failure): FailureView {
  return { kind, says, facts: { ...facts } }
}

/** A failure may stand where a remark does; what leaves is plain data. */
export function saidView({ kind, says, facts }: Said): SaidView {
  return { kind, says, facts: { ...facts } }
}

/** An entry as a row; one that cannot be read is shown with what is wrong with it. */
export function entryView({ seq, leaf, entry }: ListedEntry): EntryView {
  if (failed(entry)) {
    return { seq, at: '', person: '', kind: 'unreadable', says: `Entry ${seq} cannot be read: ${entry.says}`, unit: null, run: null, batch: null, leaf, data: {} }
  }
  return {
    seq, at: entry.time, person: entry.person, kind: entry.kind, says: sentenceOf(entry),
    unit: text(entry, 'unit'), run: text(entry, 'run'), batch: text(entry, 'batch'), leaf, data: entry.data,
  }
}
