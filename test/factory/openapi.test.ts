// resources/openapi.json against a real station with boards on simulated wires: every path in it is answered, every answer
// and every event is of the form that it states, and the station has no path that it does not state.
import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { ValidateFunction } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { routes } from '../../main/factory/routes.ts'
import { Line, value } from '../scenarios/simulation.ts'
import { kindOf } from '../station/house.ts'
import { Receiver } from './receiver.ts'

type Schema = Readonly<Record<string, unknown>>
type Operation = Readonly<{ operationId: string; responses: Readonly<Record<string, { content?: Readonly<Record<string, { schema: Schema }>>; $ref?: string }>> }>
type Document = Readonly<{ openapi: string; paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>; components: { schemas: Schema; responses: Readonly<Record<string, { content: Readonly<Record<string, { schema: Schema }>> }>> } }>

const document = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'resources', 'openapi.json'), 'utf8')) as Document
const ajv = new Ajv2020({ strict: false, allErrors: true, formats: { 'date-time': /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$/ } })
ajv.addSchema({ $id: 'doc', ...document })
const schemaAt = (pointer: string): ValidateFunction => ajv.compile({ $ref: `doc#${pointer}` })

/** What the document says of an answer: the status itself, else `default`. */
function schemaFor(path: string, method: string, status: number): ValidateFunction {
  const operation = document.paths[path]?.[method]
  const response = String(status) in (operation?.responses ?? {}) ? String(status) : 'default'
  const found = operation?.responses[response]
  if (found === undefined) throw new Error(`${method} ${path} does not say what ${status} is`)
  const at = found.$ref === undefined ? `/paths/${path.replaceAll('/', '~1')}/${method}/responses/${response}` : found.$ref.slice(1)
  return schemaAt(`${at}/content/application~1json/schema`)
}

let line: Line
let receiver: Receiver
let token = ''
let address = ''
let sampleName = ''
beforeAll(async () => {
  line = await Line.open({ seed: 11, boards: 2 })
  receiver = await Receiver.open()
  const sample = await value(line.station.sampleFile({}))
  const { id } = await value(line.station.saveRecipe({ id: null, body: { recipe: { name: 'Two boards' }, files: [{ sha256: sample.sha256, name: sample.name, version: '1.1.0' }], notes: 'for the test' } }))
  await value(line.station.releaseRecipe({ id }))
  await value(line.station.saveRecipe({ id: null, body: { recipe: { name: 'A draft' }, files: [{ sha256: sample.sha256, name: sample.name, version: '1.1.0' }] } }))
  await value(line.station.addWebhook({ url: receiver.url, inside: true }))
  token = (await value(line.station.newFactoryToken({}))).token
  // Ports of the system's own choice are not among those that may be set; a few are tried.
  for (let port = 20_000 + (process.pid % 20_000), tries = 0; address === '' && tries < 20; port += 37, tries++) address = (await value(line.station.setFactoryApi({ on: true, port }))).address ?? ''
  sampleName = sample.name
})
afterAll(async () => {
  await line.clock.settle(line.close())
  await receiver.close()
})

type Told = Readonly<{ status: number; body: Record<string, unknown> }>

async function ask(path: string, method: 'get' | 'post', body?: unknown, as = token): Promise<Told> {
  await line.clock.wind(100)
  const answer = await fetch(`${address}${path}`, { method: method.toUpperCase(), headers: { authorization: `Bearer ${as}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  const told = { status: answer.status, body: await answer.json() as Record<string, unknown> }
  const fits = schemaFor(path, method, told.status)
  expect(fits(told.body), `${method} ${path} ${told.status}: ${JSON.stringify(fits.errors)} of ${JSON.stringify(told.body)}`).toBe(true)
  return told
}
const kindIn = ({ body }: Told) => (body['failure'] as { kind: string } | undefined)?.kind

test('the document and the station have the same paths and methods', () => {
  const stated = Object.entries(document.paths).flatMap(([path, operations]) => Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`))
  expect(routes.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(stated.sort())
  expect(document.openapi).toBe('3.1.0')
})

test('a batch is started, watched and stopped, and each answer is as stated', async () => {
  expect((await ask('/v1/openapi.json', 'get')).body).toEqual(document)
  expect(kindIn(await ask('/v1/batch', 'get'))).toBe('no-batch')
  expect(kindIn(await ask('/v1/batch/stop', 'post', {}))).toBe('no-batch')
  expect((await ask('/v1/status', 'get')).body).toMatchObject({ name: 'Slotwright', batch: null, bays: [{ bay: 1, board: 'PB-0001' }, { bay: 2 }] })
  expect((await ask('/v1/recipes', 'get')).body).toMatchObject({ recipes: [{ name: 'Two boards', revision: 1 }] })

  expect(kindIn(await ask('/v1/batch', 'post', { recipe: 'A draft' }))).toBe('no-such-recipe')
  expect(kindIn(await ask('/v1/batch', 'post', { recipe: 'Two boards', file: '../keys/practice.pem' }))).toBe('file-not-in-recipe')
  expect(kindIn(await ask('/v1/batch', 'post', { recipe: 'Two boards' }))).toBe('no-such-file')
  const { file } = await value(line.station.sampleFile({}))
  expect(kindOf(await line.station.startReleased({ recipe: 'r000000000000', file }))).toBe('no-such-recipe')
  copyFileSync(join(line.home, 'practice', sampleName), join(line.home, 'firmware', sampleName))
  const started = await ask('/v1/batch', 'post', { recipe: ' two BOARDS ', quota: 2, bays: [1, 2] })
  expect([started.status, started.body['status'], started.body['recipe']]).toEqual([201, 'running', 'Two boards'])
  expect((await ask('/v1/batch', 'post', { recipe: 'Two boards' })).status).toBe(409)
  expect((await ask('/v1/status', 'get')).body).toMatchObject({ batch: { status: 'running' } })
  await line.finish()
  expect((await ask('/v1/batch', 'get')).body).toMatchObject({ status: 'ended', counts: { confirmed: 2 } })

  // Both run it now; the next batch is stopped, or has nothing to do.
  await ask('/v1/batch', 'post', { recipe: 'Two boards' })
  const stopping = ask('/v1/batch/stop', 'post', {})
  expect((await line.clock.settle(stopping)).body).toMatchObject({ status: 'ended' })
  expect((await ask('/v1/status', 'get', undefined, 'wrong')).status).toBe(401)
  const { entries } = await value(line.station.listLog({ kind: 'batch-started' }))
  expect(entries.map(({ person }) => person)).toEqual(['factory interface', 'factory interface'])
})

test('every event that was told has the stated form, and they came in the order of the log', async () => {
  const fits = schemaAt('/webhooks/event/post/requestBody/content/application~1json/schema')
  await value(line.station.testHook({ hook: (await value(line.station.listHooks({})))[0]?.id ?? '' }))
  // The last one is the checkpoint over the second batch; the network takes its own time, the wound clock none.
  const ended = () => receiver.got.filter(({ event }) => event.type === 'batch.ended').length
  while (ended() < 2 || receiver.got.at(-1)?.event.type !== 'checkpoint') {
    await line.clock.wind(100)
    await receiver.received(receiver.got.length + (ended() < 2 ? 1 : 0))
  }
  const events = receiver.got.map(({ event }) => event)
  for (const event of events) expect(fits(event), `${JSON.stringify(fits.errors)} of ${JSON.stringify(event)}`).toBe(true)
  expect(new Set(events.map(({ type }) => type))).toEqual(new Set(['batch.started', 'run.ended', 'batch.ended', 'refusal', 'checkpoint', 'test']))
  const numbers = events.filter(({ type }) => type !== 'checkpoint' && type !== 'test').map(({ entry }) => entry)
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
  expect(fits({ ...events[0], type: 'another' })).toBe(false)
})
