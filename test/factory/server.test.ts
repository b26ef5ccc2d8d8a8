// The door as whoever stands before it finds it: without the token nothing is learnt, a browser gets nowhere, and no request,
// however it is made, brings the server down or gets more than a sentence.
import { request as plainRequest } from 'node:http'
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Failure } from '../../main/base/failure.ts'
import type { StationApi } from '../../main/contract/api.ts'
import { listen } from '../../main/factory/server.ts'
import type { Listening } from '../../main/factory/server.ts'
import { WoundClock } from '../smp/wound-clock.ts'
import { value } from '../scenarios/simulation.ts'
import { kindOf } from '../station/house.ts'

type Reply = Readonly<{ status: number; headers: IncomingHttpHeaders; body: string }>

const token = 'a-token_of-22-letters1'
let clock: WoundClock
let door: Listening
let calls: string[]
let turnedAway: number
let faults: unknown[]

const api = new Proxy({}, { get: (_from, name: string) => () => { calls.push(name); return Promise.resolve(name === 'listRecipes' ? [] : new Failure('no-batch', `No answer of ${name} in this test.`)) } }) as StationApi

beforeEach(async () => {
  clock = new WoundClock()
  calls = []
  faults = []
  turnedAway = 0
  door = await value(listen({ api, folder: '/nowhere', clock, fits: (given) => given === token, turnedAway: () => { turnedAway += 1 }, report: (error) => faults.push(error) }, { host: '127.0.0.1', port: 0 }))
})
afterEach(() => door.close())

async function ask(method: string, path: string, headers: OutgoingHttpHeaders = {}, body?: string | Buffer): Promise<Reply> {
  await clock.wind(1_000)
  return await new Promise((resolve, reject) => {
    const asked = plainRequest({ host: '127.0.0.1', port: door.port, method, path, headers: { authorization: `Bearer ${token}`, ...headers }, agent: false }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part: string) => { text += part }).on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }))
    })
    asked.on('error', reject)
    asked.end(body)
  })
}
const kindIn = ({ body }: Reply) => (JSON.parse(body) as { failure: { kind: string } }).failure.kind
const json = { 'content-type': 'application/json' }

test('with the token and the right address it answers', async () => {
  const reply = await ask('GET', '/v1/recipes')
  expect([reply.status, reply.body]).toEqual([200, '{"recipes":[]}'])
  expect(reply.headers).toMatchObject({ 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
})

test.each([
  ['no token', { authorization: '' }], ['another token', { authorization: 'Bearer a-token_of-22-letters2' }], ['the token as a password', { authorization: `Basic ${token}` }],
  ['the token twice', { authorization: `Bearer ${token} ${token}` }], ['a very long token', { authorization: `Bearer ${'a'.repeat(4_000)}` }],
])('%s: nothing is learnt, not even which paths there are', async (_what, headers) => {
  for (const [method, path] of [['GET', '/v1/status'], ['GET', '/v1/openapi.json'], ['POST', '/v1/batch'], ['GET', '/nothing']] as const) {
    const reply = await ask(method, path, { ...headers, ...json }, method === 'POST' ? '{}' : undefined)
    expect([reply.status, kindIn(reply), reply.headers['www-authenticate']]).toEqual([401, 'no-token', 'Bearer'])
  }
  expect(calls).toEqual([])
  expect(turnedAway).toBe(4)
})

test.each([
  ['a name that leads here (DNS rebinding)', { host: 'evil.example' }], ['the right host without its port', { host: '127.0.0.1' }], ['another port', { host: '127.0.0.1:1' }], ['a name that begins like ours', { host: '127.0.0.1.evil.example' }],
])('%s is refused, though the token is right', async (_what, headers) => {
  const reply = await ask('GET', '/v1/status', headers)
  expect([reply.status, kindIn(reply)]).toEqual([403, 'refused-host'])
  expect([calls, turnedAway]).toEqual([[], 1])
})

test('a station that listens on all its addresses is called by any of them, and still by no name', async () => {
  await door.close()
  door = await value(listen({ api, folder: '', clock, fits: (given) => given === token, turnedAway: () => { turnedAway += 1 }, report: (error) => faults.push(error) }, { host: '0.0.0.0', port: 0 }))
  for (const host of [`192.168.7.7:${door.port}`, `[fd00::7]:${door.port}`]) expect((await ask('GET', '/v1/recipes', { host })).status).toBe(200)
  for (const host of ['192.168.7.7', `192.168.7.7:${door.port - 1}`, `evil.example:${door.port}`, `1.2.3.4.evil.example:${door.port}`, `192.168.7:${door.port}`, `[fd00::7:${door.port}`]) expect((await ask('GET', '/v1/recipes', { host })).status).toBe(403)
})

test('a page in a browser is refused, and no header ever lets one read an answer', async () => {
  for (const headers of [{ origin: 'http://evil.example' }, { origin: 'null' }, { origin: door.address }, { 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'cross-site' }]) {
    const reply = await ask('GET', '/v1/recipes', headers)
    expect([reply.status, kindIn(reply)]).toEqual([403, 'refused-browser'])
  }
  const preflight = await ask('OPTIONS', '/v1/batch', { origin: 'http://evil.example', 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' })
  expect(preflight.status).toBe(403)
  for (const { headers } of [preflight, await ask('GET', '/v1/recipes')]) expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
})

test.each([
  ['GET', '/v1/nothing', {}, undefined, 404, 'no-such-path'], ['GET', '/../../etc/passwd', {}, undefined, 404, 'no-such-path'], ['GET', '/v1/../v1/status', {}, undefined, 404, 'no-such-path'],
  ['DELETE', '/v1/batch', {}, undefined, 405, 'wrong-method'], ['POST', '/v1/status', json, '{}', 405, 'wrong-method'],
  ['POST', '/v1/batch', {}, '{"recipe":"x"}', 415, 'not-json'], ['POST', '/v1/batch', { 'content-type': 'text/plain' }, '{"recipe":"x"}', 415, 'not-json'],
  ['POST', '/v1/batch', { 'content-type': 'application/x-www-form-urlencoded' }, 'recipe=x', 415, 'not-json'], ['POST', '/v1/batch', json, '{', 400, 'bad-body'], ['POST', '/v1/batch', json, Buffer.from([0x22, 0xff, 0x22]), 400, 'bad-body'],
  ['POST', '/v1/batch', json, '{}', 400, 'bad-body'], ['POST', '/v1/batch', json, '{"recipe":"x","path":"/etc/passwd"}', 400, 'bad-body'], ['POST', '/v1/batch', json, '{"recipe":"x","__proto__":{"quota":1}}', 400, 'bad-body'],
  ['POST', '/v1/batch', json, `{"recipe":"x"${' '.repeat(20_000)}}`, 413, 'body-too-long'], ['POST', '/v1/batch', json, '{"recipe":"none of that name"}', 404, 'no-such-recipe'],
] as const)('%s %s %o %s: %i', async (method, path, headers, body, status, kind) => {
  const reply = await ask(method, path, headers, body)
  expect([reply.status, kindIn(reply)]).toEqual([status, kind])
})

test('who asks too fast is told so, and the line is not slowed down by it', async () => {
  const first = await ask('GET', '/v1/recipes')
  const statuses = [first.status]
  // The clock stands still, so the bucket is not filled again.
  for (let request = 0; request < 30; request++) statuses.push(await new Promise<number>((resolve) => plainRequest({ host: '127.0.0.1', port: door.port, path: '/v1/recipes', headers: { authorization: `Bearer ${token}` }, agent: false }, (answer) => { answer.resume(); resolve(answer.statusCode ?? 0) }).end()))
  expect(statuses.filter((status) => status === 200)).toHaveLength(20)
  expect(statuses.filter((status) => status === 429)).toHaveLength(11)
  expect((await ask('GET', '/v1/recipes')).status).toBe(200)
})

test('whatever is sent down the line, the answer is a sentence or nothing, and the next one is served', async () => {
  const pieces = fc.array(fc.oneof(fc.constantFrom('GET ', 'POST ', '/v1/batch', ' HTTP/1.1\r\n', `Host: 127.0.0.1:${door.port}\r\n`, `Authorization: Bearer ${token}\r\n`, 'Content-Type: application/json\r\n', 'Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n', 'Expect: 100-continue\r\n', 'Upgrade: websocket\r\nConnection: Upgrade\r\n', '\r\n', '{"recipe":"x"}', '\u0000', 'a'.repeat(9_000)), fc.string()), { maxLength: 12 })
  await fc.assert(fc.asyncProperty(pieces, async (parts) => {
    await clock.wind(1_000)
    const said = await new Promise<string>((resolve) => {
      let text = ''
      const socket = connect(door.port, '127.0.0.1', () => socket.end(parts.join('')))
      socket.on('data', (part: Buffer) => { text += part.toString('latin1') }).on('error', () => resolve(text)).on('close', () => resolve(text))
    })
    expect(said).not.toMatch(/ {4}at |^HTTP\/1.1 5|"recipes"/)
  }), { numRuns: 40 })
  expect((await ask('GET', '/v1/recipes')).status).toBe(200)
  expect(faults).toEqual([])
})

test('a fault of ours is told to the station\'s own terminal, and as one sentence outside', async () => {
  const broken = await value(listen({ api: { listRecipes: () => { throw new Error('the secret is 4711') } } as unknown as StationApi, folder: '', clock, fits: () => true, turnedAway: () => {}, report: (error) => faults.push(error) }, { host: '127.0.0.1', port: 0 }))
  const before = door
  door = broken
  const reply = await ask('GET', '/v1/recipes')
  door = before
  await broken.close()
  expect([reply.status, kindIn(reply)]).toEqual([500, 'station-fault'])
  expect(reply.body).not.toContain('4711')
  expect(faults).toHaveLength(1)
})

test('a port that is taken and an address that is none are told in words', async () => {
  const world = { api, folder: '', clock, fits: () => false, turnedAway: () => {}, report: () => {} }
  expect(kindOf(await listen(world, { host: '127.0.0.1', port: door.port }))).toBe('port-taken')
  expect(kindOf(await listen(world, { host: 'localhost', port: 0 }))).toBe('bad-host')
  expect(kindOf(await listen(world, { host: '203.0.113.77', port: 0 }))).toBe('cannot-listen')
})
