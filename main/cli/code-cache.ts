// How the built command line's files are loaded: `sign` runs once a build, and starting is most of what it costs. V8 gets
// back what it made of each file when it was built, since compiling cost a third of a call (Node's own
// module.enableCompileCache is for Node 22; the runtime has 20; V8 itself refuses data of another version, another processor
// or a source of another length, and then compiles as ever). A file is found without Node's search, which asked the disk five
// times for each, and is read and run only when something of it is used: no file here does anything by being loaded.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'
import { Script, constants } from 'node:vm'

/** The file beside the built command line. */
export const codeCacheName = 'code-cache.bin'

const indexBytesMax = 1024 * 1024

type Index = Readonly<Record<string, readonly [start: number, end: number]>>
type Exports = Record<PropertyKey, unknown>
type Body = (this: unknown, exports: unknown, require: (id: string) => unknown, module: unknown, path: string, folder: string) => unknown

/** The files below a folder, as they are loaded; `compiled` is for `codeCacheOf`. */
export type Loader = Readonly<{ load(name: string): unknown; compiled: ReadonlyMap<string, Script> }>

/** Loads CommonJS files below `folder` with the help of `cache`; names are below the folder, with slashes. */
export function loaderFor(folder: string, cache: Buffer | null): Loader {
  const compiled = new Map<string, Script>()
  const loaded = new Map<string, { exports: unknown }>()
  const index = cache === null ? {} : readIndex(cache)
  const find = createRequire(join(folder, 'start.js'))
  // A package is looked for in the one place where ours are, since Node's search for its way in costs 4 ms.
  const outside = (id: string): unknown => {
    const place = join(folder, '..', '..', 'node_modules', id)
    return find(!id.startsWith('node:') && existsSync(place) ? place : id)
  }

  const load = (name: string): unknown => {
    const known = loaded.get(name)
    if (known !== undefined) return known.exports
    const module: { exports: unknown } = { exports: {} }
    loaded.set(name, module)
    const path = join(folder, name)
    const source = readFileSync(path, 'utf8')
    const place = index[name]
    const script = new Script(`(function (exports, require, module, __filename, __dirname) { ${source}\n})`, {
      filename: path,
      ...(cache === null || place === undefined ? {} : { cachedData: cache.subarray(place[0], place[1]) }),
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    })
    compiled.set(name, script)
    const here = dirname(name)
    const body = script.runInThisContext() as Body
    body.call(module.exports, module.exports, (id) => {
      if (!id.startsWith('.')) return id.startsWith('node:') ? onUse(() => outside(id)) : outside(id)
      const wanted = join(here, id).replaceAll(sep, '/')
      return onUse(() => load(wanted))
    }, module, path, dirname(path))
    return module.exports
  }
  return { load, compiled }
}

/** What `load` gives, loaded when something of it is first asked for. */
function onUse(load: () => unknown): unknown {
  let exports: Exports | null = null
  const now = () => (exports ??= load() as Exports)
  return new Proxy({}, {
    get: (_, name) => now()[name],
    has: (_, name) => name in now(),
    ownKeys: () => Reflect.ownKeys(now()),
    // What a proxy says of its own properties must be changeable where its bare target has none of them.
    getOwnPropertyDescriptor: (_, name) => (Object.hasOwn(now(), name) ? { value: now()[name], enumerable: true, configurable: true } : undefined),
  })
}

/** The cache's bytes: length of the index u32 little-endian · index as JSON · V8's data, a piece a script. */
export function codeCacheOf(compiled: ReadonlyMap<string, Script>, kept: Buffer | null): Buffer {
  const pieces = new Map<string, Buffer>([...compiled].map(([name, script]) => [name, script.createCachedData()]))
  if (kept !== null) for (const [name, [start, end]] of Object.entries(readIndex(kept))) if (!pieces.has(name)) pieces.set(name, kept.subarray(start, end))
  const sizes = [...pieces].map(([name, data]) => [name, data.length] as const)
  // Places are counted from the file's start, so the index's own length has to be known first: blanks fill it up.
  const roomBytes = JSON.stringify(sizes.map(([name]) => [name, 2 ** 32, 2 ** 32])).length + 2
  let at = 4 + roomBytes
  const index = Object.fromEntries(sizes.map(([name, bytes]) => [name, [at, at += bytes]]))
  const head = Buffer.alloc(4 + roomBytes, ' ')
  head.writeUInt32LE(roomBytes)
  head.write(JSON.stringify(index), 4, 'latin1')
  return Buffer.concat([head, ...pieces.values()])
}

/** Empty when the file is not one of these: then everything is compiled as if there were none. */
function readIndex(cache: Buffer): Index {
  const bytes = cache.length < 4 ? 0 : cache.readUInt32LE(0)
  if (bytes > indexBytesMax || bytes > cache.length - 4) return {}
  try {
    return (JSON.parse(cache.toString('latin1', 4, 4 + bytes)) ?? {}) as Index
  } catch {
    return {}
  }
}
