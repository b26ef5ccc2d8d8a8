// The catalogue of failures against the numbers of the protocol and the kinds in the sources: whatever a board answers or a
// run ends with has a cause, what shows it, and a next step.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Failure } from '../../main/base/failure.ts'
import { loadErrors } from '../../main/cms/errors.ts'
import { catalogue, explain } from '../../main/line/catalogue.ts'
import { entryIdOf } from '../../main/line/failure-id.ts'
import { failureKinds } from '../../main/line/failures.ts'

const idsOf = (text: string) => {
  const found = explain(text)
  return found instanceof Failure ? [] : found.map(({ id }) => id)
}
const range = (last: number) => Array.from({ length: last + 1 }, (_, code) => code)

/** MGMT_ERR, IMG_ERR and OS_ERR as Zephyr numbers them, and the smaller groups beside them. */
const codes = { smp: [...range(13), 256], image: range(34), os: range(6), statistics: range(5), settings: range(8), files: range(16), shell: range(3) }

describe('every entry', () => {
  test('says what it is, why, what shows it and what to do', () => {
    for (const { id, title, cause, evidence, next } of catalogue()) {
      expect(title.length, id).toBeGreaterThan(3)
      for (const text of [cause, evidence, next]) expect(text, id).toMatch(/^[A-Z"].*\.$/)
    }
  })

  test('has a name of its own', () => {
    const ids = catalogue().map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })
})

test.each(Object.entries(codes))('a code of group %s without an entry', (group, numbers) => {
  const has = catalogue().filter((entry) => entry.group === group).map(({ code }) => code)
  expect(has).toEqual(numbers)
  for (const code of numbers) expect(idsOf(`${group}:${code}`)).toEqual([`${group}:${code}`])
})

test('no code is called one that the station does not know', () => {
  expect(catalogue().filter(({ title }) => /does not know$/.test(title) && /code \d/.test(title))).toEqual([])
})

describe('a kind of failure without an entry', () => {
  const kindsIn = (room: string) => readdirSync(join(import.meta.dirname, '..', '..', 'main', room)).flatMap((file) => {
    const text = readFileSync(join(import.meta.dirname, '..', '..', 'main', room, file), 'utf8')
    return [...text.matchAll(/(?:new Failure|named|lacking)\(\s*'([a-z][a-z-]+)'/g)].map((match) => match[1] ?? '')
  })
  /** Told to whoever asked for it and never to a bay: a word that nobody knows; and one that a restart answers by asking anew. */
  const elsewhere = new Set(['no-such-failure', 'cleared'])

  test('that a run decides on', () => {
    expect([...new Set(kindsIn('line'))].filter((kind) => !elsewhere.has(kind) && idsOf(kind).length === 0)).toEqual([])
    expect(kindsIn('line').length).toBeGreaterThan(40)
  })

  test('that a bay has a word for', () => {
    expect(failureKinds.filter((kind) => idsOf(kind).length !== 1)).toEqual([])
  })

  test('that an exchange with a board or a port ends with', () => {
    // Of folders of practice boards, and files that are no images: told before any run, with what to do.
    const before = new Set(['no-ports', 'not-a-port', 'no-such-folder', 'bad-practice-folder', 'cannot-list', 'empty', 'file-too-large', 'bad-cbor', 'mismatch'])
    expect([...new Set([...kindsIn('smp'), ...kindsIn('link')])].filter((kind) => !before.has(kind) && idsOf(kind).length === 0)).toEqual([])
  })

  test('that a package ends with for one board', () => {
    const forBoards = ['wrongHardware', 'stalePackage', 'notInCommunity', 'missingDependency', 'wrongDependencyVersion', 'breaksDependency'] as const
    expect(forBoards.map((name) => loadErrors[name].kind).filter((kind) => idsOf(kind).length === 0)).toEqual([])
  })

  test.each(['no-recovery', 'no-such-profile', 'bad-profile', 'no-lines', 'no-such-question', 'too-many-failures', 'recipe-broken', 'file-not-in-recipe'])('%s', (kind) => {
    expect(idsOf(kind)).toEqual([kind])
  })
})

describe('explain', () => {
  test('takes a number alone as that code of every group', () => {
    expect(idsOf('6')).toEqual(['smp:6', 'os:6', 'image:6', 'settings:6', 'files:6'])
  })

  test.each([['1:9', 'image:9'], ['img:9', 'image:9'], ['IMAGE 9', 'image:9'], ['img_mgmt_err_no_free_slot', 'image:9'], ['No-Return', 'no-return'], ['smp:300', 'smp:256']])('%s means %s', (text, id) => {
    expect(idsOf(text)).toEqual([id])
  })

  test('of something unknown says so, and what is near', () => {
    expect(explain('confirm')).toMatchObject({ kind: 'no-such-failure', says: expect.stringContaining('not-confirmed') as string })
    expect(explain('image:99')).toMatchObject({ kind: 'no-such-failure' })
    expect(explain('__proto__')).toMatchObject({ kind: 'no-such-failure' })
    expect((explain('x'.repeat(9999)) as Failure).says.length).toBeLessThan(400)
  })
})

describe('a failure on a bay leads to', () => {
  test.each([
    [{ kind: 'upload-refused', facts: { rc: 9, group: 1 } }, 'image:9'],
    [{ kind: 'refused', facts: { rc: 8 } }, 'smp:8'],
    [{ kind: 'refused', facts: { rc: 4711 } }, 'smp:256'],
    [{ kind: 'refused', facts: { rc: -1, group: -1 } }, 'refused'],
    [{ kind: 'refused', facts: { rc: 3, group: 64 } }, 'refused'],
    [{ kind: 'no-return', facts: {} }, 'no-return'],
  ])('%o: %s', (failure, id) => expect(entryIdOf(failure)).toBe(id))
})
