// What the station says, in the window's language. The station itself speaks English only: its sentences are in the log
// and are hashed there. Each comes with a kind and facts, though, and from those the books of the other languages say it
// again; a kind that a book does not know stays in the station's words rather than being guessed.
import type { HookLetterView } from '../../main/contract/factory.ts'
import type { BayView, EntryView, FailureView, KeyView, LogVerdictView, ResidenceView, SaidView, StepView } from '../../main/contract/views.ts'
import { countText, decimalText, secondsText } from '../figures.ts'
import { spoken } from './locale.ts'
import { words } from './words.ts'

/** The book's text under a key that English does not have; null where this language has none either. */
function text(key: string, named: Readonly<Record<string, string>> = {}, count = 1): string | null {
  if (spoken.value === 'en') return null
  const { te, t } = words.global
  return te(key, spoken.value as 'en') ? t(key, named, count) : null
}

/** Kinds come from files and boards too; only those that are one word can be a key. */
const isName = (kind: string): boolean => /^[a-zA-Z0-9-]{1,80}$/.test(kind)

/** What went wrong, in a sentence of the spoken language; null where only the station's own words are there. */
export function failureTold(failure: Pick<FailureView, 'kind'> & Partial<Pick<FailureView, 'facts'>>): string | null {
  const { rc, group } = failure.facts ?? {}
  const why = failure.kind === 'refused' && typeof rc === 'number' ? codeTold(groups.get(group) ?? '', rc) : null
  if (why !== null) return text('told.refused', { why })
  // In the catalogue it is nobody's failure yet, so nothing was left out.
  return isName(failure.kind) ? told(`failure.${failure.kind}`, failure.facts ?? {}, failure.facts === undefined ? '…' : undefined) : null
}

/** Groups of commands by the numbers that refusals name (main/smp/commands.ts); a plain code names none. */
const groups: ReadonlyMap<unknown, string> = new Map([[undefined, 'smp'], [0, 'os'], [1, 'image'], [2, 'statistics'], [3, 'settings'], [8, 'files'], [9, 'shell']])
const ownCodesFrom = 256

/** What a board means that answers with this code, half a sentence; `group` as the catalogue of failures calls it. */
export function codeTold(group: string, code: number): string | null {
  if (group === 'smp' && code >= ownCodesFrom) return text('told.code.user')
  return text(`told.code.${code === 0 ? 'ok' : code === 1 ? 'unknown' : `${group}-${code}`}`)
}

/** What to do about it at the line; null where only the station's own words are there. */
export function todoTold(kind: string): string | null {
  return isName(kind) ? text(`todo.${kind}`) : null
}

/** The same for a run that has ended: as main/line/failures.ts has it, kinds without words of their own have those of `other`. */
export function runTodoTold(kind: string | null, todo: string): string {
  return kind === null ? todo : todoTold(kind) ?? text('todo.other') ?? todo
}

/** The book's word for a value that is one of few (a mode, a reason), or the value. */
function wordOf(name: string, value: string): string {
  const end = value.replaceAll(' ', '-')
  return (isName(end) ? text(`told.value.${name}.${end}`) : null) ?? value
}

/** Values of an entry as they stand in a sentence: hashes cut, times in seconds, counts as the language writes them. */
function facts(data: Readonly<Record<string, unknown>>): Record<string, string> {
  const named: Record<string, string> = {}
  for (const [name, value] of Object.entries(data).slice(0, 100)) {
    if (typeof value === 'number') named[name] = name === 'byMs' ? `${decimalText(value / 1000, 1)} s` : name.endsWith('Ms') ? secondsText(value / 1000) : countText(value)
    else if (typeof value === 'boolean') named[name] = wordOf(name, String(value))
    else if (typeof value === 'string') named[name] = /^[0-9a-f]{32,}$/.test(value) ? `${value.slice(0, 12)}…` : wordOf(name, value)
  }
  return named
}

/** Something that was not written in the entry is said to be so, as the station does. */
function told(key: string, data: Readonly<Record<string, unknown>>, instead = text('told.unsaid')): string | null {
  if (instead === null) return null
  // Symbols and `constructor` are how vue-i18n looks whether these are named values at all; of no values it asks for none.
  const named = new Proxy({ unsaid: instead, ...facts(data) }, { get: (from, name) => (typeof name === 'symbol' || name === 'constructor' || Object.hasOwn(from, name) ? Reflect.get(from, name) as unknown : instead) })
  // Sentences on a number of things have a form for one of them.
  return text(key, named, typeof data['count'] === 'number' ? data['count'] : 1)
}

/** A remark of the station in the spoken language; null where only the station's own words are there. */
export function saidTold({ kind, facts }: SaidView): string | null {
  return isName(kind) ? told(`said.${kind}`, facts) : null
}

/** One sentence on a log entry. */
export function entryTold(entry: Pick<EntryView | StepView, 'kind' | 'data' | 'says'>): string {
  if (!isName(entry.kind)) return entry.says
  if (entry.kind === 'outcome') {
    const outcome = String(entry.data['outcome'])
    const why = typeof entry.data['failure'] === 'string' ? failureTold({ kind: entry.data['failure'] }) : null
    const word = isName(outcome) ? told(`told.outcome.${outcome}`, entry.data) : null
    return word === null ? entry.says : ended(outcome, word, why)
  }
  const failure = typeof entry.data['failure'] === 'string' ? failureTold({ kind: entry.data['failure'] }) : null
  return told(`told.entry.${entry.kind}`, failure === null ? entry.data : { ...entry.data, says: failure }) ?? entry.says
}

/** The name of a step in a board's history. */
export function stepTold(step: Pick<StepView, 'step'>): string {
  return text(`told.step.${step.step.replaceAll(' ', '-').toLowerCase()}`) ?? step.step
}

/** What lies behind an entry of the failures' catalogue, by its id (`proof-failed`, `image:9`); null where only the station's own words are there. */
export function whyTold(id: string, part: 'cause' | 'evidence' | 'next'): string | null {
  const name = id.replace(':', '-')
  return isName(name) ? text(`why.${name}.${part}`) : null
}

/** How a run ended: why it failed, then how the board stands. */
function ended(outcome: string, word: string, why: string | null): string {
  if (why === null) return word
  // Chinese has no space after a full stop.
  return outcome === 'failed' ? why : `${why}${spoken.value === 'zh' ? '' : ' '}${word}`
}

type Told = Pick<BayView, 'run' | 'phase' | 'outcome' | 'failure' | 'misplaced' | 'says' | 'runningVersion' | 'targetVersion'>

/** One sentence on a bay: what happens there, or how it ended and why. */
export function bayTold(bay: Told): string {
  if (bay.misplaced !== null) return failureTold(bay.misplaced) ?? bay.misplaced.says
  const version = bay.runningVersion === null ? {} : { version: bay.runningVersion }
  if (bay.outcome !== null) {
    const word = told(`told.outcome.${bay.outcome}`, version)
    const why = bay.failure === null ? null : failureTold(bay.failure)
    return word === null || (bay.failure !== null && why === null) ? bay.says : ended(bay.outcome, word, why)
  }
  if (bay.failure !== null) return failureTold(bay.failure) ?? bay.says
  return text(`told.bay.${stateOf(bay)}`, { version: bay.targetVersion ?? '–' }) ?? bay.says
}

/** The phase, but finer where a person has something to do: a board that has not said yet what it runs is still brought into recovery. */
function stateOf(bay: Told): string {
  if (bay.phase === null) return 'empty'
  if (bay.phase === 'attached') return bay.run === null ? 'attached' : 'begins'
  return bay.phase === 'resetting' && bay.runningVersion === null ? 'recovery' : bay.phase
}

/** What the log's check found; null where only the station's own words are there. */
export function verdictTold(verdict: Pick<LogVerdictView, 'holds' | 'size' | 'wrongs' | 'unchecked'>): string | null {
  const size = countText(verdict.size)
  if (verdict.holds) return verdict.unchecked === undefined || verdict.unchecked.length === 0 ? text('told.verdict', { size }) : text('told.verdictUnchecked', { size, files: verdict.unchecked.join(', ') })
  const wrongs = verdict.wrongs.map(({ kind, seq }) => (isName(kind) ? text(`told.wrong.${kind}`, { seq: seq === null ? '–' : countText(seq) }) : null))
  const told = [...new Set(wrongs.filter((wrong) => wrong !== null))]
  return told.length === 0 ? null : told.join(spoken.value === 'zh' ? '' : ' ')
}

/** An event that a hook had to put aside. */
export function letterTold({ type, says }: Pick<HookLetterView, 'type' | 'says'>): string {
  return text(`told.letter.${type === 'many' ? 'many' : 'one'}`) ?? says
}

/** Which boards a profile is for; a person's own profile says it in their words. */
export function profileTold(profile: Readonly<{ name: string; says: string; from: 'built-in' | 'station' }>): string {
  return (profile.from === 'built-in' && isName(profile.name) ? text(`told.profile.${profile.name}`) : null) ?? profile.says
}

/** Whether a private key can leave its token. */
export function residenceTold(residence: Pick<ResidenceView, 'verdict' | 'says'>): string {
  return text(`told.residence.${residence.verdict}`) ?? residence.says
}

/** Why a key deserves care, as main/keys/key-entry.ts judges it; null where it needs none. */
export function warningTold(key: Pick<KeyView, 'warning' | 'token' | 'encrypted'>): string | null {
  if (key.warning === null) return null
  if (key.token !== null && key.warning === key.token.residence.says) return residenceTold(key.token.residence)
  return text(`told.key.${key.encrypted || key.token !== null ? 'public' : 'open'}`) ?? key.warning
}
