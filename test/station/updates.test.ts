// Updates as an owner lives with them: a folder or a server with releases, honest ones and others; what was fetched is what
// was signed for, an interrupted transfer goes on, a batch is never disturbed, and the log tells each step.
import { execFileSync } from 'node:child_process'
import { X509Certificate, createHash, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createSafeServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { realClock } from '../../main/base/clock.ts'
import { Failure } from '../../main/base/failure.ts'
import type { Signer } from '../../main/base/signer.ts'
import { noteKey, noteKeyText, signNote } from '../../main/log/checkpoint.ts'
import type { NoteKey } from '../../main/log/checkpoint.ts'
import { releaseFile, releaseText } from '../../main/release/manifest.ts'
import { installedHere } from '../../main/station/installation.ts'
import type { Installed } from '../../main/station/installation.ts'
import { Logbook } from '../../main/station/logbook.ts'
import { openStation } from '../../main/station/station.ts'
import type { Station } from '../../main/station/station.ts'
import { Updates } from '../../main/station/updates.ts'
import { party } from '../cms/making.ts'
import { value } from '../scenarios/simulation.ts'
import { SimulatedPorts } from '../scenarios/wire.ts'

const kindOf = (answer: unknown) => (answer instanceof Failure ? answer.kind : 'done')
const bytes = new Uint8Array(3_000_000).map((_, at) => at * 31 + (at >> 8))
const fileName = 'slotwright-0.2.0-x64.AppImage'

function signer(): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }))
  return { publicKey: { algorithm: 'ed25519', spki, encoded: spki }, sign: (what) => Promise.resolve(new Uint8Array(sign(null, 'message' in what ? what.message : new Uint8Array(0), privateKey))) }
}
const owner = signer()
const key = noteKeyText(noteKey('updates.example', owner.publicKey) as NoteKey)

let folder = ''
let station: Station
let server: Server | null = null
const at = (...path: string[]) => join(folder, ...path)

async function publish({ version = '0.2.0', content = bytes, by = owner } = {}): Promise<void> {
  mkdirSync(at('releases'), { recursive: true })
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const text = releaseText({ version, day: '2026-11-23', notes: 'Faster.', files: [{ kind: 'AppImage', arch: 'x64', name: fileName, bytes: bytes.length, sha256 }] }) as string
  writeFileSync(at('releases', releaseFile), (await signNote(text, 'updates.example', by)) as string)
  writeFileSync(at('releases', fileName), content)
}

async function open(installed: Installed | null = { kind: 'AppImage', arch: 'x64', at: at('Slotwright.AppImage') }): Promise<void> {
  station = await value(openStation({ home: at('home'), version: '0.1.0', ports: new SimulatedPorts(), person: 'Ada', installed }))
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'slotwright-updates-'))
  writeFileSync(at('Slotwright.AppImage'), 'the old one')
  await open()
})
afterEach(async () => {
  await station.close()
  server?.closeAllConnections()
  server?.close()
  server = null
  rmSync(folder, { recursive: true, force: true })
})

const use = (source: string, trusted = key) => value(station.setUpdates({ source, key: trusted, atStart: false }))
const kinds = () => station.audit.list({ limit: 100 }) as { entry: { kind: string } }[]
const logged = () => kinds().map(({ entry }) => entry.kind)

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const made = createServer(answer)
  server = made
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(made.address() as AddressInfo).port}/stable`
}

test('a station that looks for updates though nobody set any', async () => {
  expect((await value(station.updates({}))).state).toBe('off')
  expect(kindOf(await station.checkUpdate({}))).toBe('updates-off')
})

test('a release in a folder is found, fetched, put in place, and in the log', async () => {
  await publish()
  await use(at('releases'))
  expect(await value(station.checkUpdate({}))).toMatchObject({ state: 'newer', release: { version: '0.2.0', notes: 'Faster.', bytes: bytes.length } })
  expect(readFileSync(at('Slotwright.AppImage'), 'utf8')).toBe('the old one')
  expect(await value(station.fetchUpdate({}))).toMatchObject({ state: 'fetched', fetchedBytes: bytes.length })
  expect(await value(station.applyUpdate({}))).toMatchObject({ state: 'applied', todo: { says: expect.stringContaining('start it again') } })
  expect(readFileSync(at('Slotwright.AppImage')).equals(bytes)).toBe(true)
  expect(statSync(at('Slotwright.AppImage')).mode & 0o777).toBe(0o755)
  expect(logged()).toEqual(expect.arrayContaining(['settings', 'update-fetched', 'update-applied']))
})

test.each([
  ['signed by another key', { by: signer() }, 'release-not-signed'],
  ['as old as the station', { version: '0.1.0' }, 'current'],
  ['older than the station', { version: '0.0.9' }, 'current'],
])('a release that is %s', async (_, how, expected) => {
  await publish(how)
  await use(at('releases'))
  const answer = await station.checkUpdate({})
  expect(answer instanceof Failure ? answer.kind : answer.state).toBe(expected)
  expect(kindOf(await station.fetchUpdate({}))).toBe('nothing-newer')
})

test('a file that is not the one the release was signed for', async () => {
  await publish({ content: bytes.map((byte, place) => (place === 2_000_000 ? byte ^ 1 : byte)) })
  await use(at('releases'))
  await value(station.checkUpdate({}))
  expect(kindOf(await station.fetchUpdate({}))).toBe('wrong-file')
  expect(kindOf(await station.applyUpdate({}))).toBe('nothing-fetched')
  expect(readdirSync(at('home', 'updates'))).toEqual([])
  expect(logged()).toContain('refusal')
})

test('a file that was changed on the station\'s disk after it was fetched', async () => {
  await publish()
  await use(at('releases'))
  await value(station.checkUpdate({}))
  await value(station.fetchUpdate({}))
  writeFileSync(at('home', 'updates', fileName), bytes.map((byte) => byte ^ 1))
  expect(kindOf(await station.applyUpdate({}))).toBe('wrong-file')
  expect(readFileSync(at('Slotwright.AppImage'), 'utf8')).toBe('the old one')
})

test('a batch that an update would disturb', async () => {
  await publish()
  const world = { home: at('home'), version: '0.1.0', installed: { kind: 'AppImage', arch: 'x64', at: at('Slotwright.AppImage') }, database: station.audit.database, log: new Logbook(station.audit, 'Ada'), clock: realClock, onChange: () => undefined } as const
  let batchRuns = true
  const updates = await value(Promise.resolve(Updates.open({ ...world, batchRuns: () => batchRuns })))
  await value(Promise.resolve(updates.set({ source: at('releases'), key, atStart: false })))
  await value(updates.check())
  await value(updates.fetch())
  expect(kindOf(await updates.apply())).toBe('batch-runs')
  expect(readFileSync(at('Slotwright.AppImage'), 'utf8')).toBe('the old one')
  batchRuns = false
  expect(kindOf(await updates.apply())).toBe('done')
})

test('an installation of another kind than any file of the release', async () => {
  await station.close()
  await open({ kind: 'dmg', arch: 'arm64', at: '/Applications' })
  await publish()
  await use(at('releases'))
  expect(kindOf(await station.checkUpdate({}))).toBe('no-file-for-this')
})

test('a program that runs from its sources and would be replaced', async () => {
  await station.close()
  await open(null)
  await publish()
  await use(at('releases'))
  expect(kindOf(await station.checkUpdate({}))).toBe('not-installed')
})

describe('a server', () => {
  test('that breaks off: the transfer goes on where it stood', async () => {
    await publish()
    const ranges: (string | undefined)[] = []
    const source = await serve((request, response) => {
      if (request.url === `/stable/${releaseFile}`) return void response.end(readFileSync(at('releases', releaseFile)))
      ranges.push(request.headers.range)
      const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
      response.writeHead(from > 0 ? 206 : 200, { 'Content-Length': bytes.length - from, ...(from > 0 ? { 'Content-Range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {}) })
      if (from > 0) return void response.end(bytes.subarray(from))
      response.write(bytes.subarray(0, 1_000_000), () => response.destroy())
    })
    await use(source)
    await value(station.checkUpdate({}))
    expect(kindOf(await station.fetchUpdate({}))).toBe('no-release-source')
    const there = statSync(at('home', 'updates', `${fileName}.part`)).size
    expect(kindOf(await station.fetchUpdate({}))).toBe('done')
    expect(ranges).toEqual([undefined, there > 0 ? `bytes=${there}-` : undefined])
    expect(readFileSync(at('home', 'updates', fileName)).equals(bytes)).toBe(true)
  })

  test('that knows no ranges: the transfer begins anew', async () => {
    await publish()
    mkdirSync(at('home', 'updates'), { recursive: true })
    writeFileSync(at('home', 'updates', `${fileName}.part`), new Uint8Array(500_000).fill(7))
    const source = await serve((request, response) => void response.end(request.url?.endsWith('.txt') === true ? readFileSync(at('releases', releaseFile)) : bytes))
    await use(source)
    await value(station.checkUpdate({}))
    expect(kindOf(await station.fetchUpdate({}))).toBe('done')
  })

  test('that sends more than the release says, without end', async () => {
    await publish()
    const source = await serve((request, response) => {
      if (request.url?.endsWith('.txt') === true) return void response.end(readFileSync(at('releases', releaseFile)))
      const more = (): void => {
        while (!response.destroyed && response.write(bytes)) { /* until the pipe is full */ }
      }
      response.on('drain', more)
      more()
    })
    await use(source)
    await value(station.checkUpdate({}))
    expect(kindOf(await station.fetchUpdate({}))).toBe('wrong-file')
  })

  test('that sends a release note without end, or sends elsewhere, or has none', async () => {
    let answer: (response: ServerResponse) => void = () => {}
    const source = await serve((_, response) => answer(response))
    await use(source)
    answer = (response) => void response.end('x'.repeat(1_000_000))
    expect(kindOf(await station.checkUpdate({}))).toBe('no-release-source')
    answer = (response) => void response.writeHead(302, { Location: 'http://127.0.0.1:1/' }).end()
    expect(kindOf(await station.checkUpdate({}))).toBe('no-release-source')
    answer = (response) => void response.writeHead(404).end()
    expect(await station.checkUpdate({})).toMatchObject({ kind: 'no-release-source', says: expect.stringContaining('404') })
  })
})

test('a key that is none, or a source that is no place', async () => {
  expect(kindOf(await station.setUpdates({ source: '/releases', key: 'nonsense', atStart: false }))).toBe('bad-note-key')
  for (const source of ['releases', 'ftp://host/', 'javascript:1', 'http://']) expect(kindOf(await station.setUpdates({ source, key, atStart: false })), source).not.toBe('done')
})

test('how a station was installed', () => {
  const here = { platform: 'linux', arch: 'x64', env: {} } as const
  expect(installedHere({ ...here, execPath: '/opt/Slotwright/slotwright-station' })).toMatchObject({ kind: 'deb' })
  expect(installedHere({ ...here, execPath: '/home/ada/slotwright-0.1.0/slotwright-station' })).toMatchObject({ kind: 'tar.gz', at: '/home/ada/slotwright-0.1.0' })
  expect(installedHere({ ...here, execPath: '/opt/slotwright-0.1.0/slotwright-station' })).toMatchObject({ kind: 'tar.gz', at: '/opt/slotwright-0.1.0' })
  expect(installedHere({ ...here, execPath: '/tmp/.mount_x/slotwright-station', env: { APPIMAGE: '/home/ada/S.AppImage', APPDIR: '/tmp/.mount_x' } })).toMatchObject({ kind: 'AppImage', at: '/home/ada/S.AppImage' })
  expect(installedHere({ ...here, execPath: '/project/.runtime/electron/electron' })).toBeNull()
  expect(installedHere({ ...here, platform: 'darwin', execPath: '/Applications/Slotwright.app/Contents/MacOS/Slotwright' })).toMatchObject({ kind: 'dmg' })
})

test('a station started from a terminal that is an AppImage takes that file for its own, and would replace it', () => {
  const env = { APPIMAGE: '/home/ada/Terminal.AppImage', APPDIR: '/tmp/.mount_Terminal' }
  const here = { platform: 'linux', arch: 'x64', env } as const
  expect(installedHere({ ...here, execPath: '/opt/Slotwright/slotwright-station' })).toMatchObject({ kind: 'deb' })
  expect(installedHere({ ...here, execPath: '/home/ada/slotwright-0.1.0/slotwright-station' })).toMatchObject({ kind: 'tar.gz' })
})

test('an unpacked station gets the next one beside it, and a folder of that name that somebody left is neither taken for it nor written over', async () => {
  await station.close()
  mkdirSync(at('programs', 'slotwright-0.1.0'), { recursive: true })
  mkdirSync(at('made', 'slotwright-0.2.0'), { recursive: true })
  writeFileSync(at('made', 'slotwright-0.2.0', 'slotwright-station'), 'the new one', { mode: 0o755 })
  mkdirSync(at('releases'))
  const archive = 'slotwright-0.2.0-x64.tar.gz'
  execFileSync('tar', ['--create', '--gzip', '--file', at('releases', archive), '--directory', at('made'), 'slotwright-0.2.0'])
  const packed = readFileSync(at('releases', archive))
  const text = releaseText({ version: '0.2.0', day: '2026-11-23', notes: '', files: [{ kind: 'tar.gz', arch: 'x64', name: archive, bytes: packed.length, sha256: createHash('sha256').update(packed).digest('hex') }] }) as string
  writeFileSync(at('releases', releaseFile), (await signNote(text, 'updates.example', owner)) as string)
  await open({ kind: 'tar.gz', arch: 'x64', at: at('programs', 'slotwright-0.1.0') })
  await use(at('releases'))
  const program = at('programs', 'slotwright-0.2.0', 'slotwright-station')

  await value(station.checkUpdate({}))
  await value(station.fetchUpdate({}))
  expect(await value(station.applyUpdate({}))).toMatchObject({ state: 'applied', todo: { command: program } })
  expect(readFileSync(program, 'utf8')).toBe('the new one')
  expect(readdirSync(at('programs')).sort()).toEqual(['slotwright-0.1.0', 'slotwright-0.2.0'])

  writeFileSync(program, 'somebody else\'s')
  const again = await station.applyUpdate({})
  expect(again).toMatchObject({ kind: 'cannot-replace', says: expect.stringContaining('is there already. If an earlier update put it there') })
  expect(readFileSync(program, 'utf8')).toBe('somebody else\'s')
})

test('a server with a certificate of the house\'s own authority is called a network fault', async () => {
  const { key: serverKey, certificate } = await party('ecdsa-p256', 0, { role: { is: 'both' } })
  const key = createPrivateKey({ key: Buffer.from(serverKey.pkcs8), format: 'der', type: 'pkcs8' }).export({ format: 'pem', type: 'pkcs8' })
  const made = createSafeServer({ key, cert: new X509Certificate(certificate.der).toString() }, (_, response) => response.end())
  server = made
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve))
  await use(`https://127.0.0.1:${(made.address() as AddressInfo).port}/stable`)
  expect(await station.checkUpdate({})).toMatchObject({ kind: 'no-release-source', says: expect.stringMatching(/authority that this program does not know \(DEPTH_ZERO_SELF_SIGNED_CERT\)\. A folder or an address with http: is as good/) })
})
