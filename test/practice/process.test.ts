// The practice line in a process of its own: started over IPC, commanded, stopped, and gone by itself when its parent dies.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, watch, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { build } from 'vite'
import { realClock } from '../../main/base/clock.ts'
import type { Failure} from '../../main/base/failure.ts';
import { failed, must } from '../../main/base/failure.ts'
import { generateKey } from '../../main/keys/filekey.ts'
import { openSerial } from '../../main/link/serial.ts'
import { startPracticeProcess } from '../../main/practice/child.ts'
import type { PracticeProcess } from '../../main/practice/child.ts'
import type { PracticeLineOptions } from '../../main/practice/line.ts'
import { optionsOf, orderOf } from '../../main/practice/process-words.ts'
import type { LineOrder } from '../../main/practice/process-words.ts'
import { findProfile, withExtras } from '../../main/practice/profiles.ts'
import { secretOf } from '../../main/practice/secrets.ts'
import { SmpClient } from '../../main/smp/client.ts'
import { echo } from '../../main/smp/os.ts'
import { imageA, publicKey } from './rig.ts'

const project = resolve(import.meta.dirname, '../..')
// Inside the project, so that the built entry finds the project's packages.
const outDir = join(project, 'node_modules/.cache/practice-process-test')
const entry = join(outDir, 'process.mjs')
let home = ''

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'practice-process-'))
  await build({
    root: project,
    configFile: false,
    logLevel: 'error',
    build: { ssr: join(project, 'main/practice/process.ts'), outDir, emptyOutDir: true, target: 'node20', rolldownOptions: { output: { entryFileNames: 'process.mjs' } } },
  })
}, 60_000)

afterAll(() => {
  rmSync(home, { recursive: true })
  rmSync(outDir, { recursive: true, force: true })
})

const options = (name: string, more: Partial<PracticeLineOptions> = {}): PracticeLineOptions => ({
  dir: join(home, name), boards: 2, baud: 1_000_000, firmware: imageA('ecdsa-p256'), trust: [publicKey('board-ecdsa-p256')], ...more,
})

async function started(wanted: PracticeLineOptions): Promise<PracticeProcess> {
  const line = await startPracticeProcess(entry, wanted)
  if (failed(line)) throw new Error(line.says)
  return line
}

async function answers(port: string): Promise<boolean> {
  const link = await openSerial({ path: port })
  if (failed(link)) throw new Error(link.says)
  const client = new SmpClient(link, realClock)
  try {
    for (let asked = 0; asked < 40; asked++) if (!failed(await client.request(echo, { text: 'x' }, { timeoutMs: 100 }))) return true
    return false
  } finally {
    client.close()
    await link.close()
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('a practice line in its own process', () => {
  test('is ready when started, obeys, and leaves no port behind when stopped', async () => {
    const line = await started(options('obeys'))
    expect(line.pid).not.toBe(process.pid)
    expect(line.boards().map(({ serial }) => serial)).toEqual(['PB-0001', 'PB-0002'])
    expect(await answers(line.boards()[1]!.port!)).toBe(true)
    expect(await line.unplug(2)).toBeUndefined()
    expect(line.boards()[1]!.port).toBeNull()
    expect(await line.replug(2)).toBeUndefined()
    expect(await answers(line.boards()[1]!.port!)).toBe(true)
    expect(await line.setFault(3, { is: 'hangs' })).toMatchObject({ kind: 'no-such-bay' })
    expect(await line.powerCycle(1)).toBeUndefined()
    await line.stop()
    expect(isAlive(line.pid)).toBe(false)
    expect(readdirSync(line.dir).sort()).toEqual(['PB-0001.flash', 'PB-0002.flash'])
  })

  test('gets every kind of board whole: several images, a private key, a profile that has no name of its own', async () => {
    const opens = must(secretOf((await generateKey('x25519')).pkcs8, 32))
    const wanted = options('whole', { others: [imageA('ecdsa-p256')], secret: opens, usb: true, profile: withExtras(must(findProfile('swap-scratch')), { images: 2, keyBytes: 32, counters: true }) })
    const got = must(optionsOf(JSON.parse(JSON.stringify(orderOf(wanted))) as LineOrder))
    expect(got).toMatchObject({ others: wanted.others, usb: true, profile: wanted.profile, secret: { keyBytes: 32, pkcs8: opens.pkcs8 } })
    expect(must(optionsOf(orderOf(options('plain'))))).not.toHaveProperty('profile')
  })

  test('that cannot start says why', async () => {
    writeFileSync(join(home, 'a-file'), '')
    expect(await startPracticeProcess(entry, options('a-file'))).toMatchObject({ kind: 'bad-folder' })
    expect(await startPracticeProcess(entry, options('bad', { faults: 'nonsense' }))).toMatchObject({ kind: 'bad-faults' })
  })

  test('that is killed is reported lost, and the next line sweeps its folder', async () => {
    const line = await started(options('killed'))
    const lost = new Promise<Failure>((resolve_) => line.onLost(resolve_))
    process.kill(line.pid, 'SIGKILL')
    expect(await lost).toMatchObject({ kind: 'practice-lost' })
    expect(await line.unplug(1)).toMatchObject({ kind: 'practice-lost' })
    const next = await started(options('killed'))
    expect(await answers(next.boards()[0]!.port!)).toBe(true)
    await next.stop()
  })

  test('stops by itself when its parent is killed', async () => {
    const wanted = options('orphan')
    const parent = join(home, 'parent.mjs')
    writeFileSync(parent, `
      import { fork } from 'node:child_process'
      const child = fork(process.argv[2], [], { stdio: 'ignore' })
      child.on('message', (word) => { if (word.is === 'ready') console.log(child.pid) })
      child.send({ is: 'start', order: JSON.parse(process.argv[3]) })
    `)
    const proc = spawn(process.execPath, [parent, entry, JSON.stringify(orderOf(wanted))], { env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' }, stdio: ['ignore', 'pipe', 'inherit'] })
    const pid = Number(await new Promise<string>((resolve_) => proc.stdout.once('data', (text: Buffer) => resolve_(text.toString()))))
    expect((JSON.parse(readFileSync(join(wanted.dir, 'boards.json'), 'utf8')) as { pid: number }).pid).toBe(pid)
    const swept = new Promise<void>((resolve_) => {
      const watcher = watch(wanted.dir, () => {
        if (existsSync(join(wanted.dir, 'boards.json')) || existsSync(join(wanted.dir, 'ttyP0'))) return
        watcher.close()
        resolve_()
      })
    })
    proc.kill('SIGKILL')
    await swept
  })
})
