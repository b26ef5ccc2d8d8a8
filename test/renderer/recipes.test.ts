// The recipe's form: what is read into its fields comes out as it was, and what is wrong is shown at the field it is in.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { recipeBody } from '../../main/contract/api.ts'
import { bodyOf, draftOf, emptyDraft, emptyTest, testKinds, wordsOf } from '../../renderer/recipes/draft.ts'

const word = fc.stringMatching(/^[a-z][a-z0-9/_-]{0,20}$/)
const text = fc.stringMatching(/^[A-Za-z*?][A-Za-z0-9 *?.:"]{0,40}$/)
const timeoutMs = fc.integer({ min: 1, max: 1200 }).map((tenths) => tenths * 100)
const hex = fc.stringMatching(/^[0-9a-f]{64}$/)
const anyTest = fc.oneof(
  fc.record({ test: fc.constant('os-info'), format: fc.constantFrom('a', 'snv'), matches: text, timeoutMs }),
  fc.record({ test: fc.constant('statistic'), group: word, name: word, min: fc.integer(), max: fc.integer(), timeoutMs }),
  fc.record({ test: fc.constant('shell'), command: fc.array(fc.oneof(word, fc.constantFrom('two words', '-x', 'say "hi"', 'back\\slash', 'both \\ "')), { minLength: 1, maxLength: 4 }), returns: fc.integer({ min: -9, max: 9 }), matches: fc.option(text), timeoutMs }),
  fc.record({ test: fc.constant('console'), matches: text, timeoutMs }),
  fc.record({ test: fc.constant('file'), path: word, matches: text, sha256: fc.option(hex), timeoutMs }),
  fc.record({ test: fc.constant('question'), asks: text, timeoutMs: fc.constantFrom(1000, 120_000, 3_600_000) }),
)
const anyBody = fc.record({
  recipe: fc.record({
    name: word, mode: fc.constantFrom('upload-only', 'test-only', 'test-and-confirm'), allowedKeys: fc.array(hex, { maxLength: 3 }), allowDowngrade: fc.boolean(),
    proofs: fc.subarray(['echo', 'active-hash', 'version']), quota: fc.option(fc.integer({ min: 1, max: 1_000_000 })), stopAfterFailures: fc.option(fc.integer({ min: 1, max: 1000 })),
    class: fc.constantFrom('production', 'test'), needsWayBack: fc.constant(true), rolling: fc.constant(true), profile: word.map((name) => name.replaceAll('/', '-')),
    serials: fc.constant({ format: '[A-Z]{2}[0-9]{6}' }), send: fc.constantFrom('whole', 'in-place'), hardware: fc.constantFrom('1.3.6.1.4.1.99999.1', '2.5'),
    communities: fc.array(fc.constantFrom('1.2.3', '1.3.6.1.4.1.4.2'), { minLength: 1, maxLength: 3 }), tests: fc.array(anyTest, { minLength: 1, maxLength: 4 }),
    unitData: fc.array(fc.oneof(
      fc.record({ what: fc.constantFrom('setting', 'file'), name: word, value: text, secret: fc.constant(false) }),
      fc.record({ what: fc.constant('setting'), name: word, value: fc.constant('{wifi key}'), secret: fc.constant(true) }),
    ), { minLength: 1, maxLength: 3 }),
  }, { requiredKeys: ['name', 'mode', 'allowedKeys', 'allowDowngrade', 'proofs', 'quota', 'stopAfterFailures'] }),
  files: fc.array(fc.record({ sha256: hex, name: text, version: fc.constant('1.2.3+0') }), { maxLength: 2 }), product: fc.option(word), notes: text,
})

test('a stored recipe that is opened and saved unchanged is the same to the last field', () => {
  fc.assert(fc.property(anyBody, (raw) => {
    const body = recipeBody.parse(raw)
    const { body: again, wrong } = bodyOf(draftOf({ recipe: body.recipe, files: body.files, product: body.product, notes: body.notes }))
    expect(wrong).toBeNull()
    expect(again).toEqual(body)
  }))
})

test('what is wrong is shown at its own field', () => {
  const draft = { ...emptyDraft(), name: 'Pump' }
  const wrongIn = (change: object) => [...(bodyOf({ ...draft, ...change }).wrong ?? [])]
  expect(wrongIn({})).toEqual([])
  expect(wrongIn({ name: '  ' })).toEqual(['name'])
  expect(wrongIn({ quota: 'many' })).toEqual(['quota'])
  expect(wrongIn({ quota: '0x10' })).toEqual(['quota'])
  expect(wrongIn({ stopAfterFailures: '-1' })).toEqual(['stopAfterFailures'])
  expect(wrongIn({ serials: '(' })).toEqual(['serials'])
  expect(wrongIn({ hardware: 'pump' })).toEqual(['hardware'])
  expect(wrongIn({ communities: '1.2.3, nonsense' })).toEqual(['communities'])
  expect(wrongIn({ tests: [emptyTest('console'), { ...emptyTest('shell'), command: 'go', timeoutSeconds: 'soon' }] })).toEqual(['tests.0.matches', 'tests.1.timeoutSeconds'])
  expect(wrongIn({ tests: [{ ...emptyTest('file'), path: '/lfs/a' }] })).toEqual(['tests.0'])
  expect(wrongIn({ data: [{ what: 'setting', name: 'wifi/key', value: 'hunter2', secret: true }] })).toEqual(['data.0'])
})

test('every kind of test begins with fields that can be completed', () => {
  for (const kind of testKinds) {
    const filled = { ...emptyTest(kind), matches: '*', group: 'g', name: 'n', min: '0', max: '9', command: 'go', path: '/a', asks: 'Well?' }
    expect(bodyOf({ ...emptyDraft(), name: 'Pump', tests: [filled] }).wrong, kind).toBeNull()
  }
})

test('a command line is cut at blanks, and quotes hold words together', () => {
  expect(wordsOf('  sensor   "self test" -v ')).toEqual(['sensor', 'self test', '-v'])
  expect(wordsOf('"" "open')).toEqual(['open'])
  expect(wordsOf('print "a \\"b\\" c"')).toEqual(['print', 'a "b" c'])
})
