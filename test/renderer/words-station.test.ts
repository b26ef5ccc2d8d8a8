// What the station says itself, in the other languages: kinds of failures and of entries are found in its sources, and each
// that can reach a window has a sentence in every book. What is left out is listed here with the reason.
import { readFileSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { outcomeNames, type BayView } from '../../main/contract/views.ts'
import { codeGroups } from '../../main/line/board-codes.ts'
import { catalogue } from '../../main/line/catalogue.ts'
import { failureKinds } from '../../main/line/failures.ts'
import { wayBackNote } from '../../main/line/modes.ts'
import { commonProfile } from '../../main/line/profile.ts'
import { swapModes } from '../../main/smp/os.ts'
import { de } from '../../renderer/words/de/index.ts'
import { en } from '../../renderer/words/en/index.ts'
import { es } from '../../renderer/words/es/index.ts'
import { bayTold, codeTold, entryTold, failureTold, letterTold, profileTold, residenceTold, runTodoTold, saidTold, stepTold, todoTold, verdictTold, warningTold, whyTold } from '../../renderer/words/told.ts'
import { speak } from '../../renderer/words/words.ts'
import { zh } from '../../renderer/words/zh/index.ts'
import { fieldsOf, kindNames } from './kinds-of-the-log.ts'

const main = resolve(import.meta.dirname, '..', '..', 'main')
/** Rooms whose failures no window shows: the command line's and the verifier's own, and what practice boards say to themselves. */
const elsewhere = /^(cli|verifier|practice)\/|^factory\/(server|routes)\.ts$/
const sources = readdirSync(main, { recursive: true, encoding: 'utf8' }).map((path) => path.replaceAll('\\', '/')).filter((path) => path.endsWith('.ts') && !elsewhere.test(path))
const textOf = (path: string) => readFileSync(join(main, path), 'utf8')
const kindsIn = (path: string, pattern: RegExp) => [...textOf(path).matchAll(pattern)].map((match) => match[1] ?? '')

const kind = '([a-z]+(?:-[a-z0-9]+)*)'
const made = new Set([
  ...sources.flatMap((path) => kindsIn(path, new RegExp(`(?:new Failure|\\b(?:refuse|refused|named|no))\\(\\s*'${kind}',`, 'g'))),
  ...kindsIn('cms/errors.ts', new RegExp(`kind: '${kind}'`, 'g')),
  ...kindsIn('keys/pkcs11-codes.ts', new RegExp(`\\['${kind}',`, 'g')),
  ...failureKinds,
])
/** Remarks: sentences that are no failures (main/base/said.ts). */
const remarks = new Set(sources.flatMap((path) => kindsIn(path, new RegExp(`\\bsaid\\(\\s*'${kind}'`, 'g'))))

const neverShown: Readonly<Record<string, string>> = {
  'bad-cbor': 'inside the reading of a board\'s answer, which says `garbled` of it',
  field: 'inside the reading of a board\'s answer, which says `garbled` of it',
  cleared: 'a run that begins again after clearing; it never ends with it',
  'not-there': 'a port that has another board by now; the run goes after its own, or says `unplugged`',
  usage: 'wrong flags on the command line',
}

const told = Object.entries({ de, es, zh }) as unknown as [string, Book][]
type Told = { unsaid: string; entry: Record<string, string>; step: Record<string, string>; outcome: Record<string, string>; bay: Record<string, string>; key: Record<string, string>; residence: Record<string, string>; profile: Record<string, string>; wrong: Record<string, string> }
type Book = { said: Record<string, string>; failure: Record<string, string>; todo: Record<string, string>; told: Told; why: Record<string, Record<string, string>> }
type Tree = { readonly [name: string]: string | Tree }
const keysOf = (tree: Tree, above = ''): string[] => Object.entries(tree).flatMap(([name, value]) => (typeof value === 'string' ? [above + name] : keysOf(value, `${above}${name}.`)))
const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '')

afterAll(() => speak('en'))

test('the sources have as many kinds as a person would think, so the search still finds them', () => {
  expect(made.size).toBeGreaterThan(250)
  expect(remarks.size).toBeGreaterThan(40)
  expect(Object.keys(neverShown).filter((name) => !made.has(name))).toEqual([])
})

describe.each(told)('what the station says, in %s', (language, book) => {
  test('a failure without a sentence, or a sentence without a failure', () => {
    expect([...made].filter((name) => !Object.hasOwn(neverShown, name) && !Object.hasOwn(book.failure, name)).sort()).toEqual([])
    const ownKinds = new Set([...made, 'bridge'])
    const inMain = readdirSync(main, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts')).map((path) => textOf(path)).join('\n')
    expect(Object.keys(book.failure).filter((name) => !ownKinds.has(name) && !inMain.includes(`'${name}'`))).toEqual([])
  })

  test('a remark without a sentence, or a sentence without a remark', () => {
    expect(Object.keys(book.said).sort()).toEqual([...remarks].sort())
    // A fact that one language names and another does not is one that somebody misspelt.
    for (const [name, text] of Object.entries(book.said)) expect([...new Set(placeholders(text))].sort(), name).toEqual([...new Set(placeholders(de.said[name as keyof typeof de.said]))].sort())
  })

  test('a bootloader without a way back whose reason has no words', async () => {
    await speak(language as 'de')
    for (const board of [...swapModes.map((mode) => ({ mode })), { mode: 'swap-move', recovery: true } as const]) {
      const note = wayBackNote(board)
      if (note !== null) expect(saidTold(note), board.mode).not.toContain(String(note.facts['goesOver']))
    }
  })

  test('a kind on a bay without what to do', () => {
    expect(Object.keys(book.todo).sort()).toEqual([...failureKinds, 'other'].sort())
  })

  test('an entry of the log without a sentence, or with a field that it does not have', () => {
    expect(Object.keys(book.told.entry).sort()).toEqual(kindNames.filter((name) => name !== 'outcome').sort())
    for (const [name, text] of Object.entries(book.told.entry)) expect(fieldsOf(name), name).toEqual(expect.arrayContaining(placeholders(text)))
  })

  test('a code that a board may answer without its meaning', async () => {
    await speak(language as 'de')
    for (const { name, codes } of codeGroups) for (const { code } of codes) expect(codeTold(name, code), `${name}:${code}`).not.toBeNull()
    expect(codeTold('image', 9)).not.toBe(codeTold('smp', 9))
    expect([codeTold('image', 999), codeTold('__proto__', 2), codeTold('', 5)]).toEqual([null, null, null])
    expect(failureTold({ kind: 'refused', facts: { asked: 'image upload', rc: 9, group: 1 } })).toContain(codeTold('image', 9))
    expect(failureTold({ kind: 'refused', facts: { rc: 8 } })).toContain(codeTold('smp', 8))
    expect(failureTold({ kind: 'refused', facts: { rc: 77, group: 63 } })).toBe(book.failure['refused'])
  })

  test('an entry of the catalogue without cause, evidence or what to do, or one that the catalogue has not', async () => {
    await speak(language as 'de')
    expect(Object.keys(book.why).sort()).toEqual(catalogue().map(({ id }) => id.replace(':', '-')).sort())
    for (const { id } of catalogue()) expect([whyTold(id, 'cause'), whyTold(id, 'evidence'), todoTold(id) ?? whyTold(id, 'next')], id).not.toContain(null)
    expect(whyTold('constructor', 'cause')).toBeNull()
  })

  test('a built-in profile without what it is for; a person\'s own is not said again', async () => {
    await speak(language as 'de')
    const shipped = readdirSync(resolve(main, '..', 'resources', 'profiles')).map((file) => file.replace('.json', ''))
    expect(Object.keys(book.told.profile).sort()).toEqual([...shipped, commonProfile.name].sort())
    expect(profileTold({ name: 'esp32', says: 'English.', from: 'built-in' })).toBe(book.told.profile['esp32'])
    expect(profileTold({ name: 'esp32', says: 'Ours.', from: 'station' })).toBe('Ours.')
  })

  test('something that does not hold in a log or a bundle without a sentence', () => {
    const ofLog = kindsIn('log/verify.ts', /^ {2}\| '([a-z]+)' \/\//gm)
    const ofBundle = new Set(['check', 'belongings', 'vouching'].flatMap((file) => kindsIn(`bundle/${file}.ts`, /is: 'broken', about: '([a-z]+)'/g)))
    expect([ofLog.length, ofBundle.size]).toEqual([9, 11])
    expect(Object.keys(book.told.wrong).sort()).toEqual([...ofLog, ...[...ofBundle].map((about) => `bundle-${about}`)].sort())
  })

  test('a step, an outcome or a phase without a word', () => {
    const steps = new Set(kindsIn('station/words.ts', /step: '([^']+)'/g).map((step) => step.replaceAll(' ', '-').toLowerCase()))
    expect(Object.keys(book.told.step).sort()).toEqual([...steps].sort())
    expect(Object.keys(book.told.outcome).sort()).toEqual([...outcomeNames].sort())
    const phases = kindsIn('contract/views.ts', /^ {2}\| '(\w+)'$/gm)
    expect(Object.keys(book.told.bay)).toEqual(expect.arrayContaining(phases))
    // What is no list of the station's is the same in all books.
    expect(keysOf(book.told).sort()).toEqual(keysOf(de.told).sort())
  })

  test('a bay, an entry and a step that stay English', async () => {
    await speak(language as 'de')
    const bay: BayView = { bay: 1, board: 'B', port: null, practice: true, place: null, misplaced: null, run: null, phase: 'attached', says: 'English.', note: null, bytesDone: 0, bytesTotal: 0, bytesPerSecond: 0, secondsLeft: null, waitsUntil: null, runningVersion: null, targetVersion: null, outcome: null, failure: null, todo: null, activeHash: null, seconds: 0 }
    const failure = { kind: 'proof-failed', says: 'English.', facts: {} }
    const ended = { ...bay, run: 'r', phase: 'ended', runningVersion: '1.0.0' } as const
    expect(bayTold(bay)).toBe(book.told.bay['attached'])
    expect(bayTold({ ...bay, run: 'r', phase: 'uploading', targetVersion: '1.1.0' })).toContain('1.1.0')
    expect(bayTold({ ...bay, run: 'r', phase: 'resetting' })).toBe(book.told.bay['recovery'])
    expect(bayTold({ ...ended, outcome: 'failed', failure })).toBe(book.failure['proof-failed'])
    expect(bayTold({ ...ended, outcome: 'reverted', failure })).toMatch(/1\.0\.0/)
    expect(bayTold({ ...bay, misplaced: { kind: 'other-bay', says: 'English.', facts: { bay: 7 } } })).toContain('7')
    expect(failureTold({ kind: 'other-bay' })).toContain('…')
    expect(failureTold({ kind: 'other-bay', facts: {} })).toContain(book.told.unsaid)
    expect(entryTold({ kind: 'proof-passed', data: { proof: 'active-hash' }, says: 'English.' })).not.toContain('active-hash')
    expect(entryTold({ kind: 'booted', data: { version: '1.1.0', activeHash: 'ab'.repeat(32) }, says: 'English.' })).toMatch(/1\.1\.0.*abababababab…/)
    expect(entryTold({ kind: 'preflight-refused', data: { failure: 'downgrade', says: 'English.' }, says: 'English.' })).toBe(book.failure['downgrade'])
    expect(stepTold({ step: 'By hand' })).toBe(book.told.step['by-hand'])
    expect(verdictTold({ holds: true, size: 7, wrongs: [] })).toContain('7')
    expect(verdictTold({ holds: false, size: 7, wrongs: [{ kind: 'leaf', seq: 5 }] })).toContain('5')
    expect(verdictTold({ holds: false, size: 7, wrongs: [{ kind: 'of-tomorrow', seq: 5 }, { kind: '__proto__', seq: null }] })).toBeNull()
    expect(letterTold({ type: 'many', says: 'English.' })).not.toBe(letterTold({ type: 'outcome', says: 'English.' }))
    expect(residenceTold({ verdict: 'held', says: 'English.' })).toBe(book.told.residence['held'])
    expect([warningTold({ warning: 'English.', token: null, encrypted: false }), warningTold({ warning: 'English.', token: null, encrypted: true }), warningTold({ warning: null, token: null, encrypted: true })]).toEqual([book.told.key['open'], book.told.key['public'], null])
    expect(runTodoTold('a-kind-of-tomorrow', 'English.')).toBe(book.todo['other'])
  })

  test('a kind that nobody knows is not guessed, and a hostile one reaches no key', async () => {
    await speak(language as 'de')
    for (const strange of ['a-kind-of-tomorrow', '__proto__', 'constructor', 'a.b', '', 'x'.repeat(500)]) {
      expect(failureTold({ kind: strange })).toBeNull()
      expect(todoTold(strange)).toBeNull()
      expect(entryTold({ kind: strange, data: {}, says: 'As the station says.' })).toBe('As the station says.')
    }
    expect(entryTold({ kind: 'booted', data: { version: '{activeHash} | @:app.name' }, says: '' })).toContain('{activeHash} | @:app.name')
  })
})

test('a field by which two images may differ without a name', () => {
  const text = textOf('image/compare.ts')
  const listed = [...text.matchAll(/const (scalars|headerFields) = \[([^\]]+)\]/g)].flatMap(([, name, list = '']) => [...list.matchAll(/'(\w+)'/g)].map(([, field = '']) => (name === 'scalars' ? field : `header-${field}`)))
  const added = kindsIn('image/compare.ts', /add\('([^']+)'/g).map((what) => what.replaceAll(' ', '-'))
  expect(Object.keys(en.images.differs).sort()).toEqual([...listed, ...added, 'protectedTlv'].sort())
})

test('a sentence that leaves the station in English only, or that the page shows so', () => {
  // What else the station says crosses as kind and facts (FailureView, SaidView); these have what tells them in data of their own.
  const own = ['BayView', 'EntryView', 'FailureView', 'HookLetterView', 'LogVerdictView', 'ResidenceView', 'RunView', 'StepView']
  const views = sources.filter((path) => path.startsWith('contract/')).flatMap((path) => textOf(path).split(/^export (?=type|const|function)/m))
  expect(views.filter((text) => /\bsays: string\b/.test(text) && text.startsWith('type')).map((text) => /^type (\w+)/.exec(text)?.[1]).sort()).toEqual(own)
  // Beneath what is said in the window's language stands the log's own sentence; licences are as they are.
  const pages = resolve(main, '..', 'renderer')
  const english = readdirSync(pages, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.vue') && readFileSync(join(pages, path), 'utf8').includes('lang="en"'))
  expect(english.map((path) => path.replaceAll('\\', '/')).sort()).toEqual(['log/EntryPanel.vue', 'log/LogState.vue', 'pieces/Said.vue', 'settings/HooksPlate.vue', 'settings/NoticesSheet.vue'])
})

test('English has the station\'s own sentence, untouched', async () => {
  await speak('en')
  expect(failureTold({ kind: 'proof-failed' })).toBeNull()
  expect(entryTold({ kind: 'booted', data: {}, says: 'As the station says.' })).toBe('As the station says.')
})
