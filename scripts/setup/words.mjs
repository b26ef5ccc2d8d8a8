// How set-up speaks and how it runs other programs. One line for each thing that it does; the output of the
// programs it starts is kept back and shown only when they fail. Everything goes to stderr, because the command
// line tool runs set-up too and its stdout belongs to its own answer.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')
export const runtimeFolder = join(root, '.runtime')

/** A wrong that the person at the terminal can put right. Its message is all that is shown. */
export class SetupStop extends Error {}

export function say(line) {
  process.stderr.write(`slotwright: ${line}\n`)
}

const outputKeptMax = 200_000

/**
 * Runs a program to its end, without stdin.
 * @returns {Promise<{ code: number, stdout: string, output: string }>} `output` has stdout and stderr as they came
 */
export function run(command, args, { cwd = root, env = {}, timeoutMs = 20 * 60_000 } = {}) {
  return new Promise((done) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // npm.cmd is a batch file, which Windows runs through its shell only; everything else is started as it is.
      shell: command.endsWith('.cmd'),
    })
    let stdout = ''
    let output = ''
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      child.kill('SIGKILL')
    }, timeoutMs)
    const keep = (text) => {
      output = (output + text).slice(-outputKeptMax)
    }
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout = (stdout + text).slice(-outputKeptMax)
      keep(text)
    })
    child.stderr.setEncoding('utf8').on('data', keep)
    child.on('error', (error) => {
      clearTimeout(timer)
      done({ code: 127, stdout, output: `${output}${error.message}\n` })
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (timedOut) keep(`\n${command} was still running after ${timeoutMs / 1000} s and was stopped\n`)
      else if (signal !== null) keep(`\n${command} was ended by ${signal}\n`)
      done({ code: code ?? 1, stdout, output })
    })
  })
}

/** As `run`, but a program that fails ends set-up with `what` and the end of its output. */
export async function runOrStop(what, command, args, options) {
  const result = await run(command, args, options)
  if (result.code === 0) return result
  const tail = result.output.trimEnd().split('\n').slice(-40).join('\n')
  throw new SetupStop(`${what} failed (exit ${result.code}):\n${tail}`)
}

export function sha256(...parts) {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part).update('\0')
  return hash.digest('hex')
}

export function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

/** Written beside and renamed, so that a reader never sees half of it. */
export function writeWhole(path, text) {
  mkdirSync(dirname(path), { recursive: true })
  const beside = `${path}.${process.pid}.part`
  writeFileSync(beside, text)
  renameSync(beside, path)
}

// A stamp says "this step was done for that input". Stamps live in .runtime, which may be deleted at any time.
const stampPath = (step) => join(runtimeFolder, 'stamps', step)

export function isStamped(step, key) {
  const path = stampPath(step)
  return existsSync(path) && readFileSync(path, 'utf8') === key
}

export function stamp(step, key) {
  writeWhole(stampPath(step), key)
}
