// The main job as a script does it: practice boards in one process, provisioning in another, real pseudo-terminals
// between them. What each board ended as is asked of the board itself, and the log must hold afterwards.
import { execFileSync, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { spawn } from '@lydell/node-pty'
import { failed } from '../../main/base/failure.ts'
import { openSerial } from '../../main/link/serial.ts'
import { builtCli, document, environment, expectRefusal, folder, run, runtimeExecutable, start } from './command.ts'

type Run = { board: string; bay: number; port: string; outcome: string; kind: string | null; says: string; activeHash: string | null; version: string | null; seconds: number }
type Provisioned = { runs: Run[]; outcomes: Record<string, number>; good: boolean; image: { hash: string }; log: { size: number; root: string } }

const dir = folder()
const home = join(dir, 'home')
const at = (name: string) => join(dir, name)
const lineMs = 60_000

beforeAll(async () => {
  writeFileSync(at('app.bin'), new Uint8Array(50_000).map((_, i) => (i * 7919) >> 3))
  await run(['keygen', '--type', 'ed25519', '--out', at('test.pem'), '--no-passphrase'], { home })
  for (const version of ['1.1.0', '0.9.0']) {
    const signed = await run(['sign', at('app.bin'), at(`${version}.img`), '-k', at('test.pem'), '-v', version, '-H', '0x200', '--pad-header', '-S', '0x69000'], { home })
    expect(signed.code, signed.stderr).toBe(0)
  }
})

/** Starts practice boards and waits for the one line that says they are ready. */
function practice(name: string, options: readonly string[]): Promise<{ child: ChildProcess; ports: string; stop(): Promise<number | null> }> {
  const ports = at(name)
  const child = start(['practice', '--dir', ports, '--trust', at('test.pem'), '--baud', '1000000', '--json', ...options], { home })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const stop = () => {
    child.kill('SIGINT')
    return ended
  }
  return new Promise((resolve, reject) => {
    let stderr = ''
    child.stderr?.on('data', (piece: Buffer) => { stderr += piece.toString() })
    void ended.then((code) => reject(new Error(`practice ended with ${code}: ${stderr}`)))
    child.stdout?.on('data', (piece: Buffer) => {
      if (piece.toString().includes('"is":"ready"')) resolve({ child, ports, stop })
    })
  })
}

const provision = (ports: string, more: readonly string[] = [], image = at('1.1.0.img')) =>
  run(['provision', image, '--ports', ports, '--json', ...more], { home, timeoutMs: lineMs })

const holds = async () => expect(document(await run(['log', 'verify', '--json'], { home }))).toMatchObject({ holds: true, firstWrong: null })

test('eight boards: eight confirmed, exit 0, by each board\'s own word; and once more: eight unchanged', async () => {
  const line = await practice('eight', ['--boards', '8'])
  const first = await provision(line.ports)
  const done = document<Provisioned>(first)
  expect(first.code, first.stderr).toBe(0)
  expect(done.outcomes).toMatchObject({ confirmed: 8, failed: 0, reverted: 0 })
  expect(done.runs.map(({ board, outcome, activeHash, version }) => ({ board, outcome, activeHash, version }))).toEqual(
    Array.from({ length: 8 }, (_, i) => ({ board: `PB-000${i + 1}`, outcome: 'confirmed', activeHash: done.image.hash, version: '1.1.0' })))
  const asked = document<{ slots: { active: boolean; confirmed: boolean; hash: string }[] }>(await run(['board', done.runs[0]?.port ?? '', '--json'], { home }))
  expect(asked.slots.find(({ active }) => active)).toMatchObject({ hash: done.image.hash, confirmed: true })
  const again = await provision(line.ports)
  expect(again.code).toBe(0)
  expect(document<Provisioned>(again).outcomes).toMatchObject({ unchanged: 8, confirmed: 0 })
  await holds()
  expect(await line.stop()).toBe(0)
  expect(existsSync(join(line.ports, 'ttyP0'))).toBe(false)
}, lineMs)

test('one firmware fails its proof: seven confirmed, one reverted, exit 1, and that board runs its old image again by its own word', async () => {
  const line = await practice('fails-proof', ['--boards', '8', '--faults', '3:fails-proof'])
  const result = await provision(line.ports)
  const { runs, outcomes } = document<Provisioned>(result)
  expect(result.code).toBe(1)
  expect(outcomes).toMatchObject({ confirmed: 7, reverted: 1 })
  expect(runs[2]).toMatchObject({ board: 'PB-0003', outcome: 'reverted', version: '1.0.0' })
  const board = document<{ slots: { active: boolean; confirmed: boolean; version: string; hash: string }[] }>(await run(['board', runs[2]?.port ?? '', '--json'], { home }))
  expect(board.slots.find(({ active }) => active)).toMatchObject({ version: '1.0.0', confirmed: true, hash: runs[2]?.activeHash })
  await holds()
  await line.stop()
}, lineMs)

test('one board is unplugged at 40 %: seven confirmed, one failed of kind unplugged, exit 1, and its history says so', async () => {
  const line = await practice('unplug', ['--boards', '8', '--faults', '5:unplug@40%'])
  const result = await provision(line.ports)
  const { runs, outcomes } = document<Provisioned>(result)
  expect(result.code).toBe(1)
  expect(outcomes).toMatchObject({ confirmed: 7, failed: 1 })
  expect(runs[4]).toMatchObject({ board: 'PB-0005', outcome: 'failed', kind: 'unplugged' })
  const history = document<{ entries: { kind: string; batch: string }[] }>(await run(['history', 'PB-0005', '--json'], { home }))
  const last = history.entries.findLast(({ kind }) => kind === 'outcome')?.batch
  const latest = history.entries.filter(({ batch }) => batch === last).map(({ kind }) => kind)
  expect(latest).toEqual(['run-started', 'slot-write-intended', 'slot-write-failed', 'outcome'])
  await holds()
  await line.stop()
}, lineMs)

test('provision started before the practice line waits for its boards', async () => {
  const waiting = provision(at('late'), ['--boards', '2'])
  const line = await practice('late', ['--boards', '2'])
  const result = await waiting
  expect(result.code, result.stderr).toBe(0)
  expect(document<Provisioned>(result).outcomes).toMatchObject({ confirmed: 2 })
  await line.stop()
}, lineMs)

test('a rolling recipe takes a board whose port comes, and fits the pattern, while the batch runs', async () => {
  const line = await practice('rolling', ['--boards', '2'])
  const sockets = at('sockets')
  mkdirSync(sockets)
  const plug = (number: number) => symlinkSync(realpathSync(join(line.ports, `ttyP${number}`)), join(sockets, `ttyX${number}`))
  plug(0)
  writeFileSync(at('rolling.json'), JSON.stringify({ name: 'rolling', rolling: true, quota: 2 }))
  const child = start(['provision', at('1.1.0.img'), '--ports', join(sockets, 'ttyX*'), '--recipe', at('rolling.json'), '--key', at('test.pem'), '--json'], { home })
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (piece: Buffer) => { stdout += piece.toString() })
  child.stderr?.on('data', (piece: Buffer) => {
    const before = stderr
    stderr += piece.toString()
    if (!before.includes('CONFIRMED') && stderr.includes('CONFIRMED')) plug(1)
  })
  expect(await new Promise((resolve) => child.once('close', resolve)), stderr).toBe(0)
  expect((JSON.parse(stdout) as Provisioned).runs.map(({ port, outcome }) => [basename(port), outcome])).toEqual([['ttyX0', 'confirmed'], ['ttyX1', 'confirmed']])
  await line.stop()
}, lineMs)

test.runIf(process.platform === 'linux')('--baud is the rate the ports are opened at', async () => {
  const line = await practice('baud', ['--boards', '1', '--baud', '115200'])
  const child = start(['provision', at('1.1.0.img'), '--ports', line.ports, '--baud', '921600', '--json'], { home })
  let rate = ''
  let stderr = ''
  child.stderr?.on('data', (piece: Buffer) => {
    stderr += piece.toString()
    if (rate === '' && stderr.includes('uploading')) rate = execFileSync('stty', ['-F', realpathSync(join(line.ports, 'ttyP0')), 'speed'], { encoding: 'utf8' }).trim()
  })
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0)
  expect(rate).toBe('921600')
  await line.stop()
}, lineMs)

test('Ctrl+C during the upload: every run ends as stopped, the log holds, exit 1; a second call finishes the boards', async () => {
  const line = await practice('stopped', ['--boards', '3', '--baud', '115200'])
  const child = start(['provision', at('1.1.0.img'), '--ports', line.ports, '--json'], { home })
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (piece: Buffer) => { stdout += piece.toString() })
  child.stderr?.on('data', (piece: Buffer) => {
    const before = stderr
    stderr += piece.toString()
    if (!before.includes('uploading') && stderr.includes('uploading')) child.kill('SIGINT')
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  expect(code).toBe(1)
  expect((JSON.parse(stdout) as Provisioned).outcomes).toMatchObject({ stopped: 3, confirmed: 0 })
  expect(stderr).not.toContain('\n    at ')
  await holds()
  const again = await provision(line.ports)
  expect(document<Provisioned>(again).outcomes).toMatchObject({ confirmed: 3 })
  await line.stop()
}, lineMs)

test('killed in the middle: the next call says where each board stood, and the log has no open end', async () => {
  const line = await practice('killed', ['--boards', '2', '--baud', '115200'])
  const child = start(['provision', at('1.1.0.img'), '--ports', line.ports], { home })
  await new Promise<void>((resolve) => {
    let stderr = ''
    child.stderr?.on('data', (piece: Buffer) => {
      stderr += piece.toString()
      if (stderr.includes('uploading')) resolve()
    })
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  child.kill('SIGKILL')
  await ended
  const again = await provision(line.ports)
  expect(again.stderr).toContain('An earlier station was stopped in the middle of 2 runs')
  expect(document<Provisioned>(again).outcomes).toMatchObject({ confirmed: 2 })
  await holds()
  await line.stop()
}, lineMs)

describe('refused before the first byte goes out', () => {
  test('a downgrade, unless it is allowed', async () => {
    const line = await practice('downgrade', ['--boards', '2'])
    const refused = await provision(line.ports, [], at('0.9.0.img'))
    expect(refused.code).toBe(1)
    expect(document<Provisioned>(refused).runs.map(({ outcome, kind }) => [outcome, kind])).toEqual([['failed', 'downgrade'], ['failed', 'downgrade']])
    const allowed = await provision(line.ports, ['--allow-downgrade'], at('0.9.0.img'))
    expect(document<Provisioned>(allowed).outcomes).toMatchObject({ confirmed: 2 })
    await line.stop()
  }, lineMs)

  test('an image larger than the board\'s slot can hold', async () => {
    writeFileSync(at('large.bin'), new Uint8Array(0x70000).fill(5))
    await run(['sign', at('large.bin'), at('large.img'), '-k', at('test.pem'), '-v', '1.1.0', '-H', '0x200', '--pad-header', '-S', '0x80000'], { home })
    const line = await practice('large', ['--boards', '1'])
    const result = await provision(line.ports, [], at('large.img'))
    expect(result.code).toBe(1)
    expect(document<Provisioned>(result).runs[0]).toMatchObject({ outcome: 'failed', kind: 'image-too-large' })
    await line.stop()
  }, lineMs)

  test('an image whose key this home has never met, until it is named', async () => {
    const stranger = join(dir, 'stranger')
    await run(['keygen', '--type', 'ed25519', '--out', at('stranger.pem'), '--no-passphrase'], { home: stranger })
    await run(['sign', at('app.bin'), at('stranger.img'), '-k', at('stranger.pem'), '-v', '1.1.0', '-H', '0x200', '--pad-header', '-S', '0x69000'], { home: stranger })
    const line = await practice('stranger-line', ['--boards', '1', '--trust', at('stranger.pem')])
    expectRefusal(await provision(line.ports, [], at('stranger.img')), 'unknown-key', /does not know/)
    expect(document<Provisioned>(await provision(line.ports, ['--key', at('stranger.pem')], at('stranger.img'))).outcomes).toMatchObject({ confirmed: 1 })
    await line.stop()
  }, lineMs)

  test('a port that does not exist, at once and by name', async () => {
    expectRefusal(await provision('/dev/ttyACM97'), 'no-such-port', /no port \/dev\/ttyACM97/)
    expectRefusal(await run(['board', '/dev/ttyACM97', '--json'], { home }), 'no-such-port', /no port/)
  })

  test('a folder where nothing appears, after the stated wait', async () => {
    expectRefusal(await provision(at('nobody'), ['--wait', '0']), 'no-such-port', /no port/)
  })

  test('a port held by another program: the holder is named, and the other boards go on', async () => {
    const line = await practice('held', ['--boards', '2'])
    const held = await openSerial({ path: join(line.ports, 'ttyP0'), baudRate: 115_200 })
    if (failed(held)) throw new Error(held.says)
    expectRefusal(await run(['board', join(line.ports, 'ttyP0'), '--json'], { home }), 'port-held', new RegExp(`${process.pid}`))
    const result = await provision(line.ports)
    expect(result.code).toBe(1)
    expect(document<Provisioned>(result).runs.map(({ outcome, kind }) => [outcome, kind])).toEqual([['failed', 'port-held'], ['confirmed', null]])
    await held.close()
    await line.stop()
  }, lineMs)

  test('faults that do not read, a practice folder in use', async () => {
    expectRefusal(await run(['practice', '--dir', at('bad-faults'), '--faults', '3:explodes', '--json'], { home }), 'bad-faults', /BAY:FAULT/)
    const line = await practice('taken', ['--boards', '1'])
    expectRefusal(await run(['practice', '--dir', line.ports, '--json'], { home }), 'folder-in-use', /./)
    await line.stop()
  }, lineMs)

  test('a recipe file that is none, and one with a field that does not exist', async () => {
    const line = await practice('recipes', ['--boards', '1'])
    writeFileSync(at('bad.json'), '[1]')
    expectRefusal(await provision(line.ports, ['--recipe', at('bad.json')]), 'bad-recipe', /JSON object/)
    writeFileSync(at('odd.json'), '{"mode":"test-only","speed":"fast"}')
    expectRefusal(await provision(line.ports, ['--recipe', at('odd.json')]), 'bad-arguments', /speed/)
    writeFileSync(at('good.json'), '{"mode":"upload-only"}')
    expect(document<Provisioned>(await provision(line.ports, ['--recipe', at('good.json')])).outcomes).toMatchObject({ uploaded: 1 })
    await line.stop()
  }, lineMs)
})

test('an image signed with the home\'s practice key, before any practice line was started, is taken by its boards', async () => {
  const own = at('practice-home')
  const signed = await run(['sign', at('app.bin'), at('practice.img'), '--key', 'practice', '-v', '1.1.0', '-H', '0x200', '--pad-header', '-S', '0x69000', '--json'], { home: own })
  expect(document(signed)).toMatchObject({ key: 'practice', algorithm: 'ed25519' })
  const child = start(['practice', '--dir', at('practice-own'), '--boards', '2'], { home: own })
  const result = await run(['provision', at('practice.img'), '--ports', at('practice-own'), '--boards', '2', '--json'], { home: own })
  expect(result.code, result.stderr).toBe(0)
  expect(document<Provisioned>(result).outcomes).toMatchObject({ confirmed: 2 })
  const ended = new Promise((resolve) => child.once('close', resolve))
  child.kill('SIGTERM')
  expect(await ended).toBe(0)
  expect(document(await run(['log', 'verify', '--json'], { home: own }))).toMatchObject({ holds: true })
}, lineMs)

test('a practice line started again in its folder: boards from the factory, or as they were left with --keep', async () => {
  const first = await practice('again', ['--boards', '1'])
  expect(document<Provisioned>(await provision(first.ports)).outcomes).toMatchObject({ confirmed: 1 })
  await first.stop()
  const kept = await practice('again', ['--boards', '1', '--keep'])
  expect(document<Provisioned>(await provision(kept.ports)).outcomes).toMatchObject({ unchanged: 1 })
  await kept.stop()
  const fresh = await practice('again', ['--boards', '1'])
  expect(document<Provisioned>(await provision(fresh.ports)).outcomes).toMatchObject({ confirmed: 1 })
  await fresh.stop()
}, lineMs)

test('the tour a second time, as a document: eight confirmed again', async () => {
  const fresh = at('tour-twice')
  for (let time = 1; time <= 2; time++) {
    const result = await run(['tour', '--json', '--baud', '1000000'], { home: fresh, timeoutMs: lineMs })
    expect(result.code, result.stderr).toBe(0)
    expect(document<Provisioned>(result).outcomes).toMatchObject({ confirmed: 8 })
  }
}, lineMs)

test('the tour: from an empty home to eight confirmed, drawn as bars on a terminal that is left as it was', async () => {
  const fresh = at('tour-home')
  const terminal = spawn(runtimeExecutable, [builtCli, 'tour', '--baud', '1000000'], { name: 'xterm-256color', cols: 100, rows: 30, env: environment({ home: fresh }) })
  let shown = ''
  terminal.onData((data) => { shown += data })
  const code = await new Promise((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)))
  expect(code, shown).toBe(0)
   
  const plain = shown.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '')
  for (let bay = 1; bay <= 8; bay++) expect(plain).toMatch(new RegExp(`PB-000${bay} +█{24} +100%.*CONFIRMED`))
  expect(plain).toContain('8 confirmed in')
  // Every hiding of the cursor was taken back.
  expect(shown.lastIndexOf('\u001b[?25h')).toBeGreaterThan(shown.lastIndexOf('\u001b[?25l'))
  expect(readFileSync(join(fresh, 'slotwright.db')).length).toBeGreaterThan(0)
}, lineMs)

test('a profile is asked of a board, kept and gone by; the operator\'s answer is given beforehand, and decides', async () => {
  const line = await practice('profile', ['--boards', '2'])
  const port = (n: number) => join(line.ports, `ttyP${n}`)
  const kept = await run(['board', port(0), '--profile', 'nrf52840', '--save-profile', 'ours', '--json'], { home })
  expect(document(kept)).toMatchObject({ name: 'ours', from: 'station', bufferBytes: 384, eraseSectorMs: 85 })
  const listed = document<{ name: string; from: string }[]>(await run(['profile', 'list', '--json'], { home }))
  expect(listed.filter(({ from }) => from === 'station')).toMatchObject([{ name: 'ours' }])
  writeFileSync(at('led.json'), '{"tests":[{"test":"question","asks":"Does the LED blink green?"}]}')
  const asked = (answer: string, n: number) => provision(port(n), ['--recipe', at('led.json'), '--profile', 'ours', '--answers', answer])
  const [yes, no] = [await asked('yes', 0), await asked('no', 1)]
  expect([yes.code, document<Provisioned>(yes).outcomes['confirmed']], yes.stderr).toEqual([0, 1])
  expect([no.code, document<Provisioned>(no).runs[0]?.kind]).toEqual([1, 'self-test-failed'])
  expect((await provision(port(0), ['--profile', 'nosuch'])).stdout).toContain('no-such-profile')
  await holds()
  await line.stop()
}, lineMs)
