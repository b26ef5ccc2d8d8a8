// Imports go down: this file holds the table of floors and reads every import of main/ and renderer/, static, dynamic,
// re-exports and types alike. It also keeps the lower floors pure (no I/O, no Electron, no clock, no chance of their own),
// so that they run in the window, in a test with a hand-wound clock and in a simulation without change.
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix, relative, resolve, sep } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '..')

/** Lowest first; rooms of one floor do not import each other. */
const floors: readonly (readonly string[])[] = [
  ['base'],
  ['image', 'smp', 'cms', 'log'],
  ['line', 'bundle', 'release'],
  ['contract'],
  ['keys', 'link', 'store', 'practice', 'factory'],
  ['station'],
  ['shell', 'cli', 'verifier'],
]
const floorOf = new Map(floors.flatMap((rooms, floor) => rooms.map((room) => [room, floor] as const)))
const contractFloor = floorOf.get('contract') ?? -1

/** Pure floors may hash and check signatures with node:crypto, which is deterministic, and nothing else of Node. */
const isPure = (room: string): boolean => (floorOf.get(room) ?? Infinity) <= contractFloor
const nodeAllowedInPure = new Set(['node:crypto'])
// publicEncrypt is RSA's bare power, which a PSS check by hand needs; without padding it has no chance in it.
const cryptoAllowedInPure = new Set(['createHash', 'createPublicKey', 'verify', 'constants', 'KeyObject', 'timingSafeEqual', 'hash', 'createVerify', 'publicEncrypt'])
/** The one file that has the real clock, which everything else is handed. */
const realClock = 'main/base/clock.ts'
const packagesNotInPure = ['electron', 'better-sqlite3', 'serialport', '@serialport/', '@lydell/node-pty', 'vue', 'pinia', 'commander', 'cli-progress']

type Import = Readonly<{ file: string; line: number; from: string; names: readonly string[] }>
type Source = Readonly<{ file: string; tree: ts.SourceFile }>

const vueScript = /<script\b[^>]*>([\s\S]*?)<\/script>/g

/** A Vue file's scripts with everything else blanked out, so that line numbers stay true. */
function scriptsOf(text: string): string {
  let kept = text.replace(/[^\n]/g, ' ')
  for (const match of text.matchAll(vueScript)) {
    const body = match[1] ?? ''
    const start = match.index + match[0].indexOf('>') + 1
    kept = kept.slice(0, start) + body + kept.slice(start + body.length)
  }
  return kept
}

function readSource(file: string, text: string): Source {
  const script = file.endsWith('.vue') ? scriptsOf(text) : text
  return { file, tree: ts.createSourceFile(file, script, ts.ScriptTarget.ES2023, true, ts.ScriptKind.TS) }
}

function sourcesUnder(folder: string): Source[] {
  const found = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
  return found
    .filter((entry) => entry.isFile() && /\.(ts|vue|mts|cts|js|mjs)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => readSource(relative(root, path).split(sep).join('/'), readFileSync(path, 'utf8')))
}

const textOf = (node: ts.Node | undefined): string | undefined => (node !== undefined && ts.isStringLiteralLike(node) ? node.text : undefined)

function namesOf(clause: ts.ImportClause | undefined): string[] {
  if (clause === undefined) return []
  const bindings = clause.namedBindings
  const named = bindings === undefined ? [] : ts.isNamespaceImport(bindings) ? ['*'] : bindings.elements.map((element) => (element.propertyName ?? element.name).text)
  return clause.name === undefined ? named : ['*', ...named]
}

/** Every module that a source names, with the names it takes; `*` stands for the whole module. */
function importsOf({ file, tree }: Source): Import[] {
  const found: Import[] = []
  const add = (node: ts.Node, from: string | undefined, names: readonly string[]): void => {
    const line = tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1
    // A module named at run time cannot be checked; the caller sees it as the empty name and refuses it.
    found.push({ file, line, from: from ?? '', names })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node, textOf(node.moduleSpecifier), namesOf(node.importClause))
    else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) add(node, textOf(node.moduleSpecifier), ['*'])
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) add(node, textOf(node.arguments[0]), ['*'])
    else if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'require') add(node, textOf(node.arguments[0]), ['*'])
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node, textOf(node.argument.literal), ['*'])
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return found
}

const roomOf = (file: string): string | undefined => /^main\/([^/]+)\//.exec(file)?.[1]
const isRelative = (from: string): boolean => from.startsWith('.')
const targetOf = (one: Import): string => posix.normalize(posix.join(posix.dirname(one.file), one.from))

/** What is wrong with one import of main/, if anything. */
function wrongInMain(one: Import): string | undefined {
  const place = `${one.file}:${one.line}`
  const room = roomOf(one.file)
  if (room === undefined) return `${one.file} lies in no room; every file of main/ belongs to a folder of the table`
  const floor = floorOf.get(room)
  if (floor === undefined) return `${one.file}: the room ${room} is not in the table of floors; add it in test/floors.test.ts and in the design`
  if (one.from === '') return isPure(room) ? `${place} imports a module whose name is not a plain string, so nobody can check it` : undefined
  if (!isRelative(one.from)) return wrongPackage(one, room)

  const target = targetOf(one)
  const otherRoom = roomOf(target)
  if (otherRoom === undefined) {
    if (/^(package\.json|resources\/)/.test(target) && !isPure(room)) return undefined
    return `${place} imports ${target}, which is outside main/`
  }
  if (otherRoom === room) return undefined
  const otherFloor = floorOf.get(otherRoom)
  if (otherFloor === undefined) return `${place} imports ${target}, a room that is not in the table of floors`
  if (otherFloor > floor) return `${place} imports ${target}: ${room} lies below ${otherRoom}, and imports go down`
  if (otherFloor === floor) return `${place} imports ${target}: ${room} and ${otherRoom} are on one floor and do not know each other; a word that both need belongs lower`
  return undefined
}

function wrongPackage(one: Import, room: string): string | undefined {
  const place = `${one.file}:${one.line}`
  if (one.from === 'electron' && room !== 'shell') return `${place} imports electron: only the shell does`
  if (!isPure(room)) return undefined
  if (one.from.startsWith('node:')) {
    if (!nodeAllowedInPure.has(one.from)) return `${place} imports ${one.from}: ${room} is a pure floor; the I/O belongs to a room above that hands it in`
    const impure = one.names.filter((name) => !cryptoAllowedInPure.has(name))
    if (impure.length > 0) return `${place} takes ${impure.join(', ')} of ${one.from}: a pure floor may hash and verify (${[...cryptoAllowedInPure].join(', ')}), nothing that is random or secret`
    return undefined
  }
  const banned = packagesNotInPure.find((name) => one.from === name || (name.endsWith('/') ? one.from.startsWith(name) : one.from.startsWith(`${name}/`)))
  return banned === undefined ? undefined : `${place} imports ${one.from}: ${room} is a pure floor`
}

/** What is wrong with one import of renderer/, if anything. */
function wrongInRenderer(one: Import): string | undefined {
  const place = `${one.file}:${one.line}`
  if (one.from === 'electron' || one.from.startsWith('node:')) return /\.config\.(ts|js|mjs)$/.test(one.file) ? undefined : `${place} imports ${one.from}: the window has no Node and no Electron`
  if (!isRelative(one.from)) return packagesNotInPure.includes(one.from) && !['vue', 'pinia'].includes(one.from) ? `${place} imports ${one.from}: the window has no native part` : undefined
  const target = targetOf(one)
  if (target.startsWith('renderer/')) return undefined
  if (roomOf(target) === 'contract') return undefined
  return `${place} imports ${target}: of main/ the window sees the contract alone`
}

/** Clock, chance and environment that a pure floor reads without being handed them. */
function impureWordsIn({ file, tree }: Source): string[] {
  const wrong: string[] = []
  const banned: Readonly<Record<string, readonly string[]>> = {
    Date: ['now'],
    Math: ['random'],
    performance: ['now'],
    crypto: ['getRandomValues', 'randomUUID'],
    process: ['env', 'hrtime', 'cwd', 'argv'],
  }
  const bannedCalls = new Set(['setTimeout', 'setInterval', 'setImmediate', 'fetch', 'require'])
  const say = (node: ts.Node, what: string): void => {
    const line = tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1
    wrong.push(`${file}:${line} uses ${what}: a pure floor is handed its clock, its chance and its settings`)
  }
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression) && banned[node.expression.text]?.includes(node.name.text) === true) {
      say(node, `${node.expression.text}.${node.name.text}`)
    }
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && bannedCalls.has(node.expression.text)) say(node, `${node.expression.text}()`)
    if (ts.isNewExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'Date' && (node.arguments?.length ?? 0) === 0) say(node, 'new Date()')
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return wrong
}

/** The files of main/ that `start` reaches through value and type imports, itself included. */
function reachedFrom(start: string, sources: ReadonlyMap<string, Source>): Set<string> {
  const reached = new Set<string>()
  const waiting = [start]
  while (waiting.length > 0) {
    const file = waiting.pop()
    if (file === undefined || reached.has(file)) continue
    const source = sources.get(file)
    if (source === undefined) continue
    reached.add(file)
    for (const one of importsOf(source)) if (isRelative(one.from)) waiting.push(targetOf(one))
  }
  return reached
}

const main = sourcesUnder('main')
const renderer = sourcesUnder('renderer')
const byFile = new Map(main.map((source) => [source.file, source]))
const defined = <T>(value: T | undefined): value is T => value !== undefined

describe('imports go down', () => {
  test('no file of main/ imports upwards, sideways or out of the house', () => {
    expect(main.length).toBeGreaterThan(0)
    expect(main.flatMap(importsOf).map(wrongInMain).filter(defined)).toEqual([])
  })

  test('the renderer imports itself, the contract and packages without native parts', () => {
    expect(renderer.flatMap(importsOf).map(wrongInRenderer).filter(defined)).toEqual([])
  })

  test('every relative import names a file that exists, with its extension', () => {
    const files = new Set([...main, ...renderer].map((source) => source.file))
    const wrong = [...main, ...renderer]
      .flatMap(importsOf)
      .filter((one) => isRelative(one.from) && /^(main|renderer)\//.test(targetOf(one)) && /\.(ts|vue)$|\/[^.]*$/.test(targetOf(one)))
      .filter((one) => !files.has(targetOf(one)))
      .map((one) => `${one.file}:${one.line} imports ${one.from}, which is not there`)
    expect(wrong).toEqual([])
  })
})

/** Circles of imports between files of one room, types included: each as the files on it, first one named twice. */
function circlesIn(sources: readonly Source[]): string[] {
  const room = (file: string): string => posix.dirname(file).split('/').slice(0, 2).join('/')
  const edges = new Map(sources.map((source) => [source.file, importsOf(source).filter((one) => isRelative(one.from)).map(targetOf).filter((to) => room(to) === room(source.file))]))
  const circles: string[] = []
  const done = new Set<string>()
  const walk = (file: string, way: readonly string[]): void => {
    const at = way.indexOf(file)
    if (at >= 0) circles.push([...way.slice(at), file].join(' → '))
    if (at >= 0 || done.has(file)) return
    for (const to of edges.get(file) ?? []) walk(to, [...way, file])
    done.add(file)
  }
  for (const file of edges.keys()) walk(file, [])
  return circles
}

describe('a room has an order of its own', () => {
  test('no files of one room import each other in a circle, types included', () => {
    expect(circlesIn([...main, ...renderer])).toEqual([])
  })

  test('a circle is found over several files, and a file that imports itself', () => {
    const file = (name: string, to: string): Source => readSource(`main/line/${name}.ts`, `import type { A } from './${to}.ts'`)
    expect(circlesIn([file('a', 'b'), file('b', 'c'), file('c', 'a'), file('d', 'a')])).toEqual(['main/line/a.ts → main/line/b.ts → main/line/c.ts → main/line/a.ts'])
    expect(circlesIn([file('a', 'a')])).toHaveLength(1)
    expect(circlesIn([file('a', 'b'), file('b', 'c')])).toEqual([])
  })
})

describe('lower floors are pure', () => {
  test('no pure room reads a clock, chance, a timer or the environment', () => {
    const pure = main.filter((source) => isPure(roomOf(source.file) ?? '') && source.file !== realClock)
    expect(pure.flatMap(impureWordsIn)).toEqual([])
  })

  test('the contract and all it imports do without Node, since the window loads it', () => {
    const contract = main.filter((source) => roomOf(source.file) === 'contract')
    const reached = new Set(contract.flatMap((source) => [...reachedFrom(source.file, byFile)]))
    const wrong = [...reached]
      .flatMap((file) => importsOf(byFile.get(file) as Source))
      .filter((one) => one.from.startsWith('node:'))
      .map((one) => `${one.file}:${one.line} imports ${one.from}, and the contract imports ${one.file}`)
    expect(wrong).toEqual([])
  })
})

describe('the reader of imports', () => {
  const read = (file: string, text: string): Import[] => importsOf(readSource(file, text))

  test.each([
    ['a type import upwards', 'main/image/a.ts', "import type { S } from '../station/station.ts'"],
    ['a dynamic import upwards', 'main/smp/a.ts', "const f = async () => await import('../link/serial.ts')"],
    ['a type written in place', 'main/base/a.ts', "type T = import('../image/format.ts').Image"],
    ['a re-export sideways', 'main/image/a.ts', "export * from '../smp/message.ts'"],
    ['Node I/O on a pure floor', 'main/line/a.ts', "import { readFileSync } from 'node:fs'"],
    ['a whole node:crypto on a pure floor', 'main/image/a.ts', "import crypto from 'node:crypto'"],
    ['chance on a pure floor', 'main/image/a.ts', "import { createHash, randomBytes } from 'node:crypto'"],
    ['Electron outside the shell', 'main/station/a.ts', "import { app } from 'electron'"],
    ['a room nobody knows', 'main/utils/a.ts', "import { z } from 'zod'"],
    ['a file in no room', 'main/a.ts', "import { z } from 'zod'"],
    ['a way out of main', 'main/cli/a.ts', "import { x } from '../../test/x.ts'"],
  ])('%s is found', (_what, file, text) => {
    expect(read(file, text).map(wrongInMain).filter(defined)).toHaveLength(1)
  })

  test.each([
    ['base from everywhere', 'main/smp/a.ts', "import { Failure } from '../base/failure.ts'"],
    ['hashing on a pure floor', 'main/image/a.ts', "import { createHash } from 'node:crypto'"],
    ['I/O above the contract', 'main/store/a.ts', "import { readFileSync } from 'node:fs'"],
    ['the same room', 'main/image/a.ts', "import { x } from './format.ts'"],
  ])('%s is allowed', (_what, file, text) => {
    expect(read(file, text).map(wrongInMain).filter(defined)).toEqual([])
  })

  test('a Vue file is read, and its line is the right one', () => {
    const [one] = read('renderer/A.vue', "<template>\n  <p>import('x')</p>\n</template>\n<script setup lang=\"ts\">\nimport { S } from '../main/station/station.ts'\n</script>\n")
    expect(one && wrongInRenderer(one)).toContain('renderer/A.vue:5 imports main/station/station.ts')
  })

  test.each(['Date.now()', 'Math.random()', 'new Date()', 'setTimeout(f, 1)', "process.env['HOME']"])('%s on a pure floor is found', (text) => {
    expect(impureWordsIn(readSource('main/line/a.ts', text))).toHaveLength(1)
  })

  test('a date made of a given number is no clock', () => {
    expect(impureWordsIn(readSource('main/line/a.ts', 'new Date(atMs)'))).toEqual([])
  })
})
