// Names of people in the log, as pseudonyms where the house wants that. A pseudonym is drawn at random and kept beside the
// database (people.json, for the owner alone), never in the log: forgetting a name there makes all its entries nobody's,
// without touching one of them. Once on, names go in as pseudonyms from the next entry; older entries can be redacted.
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { Failure } from '../base/failure.ts'
import type { EntryDraft } from '../log/entry.ts'
import { diskFailure } from './database.ts'
import { writeDurably } from './logkey.ts'
import { fromJson } from './settings.ts'

export const peopleName = 'people.json'
const fileBytesMax = 10_000_000

const schema = z.object({ version: z.literal(1), on: z.boolean(), people: z.record(z.string().max(200), z.string().max(200)) })

/** `people` gives the pseudonym of a name. */
export type People = z.infer<typeof schema>

const nobody: People = { version: 1, on: false, people: {} }

/** The home's pseudonyms; off and empty where there is no file. Fails with `bad-people` rather than let names through. */
export function readPeople(folder: string): People | Failure {
  const path = join(folder, peopleName)
  try {
    if (!existsSync(path)) return nobody
    const parsed = statSync(path).size > fileBytesMax ? null : schema.safeParse(fromJson(readFileSync(path, 'utf8')))
    if (parsed?.success === true) return parsed.data
    return new Failure('bad-people', `${path} cannot be read, and without it names would go into the log. Restore it from a backup, or move it away to start with new pseudonyms.`)
  } catch (error) {
    return diskFailure(error, path)
  }
}

/** Turns pseudonyms on or off. The station takes it up when it is opened next. */
export function setPseudonyms(folder: string, on: boolean): People | Failure {
  return change(folder, (people) => ({ ...people, on }))
}

/** Drops a name, so that nobody can tell whose its pseudonym was. Fails with `no-such-person`. */
export function forgetPerson(folder: string, name: string): People | Failure {
  const people = readPeople(folder)
  if (!(people instanceof Failure) && !Object.hasOwn(people.people, name)) return new Failure('no-such-person', `Nobody called "${name.slice(0, 80)}" has a pseudonym here.`)
  return change(folder, (before) => ({ ...before, people: Object.fromEntries(Object.entries(before.people).filter(([known]) => known !== name)) }))
}

function change(folder: string, how: (people: People) => People): People | Failure {
  const before = readPeople(folder)
  if (before instanceof Failure) return before
  const after = how(before)
  try {
    writeDurably(join(folder, peopleName), `${JSON.stringify(after, null, 1)}\n`, 0o600)
    return after
  } catch (error) {
    return diskFailure(error, join(folder, peopleName))
  }
}

type AboutPerson = Extract<EntryDraft, { kind: 'person-added' | 'person-changed' | 'person-retired' | 'person-locked' | 'person-unlocked' }>

const isAboutPerson = (draft: EntryDraft): draft is AboutPerson => draft.kind.startsWith('person-')

/** Gives drafts their pseudonyms. A name seen first is given one, on disk before it is used. */
export function pseudonymizer(folder: string): { draft(draft: EntryDraft): EntryDraft | Failure } | Failure {
  const read = readPeople(folder)
  if (read instanceof Failure) return read
  let people = read
  const nameOf = (person: string): string | Failure => {
    if (person === '') return person
    const known = Object.hasOwn(people.people, person) ? people.people[person] : undefined
    if (known !== undefined) return known
    if (Object.values(people.people).includes(person)) return person
    const changed = change(folder, (before) => ({ ...before, people: { ...before.people, [person]: `person-${randomBytes(4).toString('hex')}` } }))
    if (changed instanceof Failure) return changed
    people = changed
    return people.people[person] ?? person
  }
  /** Entries about an account name its owner once more. */
  const withPerson = (draft: AboutPerson, by: string): EntryDraft | Failure => {
    const about = nameOf(draft.data.person)
    return about instanceof Failure ? about : { ...draft, person: by, data: { ...draft.data, person: about } } as EntryDraft
  }
  return {
    draft(draft) {
      if (!people.on) return draft
      const person = nameOf(draft.person ?? '')
      if (person instanceof Failure) return person
      if (isAboutPerson(draft)) return withPerson(draft, person)
      if (draft.kind !== 'settings' || draft.data.name !== 'person') return { ...draft, person }
      const [before, after] = [nameOf(draft.data.before ?? ''), nameOf(draft.data.after)]
      if (before instanceof Failure) return before
      return after instanceof Failure ? after : { ...draft, person, data: { ...draft.data, ...(before === '' ? {} : { before }), after } }
    },
  }
}
