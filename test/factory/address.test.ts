// Which addresses an event may not be sent to unless that was said: what a name server, a typing mistake or somebody clever
// could make of an address.
import type { lookup } from 'node:dns'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hostOf, insideCode, isInside, lookupOutside } from '../../main/factory/address.ts'
import { checkAddress } from '../../main/factory/webhook.ts'
import { kindOf } from '../station/house.ts'

test.each([
  '127.0.0.1', '127.255.0.3', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0', '255.255.255.255', '224.0.0.1', '198.18.0.1',
  '::1', '::', 'fe80::1', 'fc00::1', 'fd12:3456::1', 'ff02::1', '::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:a9fe:a9fe', '64:ff9b::7f00:1', '2002:7f00:1::', '', 'localhost', '127.1', '0x7f000001',
])('"%s" is inside', (address) => {
  expect(isInside(address)).toBe(true)
})

test.each(['1.1.1.1', '8.8.8.8', '172.15.255.255', '172.32.0.0', '100.63.255.255', '93.184.216.34', '2606:4700:4700::1111', '2a00:1450::1'])('%s is outside', (address) => {
  expect(isInside(address)).toBe(false)
})

test('an address of a private network stays one however IPv6 wraps it', () => {
  fc.assert(fc.property(fc.constantFrom(10, 127), fc.nat(255), fc.nat(255), fc.nat(255), (a, b, c, d) => {
    const hex = [a, b, c, d].map((byte) => byte.toString(16).padStart(2, '0')).join('').replace(/(.{4})(.{4})/, '$1:$2')
    for (const wrapped of [`${a}.${b}.${c}.${d}`, `::ffff:${a}.${b}.${c}.${d}`, `::ffff:${hex}`, `64:ff9b::${hex}`, `2002:${hex}::1`]) expect(isInside(wrapped), wrapped).toBe(true)
  }), { numRuns: 200 })
})

/** A name server that answers so. */
const saying = (addresses: readonly string[]) => ((_host: string, _options: unknown, done: (error: null, found: { address: string; family: number }[]) => void) => done(null, addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })))) as unknown as typeof lookup

function resolved(addresses: readonly string[], all: boolean): Promise<{ code: string | undefined; found: unknown }> {
  return new Promise((resolve) => lookupOutside(saying(addresses))('mes.example', { all }, (error, found) => resolve({ code: error?.code, found })))
}

test('a name that leads inside is refused where the connection is made, also when only one of its addresses does', async () => {
  for (const all of [true, false]) {
    expect((await resolved(['10.0.0.7'], all)).code).toBe(insideCode)
    expect((await resolved(['1.1.1.1', '192.168.0.9'], all)).code).toBe(insideCode)
    expect((await resolved([], all)).code).toBe(insideCode)
  }
  expect(await resolved(['1.1.1.1', '2606:4700::1'], false)).toEqual({ code: undefined, found: '1.1.1.1' })
  expect(await resolved(['1.1.1.1'], true)).toEqual({ code: undefined, found: [{ address: '1.1.1.1', family: 4 }] })
})

test.each([
  ['https://127.0.0.1/', 'address-inside'], ['https://[::1]/', 'address-inside'], ['https://localhost/', 'address-inside'], ['https://mes.localhost./', 'address-inside'], ['https://0x7f.1/', 'address-inside'],
  ['https://2130706433/', 'address-inside'], ['http://mes.example/', 'not-encrypted'], ['https://mes.example/', 'done'], ['https://1.1.1.1/', 'done'],
])('%s without a word about the inside: %s', (url, kind) => {
  expect(kindOf(checkAddress(url, false))).toBe(kind)
  expect(checkAddress(url, true)).toBe(null)
})

test('the host of an IPv6 address has no brackets', () => {
  expect(hostOf(new URL('https://[fe80::1]:9/'))).toBe('fe80::1')
})
