// The compiled code beside the command line: it is there, V8 takes it, and one that is damaged costs time and nothing else.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { builtCli, runtimeExecutable } from './command.ts'

const built = dirname(builtCli)
const env = { ...process.env, ELECTRON_RUN_AS_NODE: '1' }
let copy = ''

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'slotwright-code-'))
  cpSync(built, copy, { recursive: true })
})
afterAll(() => rmSync(copy, { recursive: true, force: true }))

const version = () => spawnSync(runtimeExecutable, [join(copy, 'start.js'), '--version'], { env, encoding: 'utf8' })

test('V8 takes the code of every file that a call loads, and loads none that it does not use', () => {
  const firmware = join(copy, 'firmware.bin')
  writeFileSync(firmware, new Uint8Array(1000))
  const words = ['sign', '-v', '1.0.0', '-H', '0x200', '--pad-header', '-S', '0x8000', firmware, join(copy, 'image.bin')]
  const look = `
    const { readFileSync } = require('node:fs')
    const { loaderFor } = require(${JSON.stringify(join(built, 'code-cache.js'))})
    const { load, compiled } = loaderFor(${JSON.stringify(built)}, readFileSync(${JSON.stringify(join(built, 'code-cache.bin'))}))
    process.on('exit', () => process.stderr.write(JSON.stringify([...compiled].map(([name, script]) => [name, script.cachedDataRejected]))))
    process.argv.splice(1, 2, 'slotwright', ...${JSON.stringify(words)})
    load('cli.js')`
  const { stderr } = spawnSync(runtimeExecutable, ['-e', look, 'x', 'y'], { env: { ...env, SLOTWRIGHT_HOME: join(copy, 'home') }, encoding: 'utf8' })
  const seen = JSON.parse(stderr) as [string, boolean | undefined][]
  expect(seen.length).toBeGreaterThan(10)
  // Undefined: there was none for that file.
  expect(seen.filter(([, rejected]) => rejected !== false)).toEqual([])
  // Unsigned: neither curves in JavaScript nor the log's schemas.
  expect(seen.map(([name]) => name).filter((name) => /nist|schemas|audit/.test(name))).toEqual([])
})

test.each([
  ['cut in the middle', (whole: Buffer) => whole.subarray(0, whole.length >> 1)],
  ['cut in its index', (whole: Buffer) => whole.subarray(0, 40)],
  ['empty', () => Buffer.alloc(0)],
  ['of another V8', (whole: Buffer) => { const other = Buffer.from(whole); other.fill(7, 4 + other.readUInt32LE(0)); return other }],
  ['an index that is none', (whole: Buffer) => { const other = Buffer.from(whole); other.fill('[', 4, 4 + other.readUInt32LE(0)); return other }],
])('a cache that is %s changes no answer', (_name, damage) => {
  const whole = readFileSync(join(built, 'code-cache.bin'))
  writeFileSync(join(copy, 'code-cache.bin'), damage(whole))
  expect(version()).toMatchObject({ status: 0, stdout: expect.stringMatching(/^slotwright \d/) as string, stderr: '' })
})

test('no cache at all changes no answer', () => {
  rmSync(join(copy, 'code-cache.bin'))
  expect(version().status).toBe(0)
  expect(execFileSync(runtimeExecutable, [join(copy, 'start.js'), 'help'], { env, encoding: 'utf8' })).toContain('slotwright')
})
