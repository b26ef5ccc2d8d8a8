// Real pseudo-terminals through the real serialport package: open, hold, pull, come back.
import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SerialPort } from 'serialport'
import { afterEach, describe, expect, test } from 'vitest'
import { utf8 } from '../../main/base/bytes.ts'
import { realClock } from '../../main/base/clock.ts'
import { Failure } from '../../main/base/failure.ts'
import { DescriptorLink } from '../../main/link/descriptor.ts'
import { openHolder } from '../../main/link/holder.ts'
import { openSerial } from '../../main/link/serial.ts'
import { SmpClient } from '../../main/smp/client.ts'
import { LineDecoder, encodeLines } from '../../main/smp/line.ts'
import type { Link } from '../../main/smp/link.ts'
import { decodeMessage, encodeMessage } from '../../main/smp/message.ts'
import type { SmpMessage } from '../../main/smp/message.ts'
import { echo } from '../../main/smp/os.ts'
import { Terminal } from './terminal.ts'

const toClose: (() => unknown)[] = []
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close()
})

function terminal(): Terminal {
  const made = new Terminal()
  toClose.push(() => made.unplug())
  return made
}

async function opened(path: string): Promise<Link> {
  const link = await openSerial({ path, baudRate: 1_000_000 })
  if (link instanceof Failure) throw new Error(link.says)
  toClose.push(() => link.close())
  return link
}

/** As on systems where libuv does not read from a terminal: the port's poller is asked. */
async function polled(path: string): Promise<Link> {
  const link = new DescriptorLink(path, await SerialPort.binding.open({ path, baudRate: 1_000_000, lock: true, hupcl: false, vmin: 1, vtime: 0 }))
  toClose.push(() => link.close())
  return link
}

const ways = [{ way: 'read by libuv', opened }, { way: 'polled', opened: polled }]

async function refused(path: string, baudRate?: number): Promise<Failure> {
  const link = await openSerial({ path, baudRate })
  if (link instanceof Failure) return link
  await link.close()
  throw new Error(`${path} was opened`)
}

function nextBytes(link: Link, count: number): Promise<Uint8Array> {
  return new Promise((resolve) => {
    let heard = new Uint8Array(0)
    const stop = link.onBytes((bytes) => {
      heard = Uint8Array.from([...heard, ...bytes])
      if (heard.length < count) return
      stop()
      resolve(heard)
    })
  })
}

test.each(ways)('every byte value passes in both directions unchanged, $way', async ({ opened }) => {
  const board = terminal()
  const link = await opened(board.path)
  const all = Uint8Array.from({ length: 256 }, (_, i) => i)
  expect(await link.write(all)).toBeUndefined()
  expect([...(await board.hear(256))]).toEqual([...all])
  const heard = nextBytes(link, 256)
  board.say(all)
  expect([...(await heard)]).toEqual([...all])
})

test.each(ways)('a line that stands still loses nothing and keeps the order, $way', async ({ opened }) => {
  const board = terminal()
  const link = await opened(board.path)
  board.stall()
  const sent = Array.from({ length: 60 }, (_, i) => new Uint8Array(1000).fill(i))
  const writes = sent.map((bytes) => link.write(bytes))
  // Bytes keep arriving meanwhile: waiting to read must not make it forget that it wants to write.
  const heard = nextBytes(link, 5)
  board.say(utf8('hello'))
  await heard
  board.go()
  expect((await Promise.all(writes)).every((result) => result === undefined)).toBe(true)
  const all = await board.hear(60_000)
  expect(all.every((byte, i) => byte === Math.floor(i / 1000))).toBe(true)
})

test('an SMP conversation over it', async () => {
  const board = terminal()
  const client = new SmpClient(await opened(board.path), realClock)
  toClose.push(() => client.close())
  const answer = client.request(echo, { text: 'over the wire' })
  const wire = await board.hear(encodeLines(encodeMessage({ op: 'write', version: 1, group: 0, command: 0, seq: 0, body: { d: 'over the wire' } })).length)
  const asked = decodeMessage(new LineDecoder().push(wire)[0]!) as SmpMessage
  board.say(utf8('uart:~$ '))
  board.say(encodeLines(encodeMessage({ ...asked, op: 'write-rsp', body: { r: asked.body['d']! } }, { lengths: 'indefinite' })))
  expect(await answer).toEqual({ text: 'over the wire' })
})

test('a port opened and closed again and again leaves no descriptor behind', async () => {
  const board = terminal()
  const openNow = () => readdirSync('/proc/self/fd').length
  await (await opened(board.path)).close()
  const before = openNow()
  for (let i = 0; i < 20; i++) await (await opened(board.path)).close()
  expect(openNow()).toBe(before)
})

describe.each(ways)('unplugged, $way', ({ opened }) => {
  test('while idle: told once, at once to whoever asks later, and nothing can be written', async () => {
    const board = terminal()
    const link = await opened(board.path)
    let told = 0
    const gone = new Promise<Failure>((resolve) => link.onClosed((why) => (told++, resolve(why))))
    board.unplug()
    expect((await gone).kind).toBe('unplugged')
    const later = await new Promise<Failure>((resolve) => link.onClosed(resolve))
    expect(later.kind).toBe('unplugged')
    expect(await link.write(utf8('x'))).toMatchObject({ kind: 'unplugged' })
    await link.close()
    expect(told).toBe(1)
  })

  test('with writes under way: each of them fails', async () => {
    const board = terminal()
    const link = await opened(board.path)
    board.stall()
    const writes = Array.from({ length: 40 }, () => link.write(new Uint8Array(1000)))
    board.unplug()
    const results = await Promise.all(writes)
    expect(results.at(-1)).toMatchObject({ kind: 'unplugged' })
  })

  test('an exchange fails as unplugged long before its deadline', async () => {
    const board = terminal()
    const client = new SmpClient(await opened(board.path), realClock, { replyTimeoutMs: 60_000 })
    const answer = client.request(echo, { text: 'a' })
    board.unplug()
    expect(await answer).toMatchObject({ kind: 'unplugged' })
  })

  test('a client made on a link that is gone already fails its requests', async () => {
    const board = terminal()
    const link = await opened(board.path)
    const gone = new Promise((resolve) => link.onClosed(resolve))
    board.unplug()
    await gone
    expect(await new SmpClient(link, realClock).request(echo, { text: 'a' })).toMatchObject({ kind: 'unplugged' })
  })
})

test('a hung-up port that answers each read with nothing is gone, not read for ever', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'slotwright-link-'))
  toClose.push(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'nothing'), '')
  const fd = openSync(join(folder, 'nothing'), 'r')
  const poller = Object.assign(new EventEmitter(), { poll: () => {} })
  let closed = 0
  const link = new DescriptorLink('/dev/hungup', { fd, poller, set: () => Promise.resolve(), close: () => (closed++, closeSync(fd), Promise.resolve()) })
  const gone = new Promise<Failure>((resolve) => link.onClosed(resolve))
  poller.emit('readable', null)
  expect((await gone).kind).toBe('unplugged')
  expect([closed, poller.listenerCount('readable'), poller.listenerCount('writable')]).toEqual([1, 0, 0])
})

test('a write that finds the port gone returns before anybody is told: who asked has not yet said what to do then', async () => {
  const fd = openSync('/dev/null', 'r')
  const link = new DescriptorLink('/dev/gone', { fd, poller: Object.assign(new EventEmitter(), { poll: () => {} }), set: () => Promise.resolve(), close: () => (closeSync(fd), Promise.resolve()) })
  const order: string[] = []
  link.onClosed(() => order.push('told'))
  const written = link.write(utf8('x'))
  order.push('returned')
  expect(await written).toMatchObject({ kind: 'unplugged' })
  expect(order).toEqual(['returned', 'told'])
})

test('an exchange whose first write finds the port gone fails as unplugged', async () => {
  const fd = openSync('/dev/null', 'r')
  const link = new DescriptorLink('/dev/gone', { fd, poller: Object.assign(new EventEmitter(), { poll: () => {} }), set: () => Promise.resolve(), close: () => (closeSync(fd), Promise.resolve()) })
  const stop = new AbortController()
  expect(await new SmpClient(link, realClock).request(echo, { text: 'a' }, { signal: stop.signal })).toMatchObject({ kind: 'unplugged' })
})

test('closing is no unplugging, may be done twice, and lets the next one in', async () => {
  const board = terminal()
  const link = await opened(board.path)
  let told = false
  link.onClosed(() => (told = true))
  await Promise.all([link.close(), link.close()])
  expect(told).toBe(false)
  expect(await link.write(utf8('x'))).toMatchObject({ kind: 'stopped' })
  const again = await opened(board.path)
  expect(await again.write(utf8('again'))).toBeUndefined()
  expect((await board.hear(5)).toString()).toBe('again')
})

describe('a port that cannot be opened', () => {
  test('held by another program: its name and number', async () => {
    const board = terminal()
    const holder = spawn('flock', ['--exclusive', board.path, 'sh', '-c', 'echo held; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'], detached: true })
    toClose.push(async () => {
      const ended = once(holder, 'exit')
      process.kill(-holder.pid!, 'SIGKILL')
      await ended
    })
    await once(holder.stdout, 'data')
    const failure = await refused(board.path)
    expect(failure).toMatchObject({ kind: 'port-held', facts: { pid: holder.pid, command: 'flock' } })
    expect(failure.says).toContain('flock')
  })

  test('held by this very station', async () => {
    const board = terminal()
    await opened(board.path)
    expect(await refused(board.path)).toMatchObject({ kind: 'port-held', facts: { pid: process.pid, command: 'this station' } })
  })

  test('held by another command or window of ours: not by a program called electron', async () => {
    const board = terminal()
    const fd = openSync(board.path, 'r+')
    toClose.push(() => closeSync(fd))
    const holder = spawn(process.execPath, ['-e', 'process.stdin.resume(); console.log("open")'], { stdio: [fd, 'pipe', 'inherit'], env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' } })
    toClose.push(async () => {
      const ended = once(holder, 'exit')
      holder.kill('SIGKILL')
      await ended
    })
    await once(holder.stdout!, 'data')
    expect(await openHolder(board.path)).toEqual({ pid: holder.pid, command: 'another Slotwright' })
  })

  test.each([
    ['does not exist', '/dev/ttyNOPE7', 'no-such-port'],
    ['is a folder', '/dev', 'not-a-port'],
    ['is no terminal', '/dev/null', 'not-a-port'],
  ])('%s', async (_, path, kind) => {
    const failure = await refused(path)
    expect(failure.kind).toBe(kind)
    expect(failure.says).toContain(path)
  })

  test('is a file, or a link to nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'slotwright-link-'))
    toClose.push(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'firmware.bin'), 'x')
    symlinkSync(join(folder, 'gone'), join(folder, 'ttyP0'))
    expect((await refused(join(folder, 'firmware.bin'))).kind).toBe('not-a-port')
    expect((await refused(join(folder, 'ttyP0'))).kind).toBe('no-such-port')
  })

  test.each([0, -1, 1.5, 49, 1e9])('with the baud rate %s', async (baudRate) => {
    expect((await refused(terminal().path, baudRate)).kind).toBe('bad-baud-rate')
  })
})
