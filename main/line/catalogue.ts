// The catalogue of everything that can go wrong at the line: each kind of failure, and each code that a board may answer,
// with cause, evidence and next step. Put together from failures.ts, causes.ts, smp/errors.ts and board-codes.ts, so that
// a bay, a refusal's sentence and this page can never say different things.
import { Failure } from '../base/failure.ts'
import { boardError, mgmtCode } from '../smp/errors.ts'
import { codeGroups } from './board-codes.ts'
import { causes, otherCauses } from './causes.ts'
import { failureKinds, titleOf, todoOf } from './failures.ts'

export type CatalogueEntry = Readonly<{
  /** A failure's kind, or group and number of a board's code: `image:9`; plain codes are `smp:5`. */
  id: string
  of: 'run' | 'code'
  group: string
  code: number | null
  /** Zephyr's name of a code; null for a kind. */
  name: string | null
  title: string
  cause: string
  evidence: string
  next: string
}>

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

function ofKinds(): CatalogueEntry[] {
  const nothing = { of: 'run', group: '', code: null, name: null } as const
  const onBays = failureKinds.map((kind): CatalogueEntry => {
    const { cause, evidence } = causes[kind] ?? { cause: '', evidence: '' }
    return { ...nothing, id: kind, title: titleOf(kind), cause, evidence, next: todoOf(kind) }
  })
  return [...onBays, ...Object.entries(otherCauses).map(([id, said]): CatalogueEntry => ({ ...nothing, id, ...said }))]
}

function ofCodes(): CatalogueEntry[] {
  return codeGroups.flatMap(({ name: group, number, codes }) => codes.map(({ code, name, cause, evidence }): CatalogueEntry => {
    const { title, next } = code === mgmtCode.ok ? { title: 'no error', next: 'Nothing needs doing.' } : boardError(number, code)
    return { id: `${group}:${code}`, of: 'code', group, code, name, title: capital(title), cause, evidence, next }
  }))
}

let all: readonly CatalogueEntry[] | null = null

/** Every entry: kinds first, then the codes by group and number. */
export function catalogue(): readonly CatalogueEntry[] {
  return (all ??= [...ofKinds(), ...ofCodes()])
}

const wordsMax = 100

/**
 * What somebody means who types a kind, a number, `group:number` (the group by name or number), or Zephyr's name of a code.
 * A number alone means that code of every group. Failure kind `no-such-failure`.
 */
export function explain(text: string): CatalogueEntry[] | Failure<'no-such-failure'> {
  const wanted = text.slice(0, wordsMax).trim().toLowerCase()
  const [, groupText, codeText] = /^(?:([a-z]+|\d{1,5})[:/ ])?(\d{1,5})$/.exec(wanted) ?? []
  const found = codeText === undefined
    ? catalogue().filter(({ id, name }) => id === wanted || name?.toLowerCase() === wanted)
    : catalogue().filter(({ group, code }) => code !== null && code === (group === 'smp' ? Math.min(Number(codeText), mgmtCode.user) : Number(codeText)) && (groupText === undefined || isGroup(group, groupText)))
  if (found.length > 0) return found
  // Hyphens and spaces are easily left out or put in.
  const bare = (words: string) => words.toLowerCase().replace(/[-_ ]/g, '')
  const near = catalogue().filter(({ id, name, title }) => wanted.length >= 3 && [id, name ?? '', title].some((one) => bare(one).includes(bare(wanted)))).slice(0, 5)
  return new Failure('no-such-failure', `"${text.slice(0, wordsMax)}" is no kind of failure and no code that is known here.${near.length === 0 ? ' Give a kind like no-return, or a code like 9 or image:9.' : ` Do you mean ${near.map(({ id }) => id).join(', ')}?`}`)
}

function isGroup(name: string, wanted: string): boolean {
  if (name === wanted || (name === 'image' && wanted === 'img')) return true
  const number = codeGroups.find((group) => group.name === name)?.number ?? null
  return number !== null && String(number) === wanted
}
