// Runs the command line as a person or a script does: a process of its own, in the runtime that ships, on what was built.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
/** What was built; another build may be named for a quick look. */
export const builtCli = process.env['SLOTWRIGHT_TEST_CLI'] ?? join(root, 'out', 'cli', 'start.js')
export const sampleFirmware = join(root, 'resources', 'firmware')

function executable(): string {
  const named = join(root, '.runtime', 'electron-path')
  return existsSync(named) ? readFileSync(named, 'utf8').trim() : process.execPath
}

export const runtimeExecutable = executable()

export type Result = Readonly<{ code: number | null; stdout: string; stderr: string }>

export type RunOptions = Readonly<{ home?: string; input?: string; env?: Record<string, string>; cwd?: string; timeoutMs?: number }>

/** The environment of a call: nothing of the tester's own home or colours. */
export function environment(options: RunOptions = {}): Record<string, string> {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name, value]) =>
    value !== undefined && !/^(SLOTWRIGHT_|NO_COLOR|FORCE_COLOR|NODE_OPTIONS|VITEST)/.test(name))) as Record<string, string>
  return { ...clean, ELECTRON_RUN_AS_NODE: '1', ...(options.home === undefined ? {} : { SLOTWRIGHT_HOME: options.home }), ...options.env }
}

/** Starts `slotwright …` and leaves it running; killed at the end of the test file if it still does. */
export function start(args: readonly string[], options: RunOptions = {}): ChildProcess {
  if (!existsSync(builtCli)) throw new Error(`${builtCli} is missing: run npm run build first`)
  const child = spawn(runtimeExecutable, [builtCli, ...args], { env: environment(options), cwd: options.cwd, stdio: ['pipe', 'pipe', 'pipe'] })
  running.add(child)
  child.once('close', () => running.delete(child))
  child.stdin?.on('error', () => {})
  child.stdin?.end(options.input ?? '')
  return child
}

/** Runs `slotwright …` to its end. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<Result> {
  const child = start(args, options)
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout?.on('data', (piece: Buffer) => out.push(piece))
  child.stderr?.on('data', (piece: Buffer) => err.push(piece))
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 60_000)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  return { code, stdout: Buffer.concat(out).toString('utf8'), stderr: Buffer.concat(err).toString('utf8') }
}

/** The one JSON document of a `--json` call; fails when there is more or less than one. */
export function document<T = Record<string, unknown>>(result: Result): T {
  expect(result.stdout.endsWith('\n'), `stdout: ${result.stdout}\nstderr: ${result.stderr}`).toBe(true)
  return JSON.parse(result.stdout) as T
}

/** Refused as it should be: exit 1, a sentence, no stack trace, and the same failure as data. */
export function expectRefusal(result: Result, kind: string, sentence: RegExp): void {
  expect({ code: result.code, stderr: result.stderr }).toMatchObject({ code: 1, stderr: expect.stringMatching(sentence) as string })
  expect(result.stderr).not.toContain('\n    at ')
  expect(result.stderr).not.toMatch(/This is a fault in Slotwright/)
  expect(document<{ failure: { kind: string } }>(result).failure.kind).toBe(kind)
}

const running = new Set<ChildProcess>()
const folders: string[] = []

/** A folder of the test's own, removed at the end of the file. */
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'slotwright-cli-'))
  folders.push(made)
  return made
}

afterAll(async () => {
  await Promise.all([...running].map((child) => new Promise<void>((resolve) => {
    child.once('close', () => resolve())
    child.kill('SIGKILL')
  })))
  for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true })
})
