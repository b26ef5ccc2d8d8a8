// A client that is not ours, smpmgr from PyPI, takes a practice board through upload, test, reset and confirm. It needs
// Python 3 and a package index; where one is missing the test says so and is left out, as it proves nothing about us.
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { failed } from '../../main/base/failure.ts'
import { startPracticeLine } from '../../main/practice/line.ts'
import type { PracticeLine } from '../../main/practice/line.ts'
import { imageA, publicKey } from '../practice/rig.ts'

const run = promisify(execFile)
const smpmgrVersion = '0.19.1'
const venv = resolve(import.meta.dirname, `../../node_modules/.cache/smpmgr-${smpmgrVersion}`)
const program = join(venv, 'bin/smpmgr')
const imageFile = resolve(import.meta.dirname, '../vectors/mcuboot/images/b-1.1.0-ecdsa-p256.signed.bin')
const hashB = 'e2bcf8cdf1c5094ab400fde3d2f4d5d2fb59ad1b1cbe364b654d55d1af987f86'
const installTimeoutMs = 120_000

let missing: string | null = null
let dir = ''
let line: PracticeLine | null = null

async function install(): Promise<string | null> {
  if (existsSync(program)) return null
  try {
    await run('python3', ['-m', 'venv', venv])
  } catch {
    return 'Python 3 with venv is not installed'
  }
  try {
    await run(join(venv, 'bin/pip'), ['install', '--quiet', '--retries', '0', '--timeout', '5', `smpmgr==${smpmgrVersion}`], { timeout: installTimeoutMs })
    return null
  } catch (error) {
    rmSync(venv, { recursive: true, force: true })
    return `smpmgr ${smpmgrVersion} could not be installed: ${(error as Error).message.split('\n').at(-1)}`
  }
}

beforeAll(async () => {
  missing = await install()
  dir = mkdtempSync(join(tmpdir(), 'interop-'))
  const started = await startPracticeLine({ dir, boards: 1, baud: 1_000_000, firmware: imageA('ecdsa-p256'), trust: [publicKey('board-ecdsa-p256')] })
  if (failed(started)) throw new Error(started.says)
  line = started
}, installTimeoutMs + 20_000)

afterAll(async () => {
  await line?.stop()
  rmSync(dir, { recursive: true })
})

async function smpmgr(...args: string[]): Promise<string> {
  const { stdout } = await run(program, ['--port', line!.boards()[0]!.port!, '--baudrate', '1000000', ...args], { timeout: 30_000 })
  return stdout
}

/** Each listed slot as `slot version flags`. */
async function listed(): Promise<string[]> {
  const text = await smpmgr('image', 'state-read')
  return [...text.matchAll(/slot=(\d),\s+version='([^']*)'[\s\S]*?bootable=(\w+),\s+pending=(\w+),\s+confirmed=(\w+),\s+active=(\w+)/g)]
    .map(([, slot, version, , pending, confirmed, active]) => [slot, version, ...[pending === 'True' && 'pending', confirmed === 'True' && 'confirmed', active === 'True' && 'active'].filter(Boolean)].join(' '))
}

async function resetBoard(): Promise<void> {
  const booted = new Promise<void>((resolve_) => {
    const stop = line!.onEvent((_, event) => {
      if (event.is !== 'booted') return
      stop()
      resolve_()
    })
  })
  await smpmgr('os', 'reset')
  await booted
}

test('smpmgr uploads, tests, confirms and lists a practice board', async (context) => {
  if (missing !== null) return context.skip(missing)
  expect(await smpmgr('os', 'echo', 'hello')).toContain("r='hello'")
  expect(await listed()).toEqual(['0 1.0.0 confirmed active'])
  await smpmgr('image', 'upload', imageFile)
  await smpmgr('image', 'state-write', hashB)
  expect(await listed()).toEqual(['0 1.0.0 confirmed active', '1 1.1.0.7 pending'])
  await resetBoard()
  expect(await listed()).toEqual(['0 1.1.0.7 active', '1 1.0.0 confirmed'])
  await smpmgr('image', 'state-write', '--confirm', hashB)
  await resetBoard()
  expect(await listed()).toEqual(['0 1.1.0.7 confirmed active', '1 1.0.0'])
}, 60_000)
