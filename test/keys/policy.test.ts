// Who may use a key: each rule by what it must stop, and the edges of its times.
import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { Failure } from '../../main/base/failure.ts'
import { checkPolicy, judgeUse, openPolicy, parsePolicyTime, readPolicy } from '../../main/keys/policy.ts'
import type { JudgedKey, KeyPolicy, KeyUse } from '../../main/keys/policy.ts'

const key = (policy: Partial<KeyPolicy> = {}, more: Partial<JudgedKey> = {}): JudgedKey => ({ name: 'line', class: 'production', retiredAt: null, policy: { ...openPolicy, ...policy }, ...more })
const use = (more: Partial<KeyUse> = {}): KeyUse => ({ wallMs: Date.parse('2026-06-15T12:00:00Z'), account: 'u1', product: null, recipe: null, approvedBy: [], ...more })
const by = (...accounts: (string | null)[]) => accounts.map((account) => ({ account, person: account === 'u1' ? 'Ada' : 'Bob' }))
const verdict = (one: JudgedKey, what: KeyUse) => {
  const judged = judgeUse(one, what)
  return judged instanceof Failure ? judged.kind : judged.decision
}

describe('what a policy stops', () => {
  test('a retired key, whatever else it allows', () => {
    expect(verdict(key({}, { retiredAt: '2026-01-01T00:00:00.000Z' }), use())).toBe('key-retired')
  })

  test('a key before its time and after it; its first and last moment are its own', () => {
    const bounds = { notBefore: '2026-06-01T00:00:00.000Z', notAfter: '2026-06-30T23:59:59.999Z' }
    const at = (time: string) => verdict(key(bounds), use({ wallMs: Date.parse(time) }))
    expect([at('2026-05-31T23:59:59.999Z'), at('2026-06-01T00:00:00.000Z'), at('2026-06-30T23:59:59.999Z'), at('2026-07-01T00:00:00.000Z')]).toEqual(['key-not-yet', 'allowed', 'allowed', 'key-expired'])
  })

  test('a test key for a production recipe, even approved and for the right product', () => {
    const test_ = key({ products: ['pump'], needsTwo: true }, { class: 'test' })
    expect(verdict(test_, use({ recipe: 'production', product: 'pump', approvedBy: by('u2') }))).toBe('test-key')
    expect(verdict(test_, use({ recipe: 'test', product: 'pump', approvedBy: by('u2') }))).toBe('allowed')
    expect(verdict(key(), use({ recipe: 'production' }))).toBe('allowed')
  })

  test('another product, and firmware of which nobody said what it is for', () => {
    expect(verdict(key({ products: ['pump', 'valve'] }), use({ product: 'lamp' }))).toBe('key-wrong-product')
    expect(verdict(key({ products: ['pump', 'valve'] }), use())).toBe('key-wrong-product')
    expect(verdict(key({ products: ['pump', 'valve'] }), use({ product: 'valve' }))).toBe('allowed')
  })

  test.each([
    ['nobody approved', by(), 'needs-approval'],
    ['only the person who signs', by('u1'), 'needs-approval'],
    ['somebody of the same name before people had accounts', by(null), 'needs-approval'],
    ['somebody else', by('u2'), 'allowed'],
    ['both', by('u1', 'u2'), 'allowed'],
  ])('two people are needed and %s did', (_what, approvedBy, expected) => {
    expect(verdict(key({ needsTwo: true }), use({ approvedBy }))).toBe(expected)
  })

  test('where nobody is signed in with an account there are no two people', () => {
    expect(verdict(key({ needsTwo: true }), use({ account: null, approvedBy: by('u2') }))).toBe('needs-accounts')
    expect(verdict(key({ needsTwo: true }), use({ account: null, approvedBy: by(null) }))).toBe('needs-accounts')
  })

  test('what is allowed says why, and by whose approval', () => {
    const judged = judgeUse(key({ needsTwo: true, products: ['pump'] }), use({ product: 'pump', recipe: 'production', approvedBy: by('u1', 'u2') }))
    expect(judged).toMatchObject({ decision: 'allowed', approvedBy: { account: 'u2' }, reason: 'production key in use, for a production recipe, for its product pump, approved by Bob' })
  })
})

describe('policies as written', () => {
  test.each([
    [{ notBefore: 'tomorrow' }], [{ notAfter: '2026-13-01T00:00:00Z' }], [{ products: [''] }], [{ products: [' pump'] }], [{ products: ['x'.repeat(65)] }],
    [{ products: Array.from({ length: 33 }, (_, i) => `p${i}`) }], [{ notBefore: '2026-02-01T00:00:00Z', notAfter: '2026-01-01T00:00:00Z' }],
  ])('%j is refused', (wrong) => {
    expect(checkPolicy({ ...openPolicy, ...wrong })).toMatchObject({ kind: 'bad-policy' })
  })

  test('a day as an end means its last moment; a day that there is not is refused', () => {
    expect(parsePolicyTime('2026-02-28', 'start')).toBe('2026-02-28T00:00:00.000Z')
    expect(parsePolicyTime('2026-02-28', 'end')).toBe('2026-02-28T23:59:59.999Z')
    expect(parsePolicyTime('2026-02-28T18:00:00Z', 'end')).toBe('2026-02-28T18:00:00Z')
    for (const wrong of ['2026-02-30', '28.2.2026', '2026-2-8', '', '2026-02-28T18:00']) expect(parsePolicyTime(wrong, 'end')).toMatchObject({ kind: 'bad-policy' })
  })

  test('a description without a policy follows the open one; a damaged policy is never taken for open', () => {
    expect(readPolicy(undefined)).toEqual(openPolicy)
    for (const damaged of [null, {}, 'open', { ...openPolicy, needsTwo: 'yes' }, { ...openPolicy, products: 'pump' }, { ...openPolicy, products: [1] }, { ...openPolicy, notAfter: 'never' }]) expect(readPolicy(damaged)).toBeNull()
    fc.assert(fc.property(fc.anything(), (value) => {
      const policy = value === undefined ? null : readPolicy(value)
      if (policy !== null) expect(readPolicy(JSON.parse(JSON.stringify(policy)))).toEqual(policy)
    }))
  })
})
