// Figures of the log: durable appends one by one, in the company of a line of boards and in bulk, opening, listing, proofs
// and verification of a large log, and a peer beside it. `npm run bench:log [-- ENTRIES]`, 100,000 entries unless told; the
// figures that are promised are those of 1,000,000.
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realClock } from '../../main/base/clock.ts'
import { Failure } from '../../main/base/failure.ts'
import type { EntryDraft } from '../../main/log/entry.ts'
import { verifyInclusion } from '../../main/log/proof.ts'
import { openAuditStore, openAuditStoreForReading } from '../../main/store/audit.ts'
import { databaseName } from '../../main/store/database.ts'
import { appendBesideBoards, quantile } from './log-beside.ts'
import { tesseraFigures } from './log-peer.ts'

function value<T>(answer: T | Failure): T {
  if (answer instanceof Failure) throw new Error(`${answer.kind}: ${answer.says}`)
  return answer
}

const hash = (i: number) => i.toString(16).padStart(64, '0')
const draft = (i: number): EntryDraft => {
  const of = { run: `run-${i >> 3}`, unit: `unit-${(i >> 3) % 5_000}`, batch: `batch-${i >> 12}`, bay: i & 15 }
  if (i % 4 === 0) return { kind: 'slot-write-intended', data: { ...of, image: 0, slot: 1, imageHash: hash(1), bytes: 200_000 } }
  if (i % 4 === 1) return { kind: 'booted', data: { ...of, activeHash: hash(1), version: '1.2.3' } }
  if (i % 4 === 2) return { kind: 'proof-passed', data: { ...of, proof: 'echo' } }
  return { kind: 'outcome', data: { ...of, outcome: 'confirmed', says: 'Runs 1.2.3 and was confirmed.', activeHash: hash(1), version: '1.2.3' } }
}

const say = (what: string, figure: string) => console.log(`${what.padEnd(46)} ${figure}`)
const timed = async <T>(work: () => T | Promise<T>): Promise<[T, number]> => {
  const began = performance.now()
  const result = await work()
  return [result, performance.now() - began]
}

const entries = Number(process.argv[2] ?? 100_000)
const home = mkdtempSync(join(tmpdir(), 'slotwright-bench-'))
const identity = { station: 'bench', session: 'bench', clock: realClock }
try {
  let store = value(openAuditStore(home, identity))
  const single: number[] = []
  for (let i = 0; i < 2_000; i++) single.push((await timed(() => value(store.append(draft(i)))))[1])
  single.sort((a, b) => a - b)
  const sum = single.reduce((a, b) => a + b, 0)
  const singlyPerSecond = 2_000 / (sum / 1000)
  say('durable appends one by one', `${Math.round(singlyPerSecond)}/s, median ${single[1_000]?.toFixed(2)} ms, p99 ${single[1_980]?.toFixed(2)} ms`)

  const beside = await appendBesideBoards(draft)
  const spread = (figures: readonly number[]) => `median ${quantile(figures, 0.5).toFixed(2)} ms, p99 ${quantile(figures, 0.99).toFixed(2)} ms, longest ${Math.max(...figures).toFixed(2)} ms`
  say('appends at 100/s while 16 boards are written', `${spread(beside.appends)} (${beside.appends.length} appends, ${beside.uploaded} boards confirmed in ${beside.seconds.toFixed(0)} s)`)
  say('the disk\'s own flush of 32 KiB meanwhile', spread(beside.flushes))

  const [, groupMs] = await timed(async () => {
    for (let i = 0; i < 200; i++) await Promise.all(Array.from({ length: 16 }, (_, k) => store.appendTogether(draft(2_000 + i * 16 + k))))
  })
  say('durable appends, 16 boards in the same turn', `${Math.round(3_200 / (groupMs / 1000))}/s`)

  const rest = Math.max(0, entries - 5_200)
  const [, bulkMs] = await timed(() => {
    for (let i = 0; i < rest; i += 1_000) value(store.appendAll(Array.from({ length: Math.min(1_000, rest - i) }, (_, k) => draft(5_200 + i + k))))
  })
  const bulkPerSecond = rest / (bulkMs / 1000)
  if (rest > 0) say('appends in groups of 1,000', `${Math.round(bulkPerSecond)}/s`)
  value(await store.checkpoint())
  store.close()

  const { size } = statSync(join(home, databaseName))
  say('file size', `${(size / 1e6).toFixed(1)} MB, ${Math.round(size / entries)} bytes an entry`)
  const [opened, openMs] = await timed(() => {
    const again = value(openAuditStore(home, identity))
    value(again.list({ limit: 100 }))
    return again
  })
  store = opened
  say(`open ${entries} entries to first 100 rows`, `${openMs.toFixed(0)} ms`)
  const head = value(store.head())
  const [proof, proofMs] = await timed(() => value(store.proveInclusion(Math.floor(entries / 3), head.size)))
  const listed = value(store.get(Math.floor(entries / 3)))
  const leaf = listed === null ? new Uint8Array(0) : Buffer.from(listed.leaf, 'hex')
  if (!verifyInclusion(leaf, Math.floor(entries / 3), head, proof)) throw new Error('the proof does not hold')
  const many: number[] = []
  for (let i = 0; i < 500; i++) many.push((await timed(() => value(store.proveInclusion((i * 7_919_317) % entries, head.size))))[1])
  many.sort((a, b) => a - b)
  say('inclusion proof', `first ${proofMs.toFixed(2)} ms, then median ${many[250]?.toFixed(2)} ms, p99 ${many[495]?.toFixed(2)} ms, ${proof.length} hashes`)
  const [found, unitMs] = await timed(() => value(store.list({ unit: 'unit-77' })))
  say('history of one unit', `${unitMs.toFixed(2)} ms, ${found.length} entries`)
  const [, textMs] = await timed(() => value(store.list({ text: 'no such text' })))
  say('search for a text that is not there', `${textMs.toFixed(0)} ms`)
  store.close()

  const reader = value(openAuditStoreForReading(home, 0))
  let longest = 0
  let last = performance.now()
  const watch = setInterval(() => {
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }, 1)
  const cpu = process.cpuUsage()
  const [verdict, verifyMs] = await timed(async () => value(await reader.verify()))
  clearInterval(watch)
  const { user, system } = process.cpuUsage(cpu)
  if (!verdict.holds) throw new Error(verdict.says)
  say(`verify ${entries} entries`, `${(verifyMs / 1000).toFixed(2)} s, ${Math.round(entries / (verifyMs / 1000))}/s, ${((user + system) / 1e6).toFixed(2)} s of processor time, longest pause ${longest.toFixed(0)} ms`)
  reader.close()

  const peer = tesseraFigures(process.env['SLOTWRIGHT_BENCH_ROOT'] ?? '', entries, 350)
  if (typeof peer === 'string') console.log(peer)
  else {
    const beside = (ours: number, theirs: number) => `${Math.round(theirs)}/s, ours is ${(ours / theirs).toFixed(1)} × that`
    say('Tessera (POSIX): one by one', beside(singlyPerSecond, peer.singlyPerSecond))
    say('Tessera: sixteen in flight', beside(3_200 / (groupMs / 1000), peer.sixteenPerSecond))
    if (rest > 0) say('Tessera: groups of 1,000', beside(bulkPerSecond, peer.bulkPerSecond))
    say('Tessera: fsck (hashes alone; ours reads each entry)', beside(entries / (verifyMs / 1000), entries / peer.verifySeconds))
  }
} finally {
  rmSync(home, { recursive: true, force: true })
}
