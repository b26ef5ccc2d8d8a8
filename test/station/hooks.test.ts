// Hooks and the factory's interface in a whole station: who may make them, where their secrets are and are not, and that they
// go on where they stood when the station is opened again.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Session } from '../../main/station/session.ts'
import { hooksOf } from '../../main/station/hooks.ts'
import { Line, value } from '../scenarios/simulation.ts'
import { Receiver } from '../factory/receiver.ts'
import { House, kindOf, pinOf } from './house.ts'

let house: House
let receiver: Receiver
let operator: Session
beforeEach(async () => {
  house = await House.open()
  await house.add('Olaf', ['operator'])
  operator = await house.as('Olaf')
  receiver = await Receiver.open()
})
afterEach(async () => {
  await house.close()
  await receiver.close()
})

const addHook = () => value(house.root.api.addWebhook({ url: `${receiver.url}?token=in-the-address`, inside: true }))
/** Something that is told: a refusal, with the call in it. */
const refused = (session: Session) => session.api.listPeople({})
const reopened = async () => {
  await house.again()
  await value(house.root.api.signIn({ name: 'Root', pin: pinOf('Root') }))
}
const files = (folder: string): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)).filter((path) => statSync(path).isFile())

test('nothing is told before a hook is made, nor of what happened before', async () => {
  await refused(operator)
  expect(await house.root.api.listHooks({})).toEqual([])
  await addHook()
  await refused(operator)
  await receiver.received(1)
  expect(receiver.got.map(({ event }) => [event.type, event.person, (event.data as { what: string }).what])).toEqual([['refusal', 'Olaf', 'listPeople']])
})

test('a secret is shown once, rests in a file of the owner\'s alone, and is nowhere else; nor is the address\'s own token in the log', async () => {
  const { hook, secret } = await addHook()
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  await refused(operator)
  await receiver.received(1)
  const listed = await value(house.root.api.listHooks({}))
  expect(JSON.stringify(listed)).not.toContain(secret)
  const { entries } = await value(house.root.api.listLog({}))
  expect(JSON.stringify(entries)).toContain(hook.id)
  expect(JSON.stringify(entries)).not.toContain('in-the-address')
  expect(JSON.stringify(receiver.got[0]?.event)).not.toContain('whsec')
  const own = join(house.home, 'hooks', `${hook.id}.secret`)
  await house.station.close()
  const raw = Buffer.from((secret ?? '').replace('whsec_', ''), 'base64')
  expect(files(house.home).filter((path) => [Buffer.from(secret ?? ''), raw].some((bytes) => readFileSync(path).includes(bytes)))).toEqual([own])
  if (process.platform !== 'win32') expect([statSync(own).mode & 0o777, statSync(join(own, '..')).mode & 0o777]).toEqual([0o600, 0o700])
})

test('what happens while a receiver is away waits over a restart, and comes once and in order', async () => {
  await addHook()
  const { port } = receiver
  await receiver.close()
  for (let call = 0; call < 3; call++) await refused(operator)
  await reopened()
  const [away] = await value(house.root.api.listHooks({}))
  expect(away).toMatchObject({ told: 0, lost: 0 })
  receiver = await Receiver.open(port)
  await house.station.close()
  // The next opening does not wait out what the last one waited.
  await reopened()
  await receiver.received(3)
  const numbers = receiver.got.filter(({ event }) => event.type !== 'checkpoint').map(({ event }) => event.entry)
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
})

test('a checkpoint that could not be told before the end is told after the next start', async () => {
  await addHook()
  receiver.answer = (response) => response.writeHead(503).end()
  await reopened()
  expect((await house.logged('station-stopped')).length).toBe(1)
  receiver.answer = (response) => response.end()
  await reopened()
  while (receiver.got.at(-1)?.event.type !== 'checkpoint') await receiver.received(receiver.got.length + 1)
  expect((receiver.got.at(-1)?.event.data as { note: string }).note).toContain('— ')
})

test('a station whose receiver refuses everything still signs, records and closes as ever', async () => {
  await addHook()
  receiver.answer = (response) => response.socket?.destroy()
  for (let call = 0; call < 20; call++) await refused(operator)
  expect((await value(house.root.api.verifyLog({}))).holds).toBe(true)
  await reopened()
  expect((await value(house.root.api.listHooks({})))[0]).toMatchObject({ told: 0, lost: 0 })
})

test('a line runs to its end beside a receiver that takes the event and never answers, and the station closes in bounded time', async () => {
  const line = await Line.open({ seed: 5, boards: 2 })
  receiver.answer = () => {}
  await value(line.station.addWebhook({ url: receiver.url, inside: true }))
  expect((await line.runBatch()).counts.confirmed).toBe(2)
  await receiver.received(1)
  const [hook] = await value(line.station.listHooks({}))
  expect(hook).toMatchObject({ told: 0, lost: 0 })
  expect(hook?.behind).toBeGreaterThan(5)
  expect(await line.check()).toEqual([])
  await line.clock.settle(line.close(), 10_000)
})

test('a hook that is removed is told nothing more, and its secret is gone', async () => {
  const { hook } = await addHook()
  expect(await house.root.api.removeHook({ hook: hook.id })).toEqual([])
  expect(readdirSync(join(house.home, 'hooks'))).toEqual([])
  expect(kindOf(await house.root.api.testHook({ hook: hook.id }))).toBe('no-such-hook')
  await refused(operator)
  await reopened()
  expect(receiver.got).toEqual([])
  expect((await house.logged('settings')).map(({ data }) => data['after'])).toEqual([`${hook.id} removed`, `${hook.id} added: webhook http://127.0.0.1:${receiver.port}/…`])
})

test('a secret that is lost is said so, and the events wait', async () => {
  const { hook } = await addHook()
  await house.station.close()
  const before = receiver.got.length
  writeFileSync(join(house.home, 'hooks', `${hook.id}.secret`), 'half of it')
  await reopened()
  await refused(await house.as('Olaf'))
  expect(kindOf(await house.root.api.testHook({ hook: hook.id }))).toBe('hook-secret-lost')
  await house.station.close()
  expect(receiver.got).toHaveLength(before)
})

test('a folder gets files, must be there, and is named whole', async () => {
  const { addFolderHook, testHook } = house.station.seat().api
  expect(kindOf(await addFolderHook({ folder: house.home }))).toBe('not-signed-in')
  const folder = join(house.home, '..', 'incoming')
  expect(kindOf(await house.root.api.addFolderHook({ folder: 'incoming' }))).toBe('not-absolute')
  expect(kindOf(await house.root.api.addFolderHook({ folder }))).toBe('no-such-folder')
  mkdirSync(folder)
  const { hook, secret } = await value(house.root.api.addFolderHook({ folder }))
  expect(secret).toBe(null)
  await value(house.root.api.testHook({ hook: hook.id }))
  expect(readdirSync(folder)).toHaveLength(1)
  expect(kindOf(await testHook({ hook: hook.id }))).toBe('not-signed-in')
})

test('no more hooks than are bounded, and addresses that could be read two ways are refused', async () => {
  for (const url of ['ftp://mes.example/', 'https://user:pass@mes.example/', 'https://mes.example/#x', 'mes.example/slotwright', 'https://']) expect(kindOf(await house.root.api.addWebhook({ url, inside: true })), url).toBe('bad-arguments')
  for (let count = 0; count < 16; count++) await addHook()
  expect(kindOf(await house.root.api.addWebhook({ url: receiver.url, inside: true }))).toBe('too-many-hooks')
  expect(readdirSync(join(house.home, 'hooks'))).toHaveLength(16)
})

test('whoever only reads the home sees how its hooks stand', async () => {
  const { hook } = await addHook()
  expect(hooksOf(house.station.audit)).toMatchObject([{ id: hook.id, told: 0, trouble: null }])
})

const openOn = async (session: Session): Promise<number> => {
  for (let port = 20_000 + (process.pid % 20_000), tries = 0; tries < 20; port += 41, tries++) if ((await value(session.api.setFactoryApi({ on: true, port }))).address !== null) return port
  throw new Error('no port is free')
}
const status = async (port: number, token: string) => (await fetch(`http://127.0.0.1:${port}/v1/status`, { headers: { authorization: `Bearer ${token}` } })).status

test('the interface is off, needs a token first, opens by itself after a restart, and is closed by turning it off', async () => {
  expect(await value(house.root.api.factoryApi({}))).toMatchObject({ on: false, hasToken: false, address: null, host: '127.0.0.1' })
  expect(kindOf(await house.root.api.openFactoryApi({}))).toBe('role-missing')
  expect(kindOf(await operator.api.openFactoryApi({}))).toBe('interface-off')
  expect(kindOf(await house.root.api.setFactoryApi({ on: true }))).toBe('no-token-yet')
  const { token } = await value(house.root.api.newFactoryToken({}))
  expect(Buffer.from(token, 'base64url')).toHaveLength(16)
  const port = await openOn(house.root)
  expect(await status(port, token)).toBe(200)

  const { token: second } = await value(house.root.api.newFactoryToken({}))
  expect([await status(port, token), await status(port, second)]).toEqual([401, 200])
  expect(await value(house.root.api.factoryApi({}))).toMatchObject({ turnedAway: 1 })

  Object.assign(house.options, { opensDoor: true })
  await reopened()
  expect(await value(house.root.api.factoryApi({}))).toMatchObject({ on: true, port, address: `http://127.0.0.1:${port}`, problem: null })
  expect(await status(port, second)).toBe(200)
  expect(await value(house.root.api.setFactoryApi({ on: false }))).toMatchObject({ on: false, address: null, problem: null })
  await expect(status(port, second)).rejects.toThrow()
  for (const path of files(house.home)) expect(readFileSync(path).includes(second), path).toBe(false)
  expect((await house.logged('settings')).map(({ data }) => data['after']).slice(0, 2)).toEqual([`off, 127.0.0.1, port ${port}`, 'new token'])
})

test('a port that is taken is shown, and no reason not to open the station', async () => {
  await value(house.root.api.newFactoryToken({}))
  expect(await value(house.root.api.setFactoryApi({ on: true, port: receiver.port }))).toMatchObject({ on: true, address: null, problem: { kind: 'port-taken' } })
  Object.assign(house.options, { opensDoor: true })
  await reopened()
  expect(await value(house.root.api.factoryApi({}))).toMatchObject({ address: null, problem: { kind: 'port-taken' } })
})

test('a program that runs without a window opens nothing by itself', async () => {
  await value(house.root.api.newFactoryToken({}))
  const port = await openOn(house.root)
  await reopened()
  expect((await value(house.root.api.factoryApi({}))).address).toBe(null)
  await expect(status(port, 'x')).rejects.toThrow()
  const olaf = await house.as('Olaf')
  expect((await value(olaf.api.openFactoryApi({}))).address).toBe(`http://127.0.0.1:${port}`)
})
