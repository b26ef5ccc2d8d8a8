// The auditor's mode: not one byte of what is opened may change, whatever is asked, live or at rest; what it shows is
// verified or said to be broken; and a copy taken while a station writes is a whole log, never half of one.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { build } from 'vite'
import { zipSync } from 'fflate'
import { realClock } from '../../main/base/clock.ts'
import { failed } from '../../main/base/failure.ts'
import { methods } from '../../main/contract/api.ts'
import type { MethodName } from '../../main/contract/api.ts'
import type { StationEvent } from '../../main/contract/views.ts'
import { openAuditor } from '../../main/station/auditor.ts'
import type { Auditor, AuditorOptions } from '../../main/station/auditor.ts'
import { databaseName } from '../../main/store/database.ts'
import { openSnapshot } from '../../main/store/snapshot.ts'
import { version } from '../../package.json'
import { bundleOf, imageHash, madeHome } from '../bundle/made.ts'
import { newHome, outcomeDraft, release, storeIn, value } from '../store/fixture.ts'

const root = join(import.meta.dirname, '..', '..')
const opened: Auditor[] = []
afterEach(() => {
  for (const auditor of opened.splice(0)) auditor.close()
  release()
})

const runtime = { kind: 'electron', electron: '', chrome: '', node: '' } as const
async function lookAt(path: string, more: Partial<AuditorOptions> = {}): Promise<Auditor> {
  const auditor = value(await openAuditor({ path, version, runtime, clock: realClock, paper: null, ...more }))
  opened.push(auditor)
  return auditor
}

/** Every file under a folder with the hash of its bytes and its times of change. */
function stateOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).sort()
  return Object.fromEntries(files.map((file) => [file, `${createHash('sha256').update(readFileSync(file)).digest('hex')} ${statSync(file).mtimeMs} ${statSync(file).ctimeMs}`]))
}

/** Arguments that a reading call takes. */
const reading: Partial<Record<MethodName, unknown>> = {
  about: {}, session: {}, settings: {}, listLog: {}, findLog: {}, entryProof: { seq: 3 }, logKeys: {}, recallChoices: {}, logBatches: {}, logFigures: {}, recallUnits: { what: 'image', hash: imageHash }, listRuns: {},
  labelSettings: {}, unitLabel: { unit: 'SN-b1-0' }, verifyLog: {}, readAgain: {}, changeSettings: { theme: 'dark' },
}

test('nothing that is asked changes a byte of a home that a station has open, or of one at rest', async () => {
  const { home, store } = await madeHome()
  for (const live of [true, false]) {
    if (!live) store.close()
    const before = stateOf(home)
    expect(Object.keys(before).some((file) => file.endsWith('-wal'))).toBe(live)
    const auditor = await lookAt(home)
    for (const [method, args] of Object.entries(reading)) expect(await (auditor[method as 'about'] as (args: unknown) => Promise<unknown>)(args), method).not.toMatchObject({ kind: 'read-only' })
    expect(await auditor.verifyLog({})).toMatchObject({ holds: true })
    auditor.close()
    expect(stateOf(home)).toEqual(before)
  }
})

test('every call that would do something is refused with a sentence', async () => {
  const auditor = await lookAt((await madeHome()).home)
  const allowed = new Set<string>([...Object.keys(reading), 'foundEntries', 'placeInLog', 'readRecallFile', 'run', 'saveRecall', 'saveHistory', 'saveReport', 'printReport', 'saveLabel', 'printLabel', 'exportLog'])
  for (const method of Object.keys(methods) as MethodName[]) {
    if (allowed.has(method) || !methods[method].args.safeParse({}).success) continue
    expect(await (auditor[method as 'about'] as (args: unknown) => Promise<unknown>)({}), method).toMatchObject({ kind: 'read-only' })
  }
  expect(await auditor.generateKey({ name: 'x', algorithm: 'ed25519', class: 'test', passphrase: null })).toMatchObject({ kind: 'read-only' })
  expect(await auditor.session({})).toMatchObject({ person: { roles: ['auditor'] } })
})

test('a log that was changed by hand is shown as broken, with the first wrong entry', async () => {
  const { home, store } = await madeHome()
  store.database.sql.exec("DROP TRIGGER entries_stay; UPDATE entries SET bytes = CAST(replace(CAST(bytes AS TEXT), 'Ada', 'Eve') AS BLOB) WHERE seq = 20")
  store.close()
  const verdict = await (await lookAt(home)).verifyLog({})
  expect(verdict).toMatchObject({ holds: false, firstWrong: 20 })
})

test('a bundle opens as a log: entries, proof, figures and recall, and its changed copy names the entry', async () => {
  const made = await madeHome()
  const { files } = await bundleOf(made, {}, { version })
  const auditor = await lookAt(join(made.home, 'bundle.zip'))
  expect(await auditor.about({})).toMatchObject({ auditing: { of: 'bundle' } })
  const found = value(await auditor.findLog({}))
  expect(found.total).toBeGreaterThan(100)
  expect(value(await auditor.foundEntries({ find: found.find, at: 0, limit: 5 }))[0]?.seq).toBeGreaterThan(100)
  const proof = value(await auditor.entryProof({ seq: 30 }))
  expect(proof.covered).toMatchObject({ holds: true })
  expect(await auditor.verifyLog({})).toMatchObject({ holds: true })
  expect(await auditor.logFigures({})).toMatchObject({ counts: { confirmed: 10 } })
  expect(value(await auditor.recallUnits({ what: 'image', hash: imageHash })).total).toBe(12)

  const lines = new TextDecoder().decode(files.get('entries.jsonl')).split('\n')
  const at = lines.findIndex((line) => line.includes('SN-b1-4'))
  lines[at] = lines[at]?.replace('SN-b1-4', 'SN-b1-9') ?? ''
  const forged = join(made.home, 'forged.zip')
  writeFileSync(forged, zipSync({ ...Object.fromEntries(files), 'entries.jsonl': new TextEncoder().encode(lines.join('\n')) }))
  const seq = (JSON.parse(lines[at] ?? '') as { seq: number }).seq
  expect(await (await lookAt(forged)).verifyLog({})).toMatchObject({ holds: false, firstWrong: seq })
})

test('what is no log is said to be none', async () => {
  const folder = newHome()
  const file = join(folder, 'x.zip')
  writeFileSync(file, 'PK not really')
  const open = (path: string) => openAuditor({ path, version, runtime, clock: realClock, paper: null })
  expect(await open(folder)).toMatchObject({ kind: 'no-database' })
  expect(await open(join(folder, 'nowhere'))).toMatchObject({ kind: 'no-database' })
  expect(await open(file)).toMatchObject({ kind: 'bad-archive' })
  writeFileSync(join(folder, databaseName), 'SQLite format 3\0'.padEnd(4096, 'x'))
  expect(await open(folder)).toMatchObject({ kind: 'database-damaged' })
})

test('looking again shows what was written meanwhile', async () => {
  const home = newHome()
  const store = storeIn(home)
  value(store.append(outcomeDraft('one')))
  const auditor = await lookAt(home)
  value(store.append(outcomeDraft('two')))
  expect(value(await auditor.findLog({})).total).toBe(1)
  expect(await auditor.readAgain({})).toMatchObject({ auditing: { of: 'database' } })
  expect(value(await auditor.findLog({})).total).toBe(2)
})

test('a large log shows its entries before its copy is there, and the copy goes on with the same list', async () => {
  const { home, store } = await madeHome()
  const before = stateOf(home)
  const auditor = await lookAt(home, { glanceFromBytes: 0 })
  const events: StationEvent[] = []
  auditor.subscribe((event) => events.push(event))
  const first = value(await auditor.findLog({}))
  const { size } = value(store.head())
  expect(first).toMatchObject({ total: size, size })
  const rows = value(await auditor.foundEntries({ find: first.find, at: 0, limit: 50 }))
  expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 50 }, (_, i) => size - 1 - i))
  expect(await auditor.placeInLog({ find: first.find, seq: 3 })).toEqual({ at: size - 4 })
  expect(value(await auditor.foundEntries({ find: first.find, at: size - 1, limit: 50 })).map(({ seq }) => seq)).toEqual([0])
  expect(events.filter(({ is }) => is === 'log')).toEqual([])

  // Whatever needs the whole log waits for the copy, and is answered from it.
  expect(value(await auditor.findLog({ text: 'SN-b1-4' })).total).toBeGreaterThan(0)
  expect(events.filter(({ is }) => is === 'log')).toEqual([{ is: 'log', size }])
  const copied = events.flatMap((event) => (event.is === 'progress' && event.what === 'copy' ? [event] : []))
  expect(copied.at(-1)?.done).toBe(copied.at(-1)?.total)
  expect(await auditor.findLog({})).toEqual(first)
  expect(await auditor.foundEntries({ find: first.find, at: 0, limit: 50 })).toEqual(rows)
  expect(await auditor.verifyLog({})).toMatchObject({ holds: true })
  expect(stateOf(home)).toEqual(before)
})

test('looking again while the log is verified does not pull it away from under that, names searches anew and leaves nothing behind', async () => {
  const { home, store } = await madeHome()
  value(store.appendAll(Array.from({ length: 4_000 }, (_, i) => outcomeDraft(`more ${i}`, { outcome: 'reverted' }))))
  const tempFolder = newHome()
  const auditor = await lookAt(home, { tempFolder })
  const first = value(await auditor.findLog({ text: 'SN' }))
  const verified = auditor.verifyLog({})
  const turning = [auditor.readAgain({}), auditor.readAgain({})]
  for (const turned of turning) expect(await turned).toMatchObject({ auditing: { of: 'database' } })
  // It is given up, unless it came to its end first.
  const verdict = await verified
  expect(failed(verdict) ? verdict.kind : verdict.holds).toBeOneOf(['stopped', true])
  expect(await auditor.foundEntries({ find: first.find, at: 0, limit: 5 })).toMatchObject({ kind: 'no-such-find' })
  expect(value(await auditor.findLog({ text: 'SN' })).find).not.toBe(first.find)
  expect(await auditor.verifyLog({})).toMatchObject({ holds: true })
  expect(readdirSync(tempFolder)).toHaveLength(1)
  const last = auditor.logFigures({})
  auditor.close()
  expect(failed(await last)).toBe(false)
  await expect.poll(() => readdirSync(tempFolder)).toEqual([])
})

test('a window that closes, or looks again, while the log is copied leaves nothing behind', async () => {
  const { home } = await madeHome()
  const tempFolder = newHome()
  const auditor = await lookAt(home, { tempFolder, glanceFromBytes: 0 })
  const waiting = [auditor.logKeys({})]
  expect(await auditor.readAgain({})).toMatchObject({ auditing: { of: 'database' } })
  waiting.push(auditor.logKeys({}))
  auditor.close()
  // A copy that was there just in time may still answer.
  for (const answer of waiting) expect(await answer.then((keys) => (failed(keys) ? keys.kind : keys.length > 0))).toBeOneOf(['stopped', true])
  await expect.poll(() => readdirSync(tempFolder)).toEqual([])
})

test('a copy that cannot be made is said by every call that needs it, not by those that do not', async () => {
  const { home, store } = await madeHome()
  const auditor = await lookAt(home, { glanceFromBytes: 0, tempFolder: join(home, 'nowhere') })
  expect(await auditor.findLog({})).toMatchObject({ total: value(store.head()).size })
  expect(failed(await auditor.verifyLog({}))).toBe(true)
  expect(failed(await auditor.logKeys({}))).toBe(true)
  expect(await auditor.about({})).toMatchObject({ auditing: { of: 'database' } })
})

test('copies taken while a station writes without pause are whole logs that verify', async () => {
  // Node 20 runs no TypeScript, so the writer is built first; inside the tree, where it finds better-sqlite3.
  const folder = mkdtempSync(join(root, 'node_modules', '.slotwright-appender-'))
  await build({
    configFile: false, logLevel: 'error',
    build: { ssr: join(root, 'test', 'store', 'appender.ts'), outDir: folder, emptyOutDir: true, target: 'node20', rolldownOptions: { external: ['better-sqlite3'], output: { entryFileNames: 'appender.mjs' } } },
  })
  const home = newHome()
  const child = spawn(process.execPath, [join(folder, 'appender.mjs'), home], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' } })
  let acknowledged = -1
  child.stdout.on('data', (bytes: Buffer) => {
    acknowledged = Number(bytes.toString().trim().split('\n').at(-1))
  })
  try {
    await once(child.stdout, 'data')
    for (let copy = 0; copy < 12; copy++) {
      const before = acknowledged
      const audit = value(await openSnapshot(home))
      const verdict = value(await audit.verify())
      audit.close()
      // A checkpoint may be signed after the copy was taken; nothing else may differ.
      expect(verdict.wrongs.filter(({ kind }) => kind !== 'checkpoint')).toEqual([])
      expect(verdict.size).toBeGreaterThan(before)
      await new Promise((resolve) => child.stdout.once('data', resolve))
    }
  } finally {
    child.kill('SIGKILL')
    await once(child, 'close')
    rmSync(folder, { recursive: true, force: true })
  }
})

test('what is no log is called that, and not damaged; an unpacked bundle is known for one', async () => {
  const folder = newHome()
  const look = (path: string) => openAuditor({ path, version, runtime, clock: realClock, paper: null })
  const file = join(folder, 'app.bin')
  writeFileSync(file, 'firmware, if anything')
  expect(await look(file)).toMatchObject({ kind: 'no-database', says: expect.stringContaining('neither a database nor an audit bundle') as string })
  expect(await look(folder)).toMatchObject({ kind: 'no-database', says: expect.stringContaining('There is no Slotwright log in') as string })
  for (const name of ['manifest.json', 'entries.jsonl']) writeFileSync(join(folder, name), '{}')
  expect(await look(folder)).toMatchObject({ kind: 'no-database', says: expect.stringContaining('audit bundle that was unpacked') as string })
})
