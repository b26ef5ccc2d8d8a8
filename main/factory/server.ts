// The station's HTTP interface for the factory. Whoever has no token learns nothing. Against a browser on this very machine,
// which any page can make send requests: the Host header must be the address listened on (DNS rebinding), a request that
// names an origin is refused, no CORS header is ever sent, and bodies must say that they are JSON (RFC 9110, Fetch).
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isIP } from 'node:net'
import type { Clock } from '../base/clock.ts'
import { Failure, failed } from '../base/failure.ts'
import { failureAnswer, routes } from './routes.ts'
import type { Answer, RouteWorld } from './routes.ts'

export type DoorWorld = RouteWorld & Readonly<{
  clock: Clock
  /** Whether this is the token, in a time that says nothing about it. */
  fits(token: string): boolean
  turnedAway(): void
  /** A fault of ours, for the station's own terminal. */
  report(error: unknown): void
}>

export type Listening = Readonly<{ address: string; port: number; close(): Promise<void> }>

const bodyBytesMax = 16 * 1024
const headerBytesMax = 8 * 1024
const connectionsMax = 32
/** From the first byte of a request to its last. */
const requestTimeoutMs = 10_000
/** Requests a second, over all clients; the line comes first. */
const requestsASecond = 20

/** Listens on an IP address. Kinds: `bad-host`, `port-taken`, `cannot-listen`. */
export async function listen(world: DoorWorld, { host, port }: Readonly<{ host: string; port: number }>): Promise<Listening | Failure> {
  if (isIP(host) === 0) return new Failure('bad-host', `"${host}" is no IP address. Name the one of this computer that others are to reach, or 127.0.0.1 for this computer alone.`)
  const pace = paceOf(world.clock)
  const server = createServer({ maxHeaderSize: headerBytesMax, requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs, connectionsCheckingInterval: 1_000, keepAliveTimeout: 5_000, noDelay: true }, (request, response) => {
    answerOf(world, admits(host, (server.address() as AddressInfo | null)?.port ?? port), pace, request).catch((error: unknown) => {
      world.report(error)
      return failureAnswer(new Failure('station-fault', 'There is a fault in the station. Its own terminal says more.'))
    }).then((answer) => send(request, response, answer), world.report)
  })
  server.maxConnections = connectionsMax
  server.on('clientError', (_, socket) => socket.destroy())
  const wrong = await listening(server, host, port)
  if (wrong !== null) return wrong
  const at = server.address() as AddressInfo
  return { address: `http://${isIP(host) === 6 ? `[${host}]` : host}:${at.port}`, port: at.port, close: () => closing(server) }
}

/** What clients may call this host. A station that listens on all its addresses is called by any, since those are no names to rebind. */
function admits(host: string, port: number): (named: string) => boolean {
  if (host === '127.0.0.1' || host === '::1') return (named) => ['127.0.0.1', 'localhost', '[::1]'].some((name) => named === `${name}:${port}`)
  if (host !== '0.0.0.0' && host !== '::') return (named) => named === `${isIP(host) === 6 ? `[${host}]` : host}:${port}`
  return (named) => {
    const [, six, four, to] = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+)):([0-9]{1,5})$/.exec(named) ?? []
    return isIP(six ?? four ?? '') !== 0 && Number(to) === port
  }
}

function listening(server: Server, host: string, port: number): Promise<Failure | null> {
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'EADDRINUSE' ? new Failure('port-taken', `Port ${port} is taken by another program. Choose another.`, { port }) : new Failure('cannot-listen', `The station cannot listen on ${host}, port ${port}: ${error.code ?? error.message}.`, { port }))
    })
    server.listen({ host, port, exclusive: true }, () => resolve(null))
  })
}

function closing(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

/** A bucket that fills by the clock; false when it is empty. */
function paceOf(clock: Clock): () => boolean {
  let [left, atMs] = [requestsASecond, clock.monotonicMs()]
  return () => {
    const nowMs = clock.monotonicMs()
    left = Math.min(requestsASecond, left + ((nowMs - atMs) / 1000) * requestsASecond)
    atMs = nowMs
    if (left < 1) return false
    left -= 1
    return true
  }
}

async function answerOf(world: DoorWorld, admitted: (named: string) => boolean, pace: () => boolean, request: IncomingMessage): Promise<Answer> {
  const refused = guard(world, admitted, pace, request)
  if (refused !== null) return failureAnswer(refused)
  const path = (request.url ?? '').replace(/\?.*$/, '')
  const here = routes.filter((route) => route.path === path)
  const route = here.find(({ method }) => method === request.method)
  if (here.length === 0) return failureAnswer(new Failure('no-such-path', 'There is nothing at this path. GET /v1/openapi.json describes all there are.'))
  if (route === undefined) return failureAnswer(new Failure('wrong-method', `This path takes ${here.map(({ method }) => method).join(' and ')}.`))
  const body = route.body === null ? null : await bodyOf(request)
  if (failed(body)) return failureAnswer(body)
  const checked = route.body?.safeParse(body)
  if (checked !== undefined && !checked.success) return failureAnswer(new Failure('bad-body', `The body does not fit: ${checked.error.issues[0]?.path.map(String).join('.') || 'it'}: ${checked.error.issues[0]?.message ?? 'wrong'}.`))
  const answer = await route.answer(world, checked?.data)
  return failed(answer) ? failureAnswer(answer) : answer
}

function guard(world: DoorWorld, admitted: (named: string) => boolean, pace: () => boolean, request: IncomingMessage): Failure | null {
  if (!pace()) return new Failure('too-fast', `The station answers ${requestsASecond} requests a second. Ask more slowly.`)
  const refused = stranger(world, admitted, request)
  if (refused !== null) world.turnedAway()
  return refused
}

/** In the order in which the least is learnt by whoever may not. */
function stranger(world: DoorWorld, admitted: (named: string) => boolean, { headers }: IncomingMessage): Failure | null {
  if (!admitted((headers.host ?? '').toLowerCase())) return new Failure('refused-host', 'This request was meant for another host. Call the station by the address that it listens on.')
  if (headers.origin !== undefined || (headers['sec-fetch-site'] ?? 'none') !== 'none') return new Failure('refused-browser', 'The station answers programs, not pages in a browser.')
  const [, token] = /^Bearer ([A-Za-z0-9_-]{1,128})$/.exec(headers.authorization ?? '') ?? []
  if (token !== undefined && world.fits(token)) return null
  return new Failure('no-token', 'Send the station\'s token in the header "Authorization: Bearer …".')
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  if (!/^application\/json\s*(;\s*charset=utf-8\s*)?$/i.test(request.headers['content-type'] ?? '')) return new Failure('not-json', 'The body must be JSON, with the header "Content-Type: application/json".')
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > bodyBytesMax) return new Failure('body-too-long', `A body has at most ${bodyBytesMax} bytes.`)
    parts.push(part)
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts))) as unknown
  } catch {
    return new Failure('bad-body', 'The body is no JSON.')
  }
}

function send(request: IncomingMessage, response: ServerResponse, { status, body }: Answer): void {
  const text = JSON.stringify(body)
  // What was not read of a body cannot be told from the next request.
  if (!request.complete) response.shouldKeepAlive = false
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8', 'Content-Length': Buffer.byteLength(text), 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'", 'Cross-Origin-Resource-Policy': 'same-origin',
    ...(status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}),
  })
  response.end(text)
}
