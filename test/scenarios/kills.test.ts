// SIGKILL for the station in the middle of a batch, over real pseudo-terminals: practice boards in one process, `provision`
// in another, killed at a change of its database that a seed chooses. What it leaves is opened again: nothing that was on disk
// is lost, nothing is told twice, and the batch finishes. `npm run soak:kill` does it fifty times.
import { watch, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { ChildProcess } from 'node:child_process'
import { beforeAll, expect, test } from 'vitest'
import { failed } from '../../main/base/failure.ts'
import type { Entry } from '../../main/log/entry.ts'
import { seededNumbers } from '../../main/practice/faults.ts'
import { openAuditStoreForReading } from '../../main/store/audit.ts'
import type { ListedEntry } from '../../main/store/audit.ts'
import { databaseName } from '../../main/store/database.ts'
import { document, folder, run, start } from '../cli/command.ts'
import { value } from './simulation.ts'

const kills = Number(process.env['SLOTWRIGHT_KILLS'] ?? 5)
const boards = 3
const dir = folder()
const home = join(dir, 'home')
const ports = join(dir, 'line')
const at = (name: string) => join(dir, name)
const images = ['1.1.0', '1.2.0'] as const
type Provisioned = { runs: { board: string; outcome: string; activeHash: string | null }[]; outcomes: Record<string, number>; image: { hash: string } }

beforeAll(async () => {
  writeFileSync(at('app.bin'), new Uint8Array(24_000).map((_, i) => (i * 7919) >> 3))
  await run(['keygen', '--type', 'ed25519', '--out', at('test.pem'), '--no-passphrase'], { home })
  for (const version of images) {
    const signed = await run(['sign', at('app.bin'), at(`${version}.img`), '-k', at('test.pem'), '-v', version, '-H', '0x200', '--pad-header', '-S', '0x69000'], { home })
    expect(signed.code, signed.stderr).toBe(0)
  }
}, 60_000)

/** Practice boards in a process of their own; resolves when they are ready. */
function practice(): Promise<() => Promise<number | null>> {
  const child = start(['practice', '--dir', ports, '--trust', at('test.pem'), '--baud', '1000000', '--boards', String(boards), '--json'], { home })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  return new Promise((resolve, reject) => {
    void ended.then((code) => reject(new Error(`practice ended with ${code}`)))
    child.stdout?.on('data', (piece: Buffer) => {
      if (!piece.toString().includes('"is":"ready"')) return
      resolve(() => {
        child.kill('SIGINT')
        return ended
      })
    })
  })
}

const orderOf = (image: string) => ['provision', at(`${image}.img`), '--ports', ports, '--boards', String(boards), '--allow-downgrade', '--json']

/** Lets a child go until its database has changed that often, then kills it; false when it ended before. */
function killAtChange(child: ChildProcess, changes: number): Promise<boolean> {
  return new Promise((resolve) => {
    let left = changes
    const watching = watch(home, (_, name) => {
      if (name !== null && basename(name).startsWith(databaseName) && --left === 0) child.kill('SIGKILL')
    })
    child.once('close', (_code, signal) => {
      watching.close()
      resolve(signal === 'SIGKILL')
    })
  })
}

async function entries(): Promise<Entry[]> {
  const store = await value(openAuditStoreForReading(home))
  try {
    const all: Entry[] = []
    for (let before: number | null = null; ;) {
      const page: readonly ListedEntry[] = await value(store.list({ limit: 1_000, before }))
      all.push(...page.map(({ entry }) => {
        if (failed(entry)) throw new Error(entry.says)
        return entry
      }))
      before = page.at(-1)?.seq ?? 0
      if (before === 0) break
    }
    expect(await value(store.verify())).toMatchObject({ holds: true })
    return all.reverse()
  } finally {
    store.close()
  }
}

test(`a station killed ${kills} times in the middle of a batch loses nothing, doubles nothing, and finishes each`, async () => {
  const draw = seededNumbers(20_26)
  const stop = await practice()
  let struck = 0
  const closedAfter = new Set<string>()
  for (let kill = 0; kill < kills; kill++) {
    const image = images[kill % 2]!
    const changes = 4 + Math.floor(draw() * 60)
    const wasKilled = await killAtChange(start(orderOf(image), { home }), changes)
    const left = await entries()
    const again = await run(orderOf(image), { home })
    const done = document<Provisioned>(again)
    const after = await entries()
    const where = `kill ${kill + 1} at change ${changes}`
    expect(after.slice(0, left.length), `${where}: nothing is lost`).toEqual(left)
    expect({ where, code: again.code, good: done.runs.map(({ outcome }) => outcome === 'confirmed' || outcome === 'unchanged') }, again.stderr).toEqual({ where, code: 0, good: Array.from({ length: boards }, () => true) })
    expect(done.runs.every(({ activeHash }) => activeHash === done.image.hash), where).toBe(true)
    const started = after.filter(({ kind }) => kind === 'run-started').map(({ data }) => data['run'])
    const ended = after.filter(({ kind }) => kind === 'outcome').map(({ data }) => data['run'])
    expect(new Set(started).size, `${where}: no run twice`).toBe(started.length)
    expect([...ended].sort(), `${where}: one outcome for each run`).toEqual([...started].sort())
    const died = after.filter(({ kind, data }) => kind === 'outcome' && data['failure'] === 'station-died').length
    if (wasKilled && left.some(({ kind }) => kind === 'batch-started')) struck++
    closedAfter.add(`${died}`)
  }
  expect(await stop()).toBe(0)
  expect(struck, 'most kills struck a running batch').toBeGreaterThan(kills / 2)
}, 60_000 + kills * 40_000)
