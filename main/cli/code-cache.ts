// What V8 made of the command line's files when it was built, so that a call need not compile them again: `sign` runs once a
// build, and compiling cost a third of it. Node's own module.enableCompileCache is for Node 22; the runtime has 20. V8 itself
// refuses data of another version, another processor or a source of another length, and then compiles as ever.
import Module from 'node:module'
import { dirname, relative, sep } from 'node:path'
import { Script, constants } from 'node:vm'

/** The file beside the built command line. */
export const codeCacheName = 'code-cache.bin'

const indexBytesMax = 1024 * 1024

type Index = Readonly<Record<string, readonly [start: number, end: number]>>
type Loaded = { require(id: string): unknown; exports: unknown }
type Loader = {
  prototype: { _compile(this: Loaded, source: string, path: string): unknown }
  wrap(source: string): string
  _resolveFilename(id: string, parent: unknown): string
}
type Body = (this: unknown, exports: unknown, require: unknown, module: unknown, path: string, folder: string) => unknown

/**
 * From now on the modules below `folder` are compiled with the help of `cache`. Gives the scripts that were compiled, for
 * `codeCacheOf`.
 */
export function useCodeCache(folder: string, cache: Buffer | null): ReadonlyMap<string, Script> {
  const loader = Module as unknown as Loader
  const compiled = new Map<string, Script>()
  const before = loader.prototype._compile
  const index = cache === null ? {} : readIndex(cache)
  loader.prototype._compile = function compile(this: Loaded, source: string, path: string) {
    const name = relative(folder, path)
    if (name.startsWith('..') || name.startsWith(`node_modules${sep}`)) return before.call(this, source, path)
    const place = index[name]
    const script = new Script(loader.wrap(source), {
      filename: path,
      ...(cache === null || place === undefined ? {} : { cachedData: cache.subarray(place[0], place[1]) }),
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    })
    compiled.set(name, script)
    const body = script.runInThisContext() as Body
    const require = Object.assign((id: string) => this.require(id), { resolve: (id: string) => loader._resolveFilename(id, this) })
    return body.call(this.exports, this.exports, require, this, path, dirname(path))
  }
  return compiled
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
