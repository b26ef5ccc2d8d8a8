// People: the first account, proving who one is, guessing, the idle lock, and what the log and the disk hold of it.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { failed } from '../../main/base/failure.ts'
import { delayAfter, wrongTriesMax } from '../../main/station/people.ts'
import { hashBadge, hashSecret, newBadgeSalt, sameSecret } from '../../main/station/pin-hash.ts'
import { setPseudonyms } from '../../main/store/people.ts'
import { openStation } from '../../main/station/station.ts'
import { value } from '../scenarios/simulation.ts'
import { SimulatedPorts } from '../scenarios/wire.ts'
import { WoundClock } from '../smp/wound-clock.ts'
import { House, kindOf, pinOf } from './house.ts'

let house: House
let clock: WoundClock
const open = async () => {
  clock = new WoundClock()
  house = await House.open({ clock })
}
afterEach(() => house.close())

describe('the first account', () => {
  test('shuts an open station; it must be an administrator\'s with a PIN', async () => {
    await open()
    const { station } = house
    expect((await value(station.session({}))).person).toBe(null)
    expect(kindOf(await station.listPeople({}))).toBe('not-signed-in')
    expect((await house.logged('person-added'))[0]).toMatchObject({ person: 'machine user', data: { person: 'Root', roles: 'administrator' } })
  })

  test('is refused without that role or without a PIN, and the station stays open', async () => {
    await open()
    const bare = await value(openStation({ home: join(house.home, 'bare'), version: '0', ports: new SimulatedPorts(), person: 'me' }))
    expect(kindOf(await bare.addPerson({ name: 'Ada', roles: ['engineer'], pin: '1234' }))).toBe('first-administrator')
    expect(kindOf(await bare.addPerson({ name: 'Ada', roles: ['administrator'], badge: 'A-123456' }))).toBe('first-administrator')
    expect(await value(bare.session({}))).toMatchObject({ open: true, person: { name: 'me', account: null } })
    await bare.close()
  })

  test('taken out of the database leaves the station shut, not open', async () => {
    await open()
    house.station.audit.database.sql.exec('DELETE FROM accounts')
    await house.station.close()
    expect(kindOf(await openStation({ home: house.home, version: '0', ports: new SimulatedPorts() }))).toBe('people-missing')
  })

  test('that cannot be read any more leaves the station shut', async () => {
    await open()
    house.station.audit.database.sql.exec("UPDATE accounts SET body = '{}'")
    await house.station.close()
    expect(kindOf(await openStation({ home: house.home, version: '0', ports: new SimulatedPorts() }))).toBe('bad-account')
  })
})

describe('signing in', () => {
  test('with the right PIN, after a restart too; the log has it with account and role', async () => {
    await open()
    const account = await house.add('Ada', ['engineer', 'operator'])
    await house.again()
    await value(house.root.api.signIn({ name: ' ada ', pin: pinOf('Ada') }))
    expect(house.root.view()).toMatchObject({ open: false, person: { account, name: 'Ada', roles: ['operator', 'engineer'] } })
    expect((await value(house.root.api.listLog({ kind: 'sign-in' }))).entries[0]).toMatchObject({ person: 'Ada', data: { method: 'pin', account } })
    await value(house.root.api.generateKey({ name: 'k', algorithm: 'ed25519', class: 'test', passphrase: null }))
    const made = house.station.audit.list({ kind: 'key-created' })
    expect(failed(made) || failed(made[0]!.entry) ? null : made[0]!.entry).toMatchObject({ person: 'Ada', role: 'engineer' })
  })

  test('a name nobody has is answered in the same words as a wrong PIN, and is not written down', async () => {
    await open()
    const [wrong, nobody] = [await house.station.seat().api.signIn({ name: 'Root', pin: '9999' }), await house.station.seat().api.signIn({ name: '4711-my-pin', pin: '9999' })]
    expect([kindOf(wrong), kindOf(nobody)]).toEqual(['wrong-pin', 'wrong-pin'])
    expect((wrong as { says: string }).says).toBe((nobody as { says: string }).says)
    expect(JSON.stringify(await house.logged('sign-in-refused'))).not.toMatch(/4711|9999/)
  })

  test('each wrong try is waited for longer, the right PIN too, and the wait outlives a restart', async () => {
    await open()
    await house.add('Ada', ['operator'])
    const session = house.station.seat()
    expect(kindOf(await session.api.signIn({ name: 'Ada', pin: 'no' }))).toBe('wrong-pin')
    expect(kindOf(await session.api.signIn({ name: 'Ada', pin: pinOf('Ada') }))).toBe('sign-in-wait')
    await clock.wind(1_000)
    expect(await session.api.signIn({ name: 'Ada', pin: 'no' })).toMatchObject({ kind: 'wrong-pin', facts: { waitSeconds: 2 } })
    await house.again()
    expect(kindOf(await house.station.signIn({ name: 'Ada', pin: pinOf('Ada') }))).toBe('sign-in-wait')
    await clock.wind(2_000)
    expect(kindOf(await house.station.signIn({ name: 'Ada', pin: pinOf('Ada') }))).toBe('done')
  })

  test('many tries at once are looked at one after the other, and only the first at all', async () => {
    await open()
    await house.add('Ada', ['operator'])
    const session = house.station.seat()
    const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => session.api.signIn({ name: 'Ada', pin: `guess ${i}` })))
    const kinds = answers.map(kindOf)
    expect(kinds.filter((kind) => kind === 'wrong-pin')).toHaveLength(1)
    expect(new Set(kinds)).toEqual(new Set(['wrong-pin', 'sign-in-wait', 'sign-in-busy']))
  })

  test('too many wrong tries lock the account until an administrator unlocks it', async () => {
    await open()
    const account = await house.add('Ada', ['operator'])
    const session = house.station.seat()
    for (let i = 1; i <= wrongTriesMax; i++) {
      expect(kindOf(await session.api.signIn({ name: 'Ada', pin: 'no' }))).toBe(i === wrongTriesMax ? 'account-locked' : 'wrong-pin')
      await clock.wind(delayAfter(i, 60_000))
    }
    expect(kindOf(await session.api.signIn({ name: 'Ada', pin: pinOf('Ada') }))).toBe('account-locked')
    expect((await house.logged('person-locked'))[0]).toMatchObject({ data: { account, tries: wrongTriesMax } })
    await value(house.root.api.unlockPerson({ account }))
    expect(kindOf(await session.api.signIn({ name: 'Ada', pin: pinOf('Ada') }))).toBe('done')
  })

  test('nobody can lock the last administrator out for good', async () => {
    await open()
    const session = house.station.seat()
    for (let i = 1; i <= wrongTriesMax + 3; i++) {
      expect(kindOf(await session.api.signIn({ name: 'Root', pin: 'no' }))).toBe('wrong-pin')
      await clock.wind(300_000)
    }
    expect(kindOf(await session.api.signIn({ name: 'Root', pin: pinOf('Root') }))).toBe('done')
  })

  test('a locked or retired person is out of every session at once, though signed in elsewhere', async () => {
    await open()
    const account = await house.add('Ada', ['operator'])
    const session = await house.as('Ada')
    expect(kindOf(await session.api.listPorts({}))).toBe('done')
    await value(house.root.api.retirePerson({ account }))
    expect(kindOf(await session.api.listPorts({}))).toBe('not-signed-in')
    expect(kindOf(await session.api.signIn({ name: 'Ada', pin: pinOf('Ada') }))).toBe('wrong-pin')
  })

  test('a role that is taken away is gone in the middle of a session', async () => {
    await open()
    const account = await house.add('Ada', ['operator', 'engineer'])
    const session = await house.as('Ada')
    expect(kindOf(await session.api.listTokens({}))).toBe('no-pkcs11')
    await value(house.root.api.changePerson({ account, roles: ['operator'] }))
    expect(kindOf(await session.api.listTokens({}))).toBe('role-missing')
    expect((await house.logged('person-changed'))[0]).toMatchObject({ person: 'Root', data: { what: 'roles', before: 'operator, engineer', after: 'operator' } })
  })
})

describe('badges', () => {
  test('alone are enough for an operator\'s work, and for no more', async () => {
    await open()
    await house.add('Ada', ['operator', 'engineer'], { badge: 'BADGE-0815-A' })
    const session = house.station.seat()
    expect(await value(session.api.signIn({ badge: 'BADGE-0815-A' }))).toMatchObject({ person: { name: 'Ada', roles: ['operator'], byBadgeOnly: true } })
    expect(kindOf(await session.api.listTokens({}))).toBe('role-missing')
    expect(await value(session.api.signIn({ badge: 'BADGE-0815-A', pin: pinOf('Ada') }))).toMatchObject({ person: { roles: ['operator', 'engineer'], byBadgeOnly: false } })
  })

  test('of people who are no operators need the PIN', async () => {
    await open()
    await house.add('Eve', ['engineer'], { badge: 'BADGE-0815-E' })
    expect(kindOf(await house.station.signIn({ badge: 'BADGE-0815-E' }))).toBe('needs-pin')
    expect(kindOf(await house.station.signIn({ badge: 'BADGE-0815-E', pin: 'wrong' }))).toBe('wrong-pin')
  })

  test('that are nobody\'s are refused and slowed, whoever scans them', async () => {
    await open()
    expect(kindOf(await house.station.signIn({ badge: 'NOBODYS-BADGE' }))).toBe('unknown-badge')
    expect(kindOf(await house.station.seat().api.signIn({ badge: 'NOBODYS-BADGE' }))).toBe('sign-in-wait')
  })

  test('are one person\'s only', async () => {
    await open()
    await house.add('Ada', ['operator'], { badge: 'BADGE-0815-A' })
    expect(kindOf(await house.root.api.addPerson({ name: 'Bob', roles: ['operator'], badge: 'BADGE-0815-A' }))).toBe('badge-taken')
  })
})

describe('accounts', () => {
  test('keep an administrator who can sign in, whatever is changed', async () => {
    await open()
    const [root] = await value(house.root.api.listPeople({}))
    expect(kindOf(await house.root.api.retirePerson({ account: root!.account }))).toBe('last-administrator')
    expect(kindOf(await house.root.api.changePerson({ account: root!.account, roles: ['operator'] }))).toBe('last-administrator')
    expect(kindOf(await house.root.api.setPin({ account: root!.account, pin: null }))).toBe('no-way-in')
    expect(kindOf(await house.root.api.addPerson({ name: ' root', roles: ['operator'], pin: '1234' }))).toBe('bad-arguments')
    expect(kindOf(await house.root.api.addPerson({ name: 'ROOT', roles: ['operator'], pin: '1234' }))).toBe('name-taken')
    expect(kindOf(await house.root.api.addPerson({ name: 'Ada', roles: ['operator'] }))).toBe('no-way-in')
  })

  test('with a pseudonym are in the log by that alone', async () => {
    await open()
    await house.add('Ada Lovelace', ['operator'], { pseudonym: 'P-07' })
    await house.as('Ada Lovelace')
    const all = await value(house.root.api.listLog({}))
    expect(all.entries.some(({ person }) => person === 'P-07')).toBe(true)
    expect(JSON.stringify(all)).not.toContain('Lovelace')
  })

  test('are in the log by pseudonyms alone where the house wants that for everybody', async () => {
    await open()
    await house.station.close()
    setPseudonyms(house.home, true)
    await house.again()
    await value(house.root.api.signIn({ name: 'Root', pin: pinOf('Root') }))
    const account = await house.add('Ada Lovelace', ['operator'])
    await value(house.root.api.changePerson({ account, roles: ['engineer'] }))
    await value(house.root.api.retirePerson({ account }))
    const { entries } = await value(house.root.api.listLog({}))
    expect(entries.filter(({ kind }) => kind.startsWith('person-') && kind !== 'person-added')).toHaveLength(2)
    expect(JSON.stringify(entries)).not.toContain('Lovelace')
  })

  test('end the setting of who is at the machine', async () => {
    await open()
    expect(kindOf(await house.root.api.changeSettings({ person: 'Somebody Else' }))).toBe('has-accounts')
    expect(kindOf(await house.root.api.changeSettings({ theme: 'dark' }))).toBe('done')
  })

  test('change their own PIN with the old one; a wrong old one counts as a wrong try', async () => {
    await open()
    await house.add('Ada', ['operator'])
    const session = await house.as('Ada')
    expect(kindOf(await session.api.changeOwnPin({ old: 'no', pin: 'new pin' }))).toBe('wrong-pin')
    await clock.wind(1_000)
    expect(kindOf(await session.api.changeOwnPin({ old: pinOf('Ada'), pin: 'new pin' }))).toBe('done')
    expect(kindOf(await session.api.listPorts({}))).toBe('done')
    expect(kindOf(await house.station.signIn({ name: 'Ada', pin: 'new pin' }))).toBe('done')
  })

  test('leave no PIN and no badge code in any file of the home, nor in any answer', async () => {
    await open()
    const [pin, badge] = ['Zebra-PIN-70719', 'Zebra-Badge-70720']
    const added = await value(house.root.api.addPerson({ name: 'Ada', roles: ['operator'], pin, badge }))
    const told = JSON.stringify([added, await value(house.root.api.listPeople({})), await value(house.station.seat().api.signIn({ name: 'Ada', pin })), await value(house.station.seat().api.signIn({ badge })), await value(house.root.api.listLog({}))])
    house.station.audit.tidy()
    const files = readdirSync(house.home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    for (const text of [told, ...files]) for (const secret of [pin, badge]) expect(text.includes(secret)).toBe(false)
  })
})

describe('the idle lock', () => {
  test('ends the session of a client that nobody touches, and only its', async () => {
    await open()
    await house.add('Ada', ['operator'])
    await value(house.root.api.setIdleLock({ minutes: 5 }))
    const [window, terminal] = [await house.as('Ada', { locksIdle: true }), await house.as('Ada')]
    await clock.wind(4 * 60_000)
    window.touch()
    await clock.wind(4 * 60_000)
    expect(window.view().person?.name).toBe('Ada')
    // Calls are no sign of life: a page can make them by itself.
    await window.api.listPorts({})
    await clock.wind(61_000)
    expect(window.view().person).toBe(null)
    expect(terminal.view().person?.name).toBe('Ada')
    expect((await house.logged('station-locked'))[0]).toMatchObject({ person: 'Ada', data: { why: 'idle' } })
  })

  test('off means never, and turned on it takes hold of sessions that are there already', async () => {
    await open()
    await value(house.root.api.setIdleLock({ minutes: 0 }))
    const window = await house.as('Root', { locksIdle: true })
    await clock.wind(3_600_000)
    expect(window.view().person?.name).toBe('Root')
    await value(house.root.api.setIdleLock({ minutes: 1 }))
    await clock.wind(61_000)
    expect(window.view().person).toBe(null)
    window.close()
  })
})

describe('what is kept of a secret', () => {
  test('differs for the same PIN, proves that PIN only, and is nobody\'s for nobody', async () => {
    await open()
    const cheap = { n: 2 ** 10, r: 8, p: 1 }
    const [one, two] = [await hashSecret('1234', cheap), await hashSecret('1234', cheap)]
    expect(one.hash).not.toBe(two.hash)
    expect([await sameSecret('1234', one), await sameSecret('1234', two), await sameSecret('12345', one), await sameSecret('', null, cheap)]).toEqual([true, true, false, false])
    const [salt, other] = [newBadgeSalt(), newBadgeSalt()]
    expect(await hashBadge(' A-1 ', salt, cheap)).toBe(await hashBadge('A-1', salt, cheap))
    expect(await hashBadge('A-1', salt, cheap)).not.toBe(await hashBadge('A-1', other, cheap))
  })
})
