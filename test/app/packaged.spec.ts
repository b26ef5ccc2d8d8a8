// The package starts: on Linux as the Debian package unpacks it and as the AppImage, elsewhere as electron-builder's folder. Its window opens, its practice line (a process of its own, out of the
// archive) attaches eight boards, and its command line answers. With the registry runtime the package says that it is a
// test's, and a customer's is refused.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { FuseState, FuseV1Options, getCurrentFuseWire } from '@electron/fuses'
import { _electron, errors, expect, test, type ElectronApplication } from '@playwright/test'
import { openSoftHsm } from '../keys/softhsm.ts'

const root = resolve(import.meta.dirname, '..', '..')
const run = promisify(execFile)
const inPackage: Readonly<Record<string, string>> = {
  darwin: 'mac/Slotwright.app/Contents/MacOS/Slotwright',
  win32: 'win-unpacked/Slotwright.exe',
}
const asDeb = process.platform === 'linux' ? join(root, 'dist', 'test', 'deb') : null
const executablePath = asDeb === null ? join(root, 'dist', 'test', inPackage[process.platform] ?? '') : join(asDeb, 'opt', 'Slotwright', 'slotwright-station')
const runtime = JSON.parse(readFileSync(join(root, '.runtime', 'runtime.json'), 'utf8')) as { kind: string }
const version = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version
const asRoot = process.platform === 'linux' && process.getuid?.() === 0

test.beforeAll(async () => {
  test.setTimeout(600_000)
  await run(process.execPath, [join(root, 'scripts', 'package.mjs'), '--test-runtime'])
  if (asDeb === null) return
  rmSync(asDeb, { recursive: true, force: true })
  await run('dpkg-deb', ['--extract', join(root, 'dist', 'test', `slotwright-${version}-${process.arch}.deb`), asDeb])
})

/**
 * A window that opens in the very moment in which Playwright attaches hangs the launch, about once in thirty (test/app/held
 * says more). The package loads nothing but its own archive, so that it cannot be held at the door: such a launch is given up
 * and made again.
 */
async function launched(home: string, program = executablePath): Promise<ElectronApplication> {
  const tries = 3
  for (let left = tries - 1; ; left--) {
    try {
      return await _electron.launch({ executablePath: program, args: [...(asRoot ? ['--no-sandbox'] : []), '--home', home], timeout: 30_000 })
    } catch (error) {
      if (left === 0 || !(error instanceof errors.TimeoutError)) throw error
    }
  }
}

async function opensItsLine(program: string): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'slotwright-packaged-'))
  const app = await launched(home, program)
  try {
    expect(await app.evaluate(({ app: electron }) => electron.isPackaged)).toBe(true)
    const page = await app.firstWindow()
    const troubles: string[] = []
    page.on('pageerror', (error) => troubles.push(error.message))
    await expect(page).toHaveTitle(/Slotwright/)
    // The practice line is a process of its own, started out of the archive; each bay then shows its board's serial number.
    await expect(page.locator('[data-bay]').filter({ hasText: 'PB-000' })).toHaveCount(8)
    expect(troubles).toEqual([])
  } finally {
    await app.close()
    rmSync(home, { recursive: true, force: true })
  }
}

test('the packaged app opens its window and its practice line', () => opensItsLine(executablePath))

test('a fuse that would let the package run as Node, take options from outside or load another archive', async () => {
  const wire = await getCurrentFuseWire(executablePath)
  const blown = (option: FuseV1Options) => wire[option] === FuseState.ENABLE
  expect(blown(FuseV1Options.RunAsNode)).toBe(false)
  expect(blown(FuseV1Options.EnableNodeOptionsEnvironmentVariable)).toBe(false)
  expect(blown(FuseV1Options.EnableCookieEncryption)).toBe(true)
  expect(blown(FuseV1Options.EnableEmbeddedAsarIntegrityValidation)).toBe(true)
  expect(blown(FuseV1Options.OnlyLoadAppFromAsar)).toBe(true)
  expect(blown(FuseV1Options.LoadBrowserProcessSpecificV8Snapshot)).toBe(false)
  expect(blown(FuseV1Options.GrantFileProtocolExtraPrivileges)).toBe(false)
  // Playwright attaches through this one; scripts/package.mjs opens it for the tests' package alone.
  expect(blown(FuseV1Options.EnableNodeCliInspectArguments)).toBe(true)
  expect(readFileSync(join(root, 'electron-builder.yml'), 'utf8')).toContain('enableNodeCliInspectArguments: false')
})

if (asDeb !== null) {
  test('a Debian package that lacks a desktop entry, an icon, the udev rules or the command', () => {
    const text = (path: string) => readFileSync(join(asDeb, path), 'utf8')
    expect(text('usr/share/applications/slotwright.desktop')).toContain('Exec=/opt/Slotwright/slotwright-station')
    expect(readFileSync(join(asDeb, 'usr/share/icons/hicolor/512x512/apps/slotwright.png')).length).toBeGreaterThan(1000)
    expect(text('usr/lib/udev/rules.d/60-slotwright.rules')).toBe(readFileSync(join(root, 'resources', 'udev', '60-slotwright.rules'), 'utf8'))
    expect(readlinkSync(join(asDeb, 'usr/bin/slotwright'))).toBe('/opt/Slotwright/resources/bin/slotwright')
    expect(text('opt/Slotwright/resources/bin/slotwright')).toContain('command-line')
  })

  test('a package that carries the native code of other systems, which virus scanners like to find', () => {
    const names = readdirSync(join(asDeb, 'opt', 'Slotwright', 'resources', 'app.asar.unpacked'), { recursive: true, encoding: 'utf8' })
    expect(names.filter((name) => name.endsWith('.node') && /win32|darwin|android/.test(name))).toEqual([])
    // Those of this system are there: the packaged command line below uses most of them, and compression this one.
    expect(names.filter((name) => name.includes(`lzma-native/prebuilds/linux-${process.arch}/`) && name.endsWith('.node'))).not.toEqual([])
  })

  test('an AppImage that opens no window, or is no command line under a link of that name', async () => {
    const { files, without } = JSON.parse(readFileSync(join(root, 'dist', 'test', 'made.json'), 'utf8')) as { files: string[]; without: { AppImage?: string } }
    // Its runtime comes from outside the npm registry; where that cannot be had, packaging says so, and no AppImage may lie there.
    expect(without.AppImage ?? 'made').toMatch(/^made$|lacks|cargo|registries/)
    expect(files.some((file) => file.endsWith('.AppImage'))).toBe(without.AppImage === undefined)
    const appImage = join(root, 'dist', 'test', `slotwright-${version}-${process.arch}.AppImage`)
    expect(existsSync(appImage)).toBe(without.AppImage === undefined)
    if (without.AppImage !== undefined) return

    const folder = mkdtempSync(join(tmpdir(), 'slotwright-appimage-'))
    // Containers have no FUSE; unpacked by the runtime itself it starts all the same.
    const unpacked = { APPIMAGE_EXTRACT_AND_RUN: '1', TMPDIR: folder }
    try {
      const link = join(folder, 'slotwright')
      symlinkSync(appImage, link)
      const { stdout } = await run(link, ['update', 'show', '--json', '--home', join(folder, 'home')], { env: { ...process.env, ...unpacked } })
      expect(JSON.parse(stdout)).toMatchObject({ running: expect.stringContaining(version), installed: 'AppImage' })
      Object.assign(process.env, unpacked)
      await opensItsLine(appImage)
    } finally {
      for (const name of Object.keys(unpacked)) delete process.env[name]
      rmSync(folder, { recursive: true, force: true })
    }
  })

  test('an archive that unpacks beside itself, or without its program', async () => {
    const { stdout } = await run('tar', ['--list', '--gzip', '--file', join(root, 'dist', 'test', `slotwright-${version}-${process.arch}.tar.gz`)], { maxBuffer: 8 * 1024 * 1024 })
    const names = stdout.trim().split('\n')
    expect(names).toEqual(expect.arrayContaining([`slotwright-${version}/slotwright-station`, `slotwright-${version}/INSTALL.txt`]))
    expect(existsSync(join(asDeb, 'opt', 'Slotwright', 'INSTALL.txt'))).toBe(false)
    expect(names.filter((name) => !name.startsWith(`slotwright-${version}/`))).toEqual([])
  })

  test('the packaged command line brings an image onto practice boards, without a display', async () => {
    const home = mkdtempSync(join(tmpdir(), 'slotwright-packaged-'))
    try {
      const { DISPLAY: _, ...env } = process.env
      const { stdout } = await run(join(executablePath, '..', 'resources', 'bin', 'slotwright'), ['tour', '--boards', '2', '--json', '--home', home], { env })
      expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ outcomes: { confirmed: 2 } })
    } finally {
      rmSync(home, { recursive: true, force: true })
    }
  })

  test('Ctrl+C on the packaged command line leaves ports behind', async () => {
    const home = mkdtempSync(join(tmpdir(), 'slotwright-packaged-'))
    try {
      const boards = spawn(join(executablePath, '..', 'resources', 'bin', 'slotwright'), ['practice', '--boards', '2', '--dir', join(home, 'line'), '--home', home], { stdio: ['ignore', 'pipe', 'ignore'] })
      const ended = once(boards, 'exit')
      await once(boards.stdout, 'data')
      expect(readdirSync(join(home, 'line'))).toContain('ttyP0')
      boards.kill('SIGINT')
      expect(await ended).toEqual([0, null])
      expect(readdirSync(join(home, 'line'))).not.toContain('ttyP0')
    } finally {
      rmSync(home, { recursive: true, force: true })
    }
  })

  test('the packaged command line answers', async () => {
    // A terminal often names a display that is gone; what Chromium has to say of that is nobody's business here.
    const { stdout, stderr } = await run(join(executablePath, '..', 'resources', 'bin', 'slotwright'), ['--version'], { env: { ...process.env, DISPLAY: ':99999' } })
    expect(stdout).toContain(version)
    expect(stderr).toBe('')
  })

  test('the packaged command line reaches tokens through their own process, out of the archive', async () => {
    const home = mkdtempSync(join(tmpdir(), 'slotwright-packaged-'))
    const hsm = openSoftHsm()
    hsm.makeToken('Packaged')
    try {
      const { stdout } = await run(join(executablePath, '..', 'resources', 'bin', 'slotwright'), ['key', 'tokens', '--json', '--home', home])
      const { modules } = JSON.parse(stdout) as { modules: { path: string; tokens: { label: string }[] }[] }
      expect(modules.find(({ path }) => path === hsm.module)?.tokens.map(({ label }) => label)).toEqual(['Packaged'])
    } finally {
      hsm.remove()
      rmSync(home, { recursive: true, force: true })
    }
  })
}

if (runtime.kind === 'registry') {
  test("a customer's package with the registry runtime is refused", async () => {
    await expect(run(process.execPath, [join(root, 'scripts', 'package.mjs')])).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('a package for customers has Electron'),
    })
  })
}
