// One event over the wire, to a real server: signed so that others can check it, judged by the answer, and never sent on to
// where the owner did not say.
import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { FactoryEvent, Sink } from '../../main/factory/event.ts'
import { openWebhook, secretText, signatureOf, webhookTimeoutMs } from '../../main/factory/webhook.ts'
import { WoundClock } from '../smp/wound-clock.ts'
import { kindOf } from '../station/house.ts'
import { Receiver } from './receiver.ts'

const event: FactoryEvent = { id: 'ab'.repeat(32), type: 'run.ended', timestamp: '2026-01-01T00:00:00.000Z', station: 'Line 3', entry: 7, person: '', kind: 'outcome', data: { unit: 'Größe 4', outcome: 'confirmed' } }
const secret = Buffer.from('an example of a secret, 32 bytes')
const forever = new AbortController().signal

let receiver: Receiver
let clock: WoundClock
let sink: Sink
beforeEach(async () => {
  receiver = await Receiver.open()
  clock = new WoundClock()
  sink = openWebhook({ url: receiver.url, secret, inside: true, clock })
})
afterEach(async () => {
  sink.close()
  await receiver.close()
})

test('the signature is that of the published example of Standard Webhooks', () => {
  const published = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64')
  expect(signatureOf(published, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, '{"test": 2432232314}')).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
  expect(secretText(published)).toBe('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')
})

test('what arrives is the event, whole, with a signature over exactly these bytes', async () => {
  expect(await sink.deliver(event, forever)).toBe(null)
  const [got] = receiver.got
  expect(got?.event).toEqual(event)
  const { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': signature, 'content-type': type } = got?.headers ?? {}
  expect([id, seconds, type, got?.path]).toEqual([event.id, String(Date.UTC(2026, 0, 1) / 1000), 'application/json', '/events'])
  expect(signature).toBe(`v1,${createHmac('sha256', secret).update(`${String(id)}.${String(seconds)}.${got?.body ?? ''}`).digest('base64')}`)
})

test('a redirect is not followed: the event is not brought to an address that nobody set', async () => {
  const elsewhere = await Receiver.open()
  receiver.answer = (response) => response.writeHead(307, { Location: elsewhere.url }).end()
  const wrong = await sink.deliver(event, forever)
  expect(kindOf(wrong)).toBe('receiver-errs')
  expect(wrong?.says).toContain('redirects are not followed')
  expect(elsewhere.got).toEqual([])
  await elsewhere.close()
})

test('whatever a receiver answers is judged by its status, however much it says', async () => {
  await fc.assert(fc.asyncProperty(fc.integer({ min: 200, max: 599 }).filter((status) => status !== 204 && status !== 304 && status !== 205), fc.nat(200_000), async (status, bytes) => {
    receiver.answer = (response) => response.writeHead(status).end('x'.repeat(bytes))
    const kind = kindOf(await sink.deliver(event, forever))
    expect(kind).toBe(status < 300 ? 'done' : [400, 405, 410, 413, 415, 422].includes(status) ? 'receiver-refuses' : 'receiver-errs')
  }), { numRuns: 60 })
})

test('a receiver that answers nothing is given up after the stated time, and one that is not there at once', async () => {
  receiver.answer = () => {}
  const hanging = sink.deliver(event, forever)
  await receiver.received(1)
  await clock.wind(webhookTimeoutMs)
  expect(kindOf(await hanging)).toBe('receiver-away')
  expect(clock.pending).toBe(0)
  await receiver.close()
  expect(kindOf(await sink.deliver(event, forever))).toBe('receiver-away')
})

test('a receiver that drops the line in the middle of its answer has not taken the event', async () => {
  receiver.answer = (response) => response.socket?.destroy()
  expect(kindOf(await sink.deliver(event, forever))).toBe('receiver-away')
})

test('an end of the station breaks an attempt off at once', async () => {
  const stopping = new AbortController()
  receiver.answer = () => {}
  const hanging = sink.deliver(event, stopping.signal)
  await receiver.received(1)
  stopping.abort()
  expect(kindOf(await hanging)).toBe('receiver-away')
})

test('an address inside is not connected to unless that was said, whatever the hook was when it was kept', async () => {
  const tricked = openWebhook({ url: receiver.url, secret, inside: false, clock })
  expect(kindOf(await tricked.deliver(event, forever))).toBe('not-encrypted')
  const named = openWebhook({ url: `https://localhost:${receiver.port}/`, secret, inside: false, clock })
  expect(kindOf(await named.deliver(event, forever))).toBe('address-inside')
  tricked.close()
  named.close()
  expect(receiver.got).toEqual([])
})
