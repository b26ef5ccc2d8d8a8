// better-sqlite3's native part for the runtime that runs. Its prebuilt addon wants Node-API 10 (Electron 36 and later);
// for a runtime with Node-API 9 the same source is compiled here with scripts/native/reference-box.h in front.
// No node-gyp: the addon is two compiler calls, needs the headers of node-api-headers only, and so neither Python nor
// Node's own headers. The result is kept in .runtime, because `npm ci` empties node_modules.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { libraries, needs } from './libraries.mjs'
import { isStamped, readJson, root, run, runOrStop, runtimeFolder, say, sha256, SetupStop, stamp } from './words.mjs'

const packageFolder = join(root, 'node_modules', 'better-sqlite3')
const headerPath = join(root, 'scripts', 'native', 'reference-box.h')
const smokePath = join(root, 'scripts', 'native', 'sqlite-smoke.cjs')
const prebuiltNapi = 10

/** The SQLite options that better-sqlite3 is built with, out of its own list. */
function sqliteDefines() {
  const text = readFileSync(join(packageFolder, 'deps', 'defines.gypi'), 'utf8')
  const names = [...text.matchAll(/^\s*'([A-Z][A-Z0-9_]*(?:=[^']*)?)',$/gm)].map((match) => `-D${match[1]}`)
  if (names.length < 20) throw new SetupStop(`better-sqlite3's deps/defines.gypi no longer has the form that ${import.meta.url} reads`)
  return names
}

async function compile(target) {
  await libraries(needs.compiling)
  say('compiling better-sqlite3 for Node-API 9 (half a minute)')
  const work = join(runtimeFolder, 'compiling')
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work, { recursive: true })
  const sqlite = join(packageFolder, 'deps', 'sqlite3')
  // Asked from better-sqlite3, since other packages bring other versions of it.
  const nodeAddonApi = dirname(createRequire(join(packageFolder, 'package.json')).resolve('node-addon-api/package.json'))
  await Promise.all([
    runOrStop('compiling SQLite', 'gcc', ['-c', '-O2', '-fPIC', '-w', '-std=c99', '-DNDEBUG', ...sqliteDefines(), join(sqlite, 'sqlite3.c'), '-o', join(work, 'sqlite3.o')]),
    runOrStop('compiling better-sqlite3', 'g++', [
      ...['-c', '-O2', '-fPIC', '-w', '-std=c++20', '-fvisibility=hidden', '-fvisibility-inlines-hidden', '-fno-exceptions', '-fno-rtti'],
      ...['-DNDEBUG', '-DNAPI_VERSION=9', '-DNAPI_DISABLE_CPP_EXCEPTIONS', '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS'],
      ...['-I', join(root, 'node_modules', 'node-api-headers', 'include'), '-I', nodeAddonApi, '-I', sqlite],
      ...['-include', headerPath, join(packageFolder, 'src', 'better_sqlite3.cpp'), '-o', join(work, 'better_sqlite3.o')],
    ]),
  ])
  await runOrStop('linking better-sqlite3', 'g++', [
    ...['-shared', '-Wl,-Bsymbolic', '-Wl,--exclude-libs,ALL', '-static-libgcc', '-static-libstdc++'],
    ...['-o', join(work, 'better_sqlite3.node'), join(work, 'better_sqlite3.o'), join(work, 'sqlite3.o'), '-ldl', '-lpthread', '-lm'],
  ])
  mkdirSync(join(target, '..'), { recursive: true })
  copyFileSync(join(work, 'better_sqlite3.node'), target)
  rmSync(work, { recursive: true })
}

/** Makes sure that better-sqlite3 loads and works in the runtime `electron()` chose. */
export async function sqlite(runtime) {
  const version = readJson(join(packageFolder, 'package.json')).version
  const installed = join(packageFolder, 'build', 'Release', 'better_sqlite3.node')
  const name = sha256(version, process.arch, readFileSync(headerPath), readFileSync(new URL(import.meta.url))).slice(0, 16)
  const kept = join(runtimeFolder, 'native', `better-sqlite3-${version}-napi9-${name}.node`)

  if (runtime.napi >= prebuiltNapi) {
    // A copy for an older runtime would win over the prebuilt addon.
    rmSync(join(packageFolder, 'build'), { recursive: true, force: true })
  } else {
    if (process.platform !== 'linux') throw new SetupStop(`Electron ${runtime.version} is too old for better-sqlite3's prebuilt addon (it wants Electron 36 or later)`)
    if (!existsSync(kept)) await compile(kept)
    if (!existsSync(installed) || !readFileSync(installed).equals(readFileSync(kept))) {
      mkdirSync(join(installed, '..'), { recursive: true })
      // Removed first: a process that has the old file loaded keeps it, instead of seeing it change underneath.
      rmSync(installed, { force: true })
      copyFileSync(kept, installed)
    }
  }

  const key = sha256(runtime.executable, runtime.version, name, readFileSync(smokePath))
  if (isStamped('sqlite', key)) return
  const smoke = await run(runtime.executable, ['--expose-gc', smokePath], { env: { ELECTRON_RUN_AS_NODE: '1', NODE_OPTIONS: '' }, timeoutMs: 60_000 })
  if (smoke.code !== 0) {
    rmSync(kept, { force: true })
    throw new SetupStop(`better-sqlite3 does not work in ${runtime.executable} (exit ${smoke.code}):\n${smoke.output.trim()}`)
  }
  stamp('sqlite', key)
}
