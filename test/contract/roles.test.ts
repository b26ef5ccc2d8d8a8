// Every row of the contract says which roles may call it, and no row lets more in than its words allow.
import { expect, test } from 'vitest'
import { methods } from '../../main/contract/api.ts'
import { mayCall, personRoles } from '../../main/contract/roles.ts'

test('every row says who may call it, without double or unknown roles', () => {
  for (const [name, { may }] of Object.entries(methods)) {
    if (may === 'anyone') continue
    expect(Array.isArray(may) && may.length > 0, `${name} names no role`).toBe(true)
    expect(new Set(may).size, name).toBe(may.length)
    for (const role of may) expect(personRoles, name).toContain(role)
  }
})

test('only signing in and out, and what the sign-in page needs, is for anyone', () => {
  const open = Object.entries(methods).filter(([, { may }]) => may === 'anyone').map(([name]) => name)
  expect(open.sort()).toEqual(['about', 'lockStation', 'notices', 'session', 'setFullScreen', 'settings', 'signIn', 'signOut'])
})

test('who is not signed in may call only what is for anyone', () => {
  for (const [name, { may }] of Object.entries(methods)) expect(mayCall(may, null), name).toBe(may === 'anyone')
})
