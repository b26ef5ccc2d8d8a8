// What an AppImage starts (scripts/package/AppRun), on systems that are not ours: one that forbids Chromium's sandbox, and
// one that does not. The AppImage itself is started by test/app/packaged.spec.ts.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

let folder = ''

function program(path: string, body: string): void {
  writeFileSync(join(folder, path), `#!/bin/sh\n${body}\n`, { mode: 0o755 })
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slotwright-apprun-'))
  for (const inside of ['own folder/resources/bin', 'system']) mkdirSync(join(folder, inside), { recursive: true })
  copyFileSync(resolve(import.meta.dirname, '..', '..', 'scripts', 'package', 'AppRun'), join(folder, 'own folder', 'AppRun'))
  program('own folder/slotwright-station', 'printf "window<%s>" "$@"')
  program('own folder/resources/bin/slotwright', 'printf "command line<%s>" "$@"')
  program('system/id', 'echo 1000')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function start(args: readonly string[], { sandbox, display = ':7', calledAs = '/home/ada/slotwright-0.1.0-x64.AppImage' }: { sandbox: boolean; display?: string; calledAs?: string }) {
  program('system/unshare', sandbox ? 'exit 0' : 'exit 1')
  // A dialog on somebody's screen has no place in a test.
  for (const dialog of ['zenity', 'kdialog', 'xmessage']) program(`system/${dialog}`, 'exit 0')
  return spawnSync('sh', [join(folder, 'own folder', 'AppRun'), ...args], { encoding: 'utf8', env: { ...process.env, DISPLAY: display, WAYLAND_DISPLAY: '', ARGV0: calledAs, PATH: `${join(folder, 'system')}:${process.env['PATH']}` } })
}

test('a system that forbids the sandbox gets a window without it', () => {
  const { status, stdout, stderr } = start([], { sandbox: false })
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr).toMatch(/keeps the sandbox: install its Debian package/)
})

test('a system that allows the sandbox gets no window, or one without its arguments', () => {
  const { status, stdout } = start(['--home', 'a home'], { sandbox: true })
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'window<--home>window<a home>' })
})

test('a link named slotwright opens a window, or asks for a sandbox that the command line has no use for', () => {
  const { status, stdout } = start(['log', 'list'], { sandbox: false, display: '', calledAs: '/home/ada/bin/slotwright' })
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'command line<log>command line<list>' })
})

test('a text console gets a crash of Chromium instead of a word', () => {
  const { status, stdout, stderr } = start([], { sandbox: true, display: '' })
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr).toMatch(/no display for a window.*link named slotwright/)
})
