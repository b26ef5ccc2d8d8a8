// One event to one address, signed as "Standard Webhooks" 1.0 says: HMAC-SHA256 over id.timestamp.body, base64 behind `v1,`,
// the secret written as whsec_ and base64. Receivers have libraries for it, and the timestamp lets them refuse a replay.
// Redirects are not followed: what is redirected is not the place that the owner set.
import { createHmac } from 'node:crypto'
import { Agent as PlainAgent, request as plainRequest } from 'node:http'
import { Agent as SafeAgent, request as safeRequest } from 'node:https'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import type { Clock } from '../base/clock.ts'
import { Failure } from '../base/failure.ts'
import { hostOf, insideCode, isInside, lookupOutside } from './address.ts'
import type { FactoryEvent, Sink } from './event.ts'

export const webhookTimeoutMs = 10_000
/** What a receiver answers beyond this is not read. */
const answerBytesMax = 64 * 1024
/** Answers that mean: not this event, not today and not tomorrow. */
const never = new Set([400, 405, 410, 413, 415, 422])

export type Webhook = Readonly<{ url: string; secret: Uint8Array; inside: boolean; clock: Clock; /** For the tests' own authorities. */ ca?: string }>

/** The form in which a secret is shown and given to receivers. */
export const secretText = (secret: Uint8Array): string => `whsec_${Buffer.from(secret).toString('base64')}`

/** The header `webhook-signature` for a body sent at that time (seconds). */
export function signatureOf(secret: Uint8Array, id: string, seconds: number, body: string): string {
  return `v1,${createHmac('sha256', secret).update(`${id}.${seconds}.${body}`).digest('base64')}`
}

/** What is wrong with the address itself, before anything is sent; null: nothing. */
export function checkAddress(url: string, inside: boolean): Failure | null {
  const address = new URL(url)
  if (inside) return null
  if (address.protocol === 'http:') return new Failure('not-encrypted', 'Without encryption events go to addresses inside the house only. Use https, or say that the address is inside (--inside).')
  const host = hostOf(address)
  return (isIP(host) !== 0 && isInside(host)) || /(^|\.)localhost\.?$/i.test(host) ? insideFailure(host) : null
}

export function openWebhook(hook: Webhook): Sink {
  const url = new URL(hook.url)
  const safe = url.protocol === 'https:'
  const agent = new (safe ? SafeAgent : PlainAgent)({ keepAlive: true, maxSockets: 1, timeout: webhookTimeoutMs })
  return {
    deliver: (event, signal) => deliver(hook, url, safe ? safeRequest : plainRequest, agent, event, signal),
    close: () => agent.destroy(),
  }
}

async function deliver({ secret, inside, clock, ca }: Webhook, url: URL, request: typeof safeRequest, agent: PlainAgent, event: FactoryEvent, signal: AbortSignal): Promise<Failure | null> {
  const wrong = checkAddress(url.href, inside)
  if (wrong !== null) return wrong
  const body = JSON.stringify(event)
  const seconds = Math.floor(clock.wallMs() / 1000)
  const headers = {
    'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(body)), 'User-Agent': 'Slotwright',
    'webhook-id': event.id, 'webhook-timestamp': String(seconds), 'webhook-signature': signatureOf(secret, event.id, seconds, body),
  }
  return await new Promise((resolve) => {
    const ask: ClientRequest = request(url, { method: 'POST', headers, agent, signal, ...(ca === undefined ? {} : { ca }), ...(inside ? {} : { lookup: lookupOutside() }) }, (answer) => take(answer, url, end))
    const cancel = clock.after(webhookTimeoutMs, () => {
      end(away(url, `nothing came within ${webhookTimeoutMs / 1000} seconds`))
      ask.destroy()
    })
    function end(how: Failure | null): void {
      cancel()
      resolve(how)
    }
    ask.on('error', (error: NodeJS.ErrnoException) => end(error.code === insideCode ? insideFailure(`${hostOf(url)} (${error.message})`) : away(url, error.code ?? 'it broke off')))
    ask.end(body)
  })
}

/** The status is the answer; the rest is read away so that the connection can be used again. */
function take(answer: IncomingMessage, url: URL, end: (how: Failure | null) => void): void {
  const { statusCode: status = 0 } = answer
  let bytes = 0
  const how = status >= 200 && status < 300 ? null : judged(status, url)
  answer.on('data', (part: Buffer) => {
    bytes += part.length
    if (bytes <= answerBytesMax) return
    end(how)
    answer.destroy()
  })
  answer.on('end', () => end(how))
  answer.on('error', () => end(how))
}

function judged(status: number, { host }: URL): Failure {
  if (status >= 300 && status < 400) return new Failure('receiver-errs', `${host} sends the event elsewhere (${status}), and redirects are not followed. Set the final address.`, { status })
  if (never.has(status)) return new Failure('receiver-refuses', `${host} does not take this event (${status}).`, { status })
  if (status === 401 || status === 403) return new Failure('receiver-errs', `${host} does not accept the signature (${status}). Give it this hook's secret, or make the hook anew.`, { status })
  return new Failure('receiver-errs', `${host} answers ${status}.`, { status })
}

const away = ({ host }: URL, why: string): Failure => new Failure('receiver-away', `${host} is not reached: ${why}. Look at the network and the receiver; the events wait.`)
const insideFailure = (host: string): Failure => new Failure('address-inside', `${host} lies inside the house's own network. If that is meant, make the hook with that said (--inside).`)
