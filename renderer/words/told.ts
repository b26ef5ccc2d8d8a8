// What the station says, in the window's language. The station itself speaks English only: its sentences are in the log
// and are hashed there. Each comes with a kind and facts, though, and from those the books of the other languages say it
// again; a kind that a book does not know stays in the station's words rather than being guessed.
import type { BayView, EntryView, FailureView, StepView } from '../../main/contract/views.ts'
import { countText, decimalText, secondsText } from '../figures.ts'
import { spoken } from './locale.ts'
import { words } from './words.ts'

/** The book's text under a key that English does not have; null where this language has none either. */
function text(key: string, named: Readonly<Record<string, string>> = {}): string | null {
  if (spoken.value === 'en') return null
  const { te, t } = words.global
  return te(key, spoken.value as 'en') ? t(key, named) : null
}

/** Kinds come from files and boards too; only those that are one word can be a key. */
const isName = (kind: string): boolean => /^[a-zA-Z0-9-]{1,80}$/.test(kind)

/** What went wrong, in a sentence of the spoken language; null where only the station's own words are there. */
export function failureTold(failure: Pick<FailureView, 'kind'>): string | null {
  return isName(failure.kind) ? text(`failure.${failure.kind}`) : null
}

/** What to do about it at the line; the station's own words where the book has none. */
export function todoTold(kind: string | null, todo: string): string {
  return (kind !== null && isName(kind) ? text(`todo.${kind}`) : null) ?? todo
}

/** Values of an entry as they stand in a sentence: hashes cut, times in seconds, counts as the language writes them. */
function facts(data: Readonly<Record<string, unknown>>): Record<string, string> {
  const named: Record<string, string> = {}
  for (const [name, value] of Object.entries(data).slice(0, 100)) {
    if (typeof value === 'number') named[name] = name === 'byMs' ? `${decimalText(value / 1000, 1)} s` : name.endsWith('Ms') ? secondsText(value / 1000) : countText(value)
    else if (typeof value === 'boolean') named[name] = String(value)
    else if (typeof value === 'string') named[name] = /^[0-9a-f]{32,}$/.test(value) ? `${value.slice(0, 12)}…` : value
  }
  return named
}

/** Something that was not written in the entry is said to be so, as the station does. */
function told(key: string, data: Readonly<Record<string, unknown>>): string | null {
  const named = facts(data)
  const unsaid = text('told.unsaid')
  return unsaid === null ? null : text(key, new Proxy(named, { get: (from, name: string) => (Object.hasOwn(from, name) ? from[name] : unsaid), has: () => true }))
}

/** One sentence on a log entry. */
export function entryTold(entry: Pick<EntryView | StepView, 'kind' | 'data' | 'says'>): string {
  if (!isName(entry.kind)) return entry.says
  if (entry.kind === 'outcome') {
    const outcome = String(entry.data['outcome'])
    const why = typeof entry.data['failure'] === 'string' ? failureTold({ kind: entry.data['failure'] }) : null
    const word = isName(outcome) ? text(`told.outcome.${outcome}`) : null
    return word === null ? entry.says : [word, why].filter((part) => part !== null).join(' ')
  }
  return told(`told.entry.${entry.kind}`, entry.data) ?? entry.says
}

/** The name of a step in a board's history. */
export function stepTold(step: Pick<StepView, 'step'>): string {
  return text(`told.step.${step.step.replaceAll(' ', '-').toLowerCase()}`) ?? step.step
}

/** One sentence on a bay: what happens there, or how it ended and why. */
export function bayTold(bay: Pick<BayView, 'board' | 'phase' | 'outcome' | 'failure' | 'misplaced' | 'says' | 'targetVersion'>): string {
  const said = bay.misplaced?.says ?? bay.says
  if (bay.misplaced !== null) return failureTold(bay.misplaced) ?? said
  if (bay.failure !== null) return failureTold(bay.failure) ?? said
  if (bay.outcome !== null) return text(`told.outcome.${bay.outcome}`) ?? said
  if (bay.board === null) return text('told.bay.empty') ?? said
  return (bay.phase === null ? null : text(`told.bay.${bay.phase}`, { version: bay.targetVersion ?? '–' })) ?? said
}
