// The display and the sandbox that a window needs on Linux: whether there is a display, an Xvfb of our own when there
// is none, and whether Chromium may make the user namespaces its sandbox is built of.
import { spawn } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram } from './libraries.mjs'
import { SetupStop } from './words.mjs'

const xvfbStartMaxMs = 20_000

export function hasDisplay() {
  return process.platform !== 'linux' || Boolean(process.env.DISPLAY) || Boolean(process.env.WAYLAND_DISPLAY)
}

/**
 * Starts an X server that draws into memory and picks its own free number.
 * @returns {Promise<{ display: string, close: () => Promise<void> }>}
 */
export function ownDisplay() {
  return new Promise((done, fail) => {
    const server = spawn(findProgram('Xvfb') ?? 'Xvfb', ['-displayfd', '3', '-screen', '0', '1600x1000x24', '-nolisten', 'tcp', '-noreset'], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    })
    const ended = new Promise((next) => server.once('close', next))
    let said = ''
    let number = ''
    const timer = setTimeout(() => {
      server.kill()
      fail(new SetupStop(`Xvfb did not start in ${xvfbStartMaxMs / 1000} s: ${said.trim()}`))
    }, xvfbStartMaxMs)
    server.on('error', (error) => {
      clearTimeout(timer)
      fail(new SetupStop(`Xvfb does not start: ${error.message}`))
    })
    server.once('exit', (code) => {
      clearTimeout(timer)
      fail(new SetupStop(`Xvfb ended with ${code}: ${said.trim()}`))
    })
    server.stderr.setEncoding('utf8').on('data', (text) => {
      said = (said + text).slice(-4_000)
    })
    server.stdio[3].setEncoding('utf8').on('data', (text) => {
      number += text
      if (!number.endsWith('\n')) return
      clearTimeout(timer)
      const close = async () => {
        server.kill()
        await ended
      }
      done({ display: `:${number.trim()}`, close })
    })
  })
}

/** Chromium's switches for this user: as root it refuses to run with its sandbox, everyone else keeps it. */
export function sandboxArguments() {
  return process.platform === 'linux' && process.getuid() === 0 ? ['--no-sandbox'] : []
}

/** Stops with the way out where the system forbids the sandbox (Ubuntu 24.04 and later do, by AppArmor). */
export function checkSandbox(runtime) {
  if (process.platform !== 'linux' || process.getuid() === 0) return
  const setting = (path) => {
    try {
      return readFileSync(path, 'utf8').trim()
    } catch {
      return undefined
    }
  }
  const forbidden = setting('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === '1' || setting('/proc/sys/kernel/unprivileged_userns_clone') === '0'
  if (!forbidden) return
  const helper = join(runtime.folder, 'chrome-sandbox')
  try {
    const stat = statSync(helper)
    if (stat.uid === 0 && (stat.mode & 0o4755) === 0o4755) return
  } catch {
    // no helper in this folder: the sentence below says what to do
  }
  throw new SetupStop(
    `this system lets no ordinary program make the user namespaces that Chromium's sandbox is built of. Slotwright keeps the sandbox; give Electron its helper instead and run the command again:\n  sudo chown root:root '${helper}' && sudo chmod 4755 '${helper}'`,
  )
}
