// pkcs11js's native part, by which keys in hardware sign. The package ships source only; `npm ci` runs no install
// scripts, so its C++ is compiled here, in three seconds, with the headers of node-api-headers: no node-gyp,
// no Python. It keeps no references to values that Node-API 9 refuses, so one build serves every runtime. Keys in hardware
// are not everybody's: where there is no compiler, set-up says what is missing once and goes on without them.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { libraries, missingOf, needs } from './libraries.mjs'
import { isStamped, readJson, root, run, runOrStop, runtimeFolder, say, sha256, SetupStop, stamp } from './words.mjs'

const packageFolder = join(root, 'node_modules', 'pkcs11js')
/** As its binding.gyp has them, but for the one that is Windows' own. */
const sources = ['main.cpp', 'common.cpp']
const smoke = "const { PKCS11, CKM_ECDSA } = require('pkcs11js'); new PKCS11(); if (CKM_ECDSA !== 0x1041) process.exit(1)"

async function compile(target) {
  say('compiling pkcs11js, for keys in hardware (three seconds)')
  const work = join(runtimeFolder, 'compiling-pkcs11')
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work, { recursive: true })
  const made = join(work, 'pkcs11.node')
  const linking = process.platform === 'darwin'
    ? ['-bundle', '-undefined', 'dynamic_lookup']
    // -z now: a symbol that is missing shows when it is loaded, and not in the middle of signing.
    : ['-shared', '-Wl,-z,now', '-Wl,-Bsymbolic', '-Wl,--exclude-libs,ALL', '-static-libgcc', '-static-libstdc++']
  await runOrStop('compiling pkcs11js', 'g++', [
    ...['-O2', '-fPIC', '-w', '-std=c++17', '-DNAPI_DISABLE_CPP_EXCEPTIONS', '-DNAPI_VERSION=8', '-DNODE_GYP_MODULE_NAME=pkcs11', '-DBUILDING_NODE_EXTENSION'],
    ...['-I', join(root, 'node_modules', 'node-api-headers', 'include'), '-I', join(packageFolder, 'includes')],
    ...[...linking, ...sources.map((file) => join(packageFolder, 'src', file)), '-o', made, ...(process.platform === 'linux' ? ['-ldl'] : [])],
  ])
  mkdirSync(join(target, '..'), { recursive: true })
  copyFileSync(made, target)
  rmSync(work, { recursive: true })
}

/**
 * Makes sure that pkcs11js loads in the runtime `electron()` chose.
 * @param {{ executable: string, version: string }} runtime
 * @param {{ required?: boolean }} wish required: a machine that cannot have it stops set-up (the tests want it)
 */
export async function pkcs11(runtime, { required = false } = {}) {
  const version = readJson(join(packageFolder, 'package.json')).version
  const installed = join(packageFolder, 'build', 'Release', 'pkcs11.node')
  const name = sha256(version, process.platform, process.arch, readFileSync(new URL(import.meta.url))).slice(0, 16)
  const kept = join(runtimeFolder, 'native', `pkcs11js-${version}-${name}.node`)
  if (!existsSync(kept)) {
    const without = await whyNotCompiled(required)
    if (without !== null) {
      if (!isStamped('pkcs11-without', without)) say(without)
      stamp('pkcs11-without', without)
      return
    }
    await compile(kept)
  }
  if (!existsSync(installed) || !readFileSync(installed).equals(readFileSync(kept))) {
    mkdirSync(join(installed, '..'), { recursive: true })
    // Removed first: a process that has the old file loaded keeps it, instead of seeing it change underneath.
    rmSync(installed, { force: true })
    copyFileSync(kept, installed)
  }
  const key = sha256(runtime.executable, runtime.version, name)
  if (isStamped('pkcs11', key)) return
  const tried = await run(runtime.executable, ['-e', smoke], { env: { ELECTRON_RUN_AS_NODE: '1', NODE_OPTIONS: '' }, timeoutMs: 60_000 })
  if (tried.code !== 0) {
    rmSync(kept, { force: true })
    throw new SetupStop(`pkcs11js does not work in ${runtime.executable} (exit ${tried.code}):\n${tried.output.trim()}`)
  }
  stamp('pkcs11', key)
}

/** Why this machine goes without keys in hardware; null when it need not. As root on Debian the compiler is installed. */
async function whyNotCompiled(required) {
  if (process.platform === 'win32') return 'keys in hardware (PKCS#11) are not available: pkcs11js is not compiled on Windows by this set-up'
  const compiler = needs.compiling.filter((need) => need.program === 'g++')
  const missing = await missingOf(compiler)
  if (missing.length === 0) return null
  if (!required && process.getuid() !== 0) return 'keys in hardware (PKCS#11) are not available: there is no g++ to compile pkcs11js with. Install it (Debian: sudo apt-get install g++) and run npm run setup'
  await libraries(compiler)
  return null
}
