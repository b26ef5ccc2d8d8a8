// What each role may do, method by method, against the real station: a window taken over by an attacker has exactly what
// the person signed in there has, and nothing it sends makes the station throw.
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Failure } from '../../main/base/failure.ts'
import { methods } from '../../main/contract/api.ts'
import type { MethodName } from '../../main/contract/api.ts'
import { personRoles } from '../../main/contract/roles.ts'
import type { StationEvent } from '../../main/contract/views.ts'
import type { Session } from '../../main/station/session.ts'
import { value } from '../scenarios/simulation.ts'
import { House, kindOf } from './house.ts'

type Calls = Record<string, (args: unknown) => Promise<unknown>>
const names = (Object.keys(methods) as MethodName[]).filter((name) => !methods[name].windowOnly)
const callsOf = (session: Session) => session.api as unknown as Calls
/** Arguments that no method takes: who gets as far as having them refused was let in. */
const nonsense = { noSuchArgument: true }

let house: House
beforeAll(async () => {
  house = await House.open()
  for (const role of personRoles) await house.add(role, [role])
})
afterAll(() => house.close())

describe('every method with every role', () => {
  test.each([...personRoles, null])('%s may call what the table says, and nothing else', async (role) => {
    const session = role === null ? house.station.seat() : await house.as(role)
    for (const name of names) {
      const { may } = methods[name]
      const allowed = may === 'anyone' || (role !== null && may.includes(role))
      expect(kindOf(await callsOf(session)[name]!(nonsense)), name).toBe(allowed ? 'bad-arguments' : role === null ? 'not-signed-in' : 'role-missing')
    }
    session.close()
  })

  test('right arguments let nobody in either', async () => {
    const session = await house.as('operator')
    expect(kindOf(await session.api.addPerson({ name: 'Mallory', roles: ['administrator'], pin: '0000' }))).toBe('role-missing')
    expect(kindOf(await session.api.generateKey({ name: 'mine', algorithm: 'ed25519', class: 'test', passphrase: null }))).toBe('role-missing')
    expect(kindOf(await session.api.startBatch({ file: 'f1', recipe: {} }))).toBe('role-missing')
    expect(kindOf(await session.api.exportLog({ saveAs: join(house.home, 'stolen.zip') }))).toBe('role-missing')
    session.close()
  })

  test('the station\'s own first client, which the command line is, is held to the table as well', async () => {
    expect(kindOf(await house.station.listKeys({}))).toBe('not-signed-in')
    expect(kindOf(await house.station.startPractice({}))).toBe('not-signed-in')
    expect(kindOf(await house.station.about({}))).toBe('done')
  })
})

describe('refusals', () => {
  test('are logged with who was refused and what', async () => {
    const session = await house.as('auditor')
    await session.api.sign({ file: 'f1', key: 'k', passphrase: 'hunter2', options: { version: '1.0.0' }, saveAs: null })
    const [entry] = await house.logged('refusal')
    expect(entry).toMatchObject({ person: 'auditor', data: { what: 'sign', failure: 'role-missing' } })
    expect(JSON.stringify(entry)).not.toContain('hunter2')
    session.close()
  })

  test('without end do not fill the log: some are written, the rest are counted', async () => {
    const session = house.station.seat()
    const before = (await house.logged('refusal')).length
    for (let i = 0; i < 500; i++) await session.api.listKeys({})
    expect((await house.logged('refusal')).length - before).toBeLessThan(30)
    session.close()
  })
})

test('who may not ask is not told by an event either', async () => {
  const [stranger, operator] = [house.station.seat(), await house.as('operator')]
  const heard = { stranger: [] as StationEvent['is'][], operator: [] as StationEvent['is'][] }
  stranger.api.subscribe((event) => heard.stranger.push(event.is))
  operator.api.subscribe((event) => heard.operator.push(event.is))
  for (const session of [stranger, operator]) {
    session.tell({ is: 'batch', batch: null })
    session.tell({ is: 'tokens' })
    session.tell({ is: 'session', session: session.view() })
  }
  expect(heard).toEqual({ stranger: ['session'], operator: ['batch', 'session'] })
  stranger.close()
  operator.close()
})

describe('hostile arguments', () => {
  /** Names a method's arguments and fills them with anything; files are written into the test's own folder alone. */
  const argsFor = (name: MethodName): fc.Arbitrary<unknown> => {
    const shape = (methods[name].args as { shape?: Record<string, unknown> }).shape ?? {}
    const poison = fc.oneof(
      fc.constant({ length: { toString: [] } }), fc.constantFrom<unknown>('', ' ', '\u0000', '../../etc/passwd', '__proto__', 'constructor', 'f1', 'f0', 'r000000000000', 'u000000000000', '💥'.repeat(40), 'x'.repeat(5000), -1, 0, 1, 2 ** 53, NaN, Infinity, -0, true, null, undefined),
      fc.string(), fc.integer(), fc.array(fc.anything(), { maxLength: 4 }), fc.object({ maxDepth: 2 }),
    )
    const fields = Object.fromEntries(Object.keys(shape).map((field) => [field, field === 'saveAs' || field === 'path' || field === 'folder' ? fc.oneof(fc.constant(join(house.home, 'hostile', 'file')), fc.constant(null), fc.integer()) : poison]))
    return fc.oneof({ weight: 3, arbitrary: fc.record(fields, { requiredKeys: [] }) }, { weight: 1, arbitrary: fc.anything() })
  }
  /** These end the session or shut the house; they come in the table above. */
  const ending: ReadonlySet<MethodName> = new Set(['signOut', 'lockStation'])

  test('for every method, with all roles: answers and Failures, never an exception', async () => {
    await house.add('everything', [...personRoles])
    const session = await house.as('everything')
    const calls = callsOf(session)
    for (const name of names.filter((each) => !ending.has(each))) {
      await fc.assert(fc.asyncProperty(argsFor(name), async (args) => {
        const answer = await calls[name]!(args)
        if (answer instanceof Failure) expect(answer.says.length, name).toBeGreaterThan(10)
      }), { numRuns: 12 })
    }
    expect(session.view().person?.name).toBe('everything')
    expect((await value(house.root.api.verifyLog({}))).holds).toBe(true)
    session.close()
  })
})
