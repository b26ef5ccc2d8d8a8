// `log`: the auditor's side of the command line. `verify` recomputes every leaf, the tree and the derived tables, and
// compares with the signed checkpoints beside the database; the first entry that does not hold is named.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { toHex } from '../../base/bytes.ts'
import { Failure, failed } from '../../base/failure.ts'
import type { NoteKey } from '../../log/checkpoint.ts'
import { entryView } from '../../station/views.ts'
import { readLogPublicKey } from '../../store/checkpoints.ts'
import { databaseName } from '../../store/database.ts'
import type { Act, Answer, Call } from '../call.ts'
import { readText } from '../files.ts'
import { homeFolder } from '../home.ts'
import { wholeNumber } from '../numbers.ts'
import { entriesOf, entryLines, headOf, readLogKey, withLog } from '../read-log.ts'
import { declareExport } from './log-export.ts'
import { declareKeep } from './log-keep.ts'
import { declareLogKey } from './log-key.ts'
import { declareMerge } from './log-merge.ts'
import { declareProve } from './log-prove.ts'

type ListFlags = Readonly<{ limit: number; kind?: string; text?: string; unit?: string; batch?: string; before?: number; person?: string; outcome?: string; key?: string; since?: string; until?: string }>

type VerifyFlags = Readonly<{ key?: string; checkpoint?: readonly string[] }>

const entriesMax = 1_000_000
const keptMax = 10_000

const collected = (file: string, files: readonly string[] = []) => [...files, file]

export function declare(command: Command, act: Act): void {
  command
    .command('list')
    .description('entries, newest first')
    .option('-n, --limit <n>', 'how many at most', wholeNumber(1, entriesMax), 50)
    .option('--before <seq>', 'only entries before this number', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option('--kind <kind>', 'only this kind, like image-signed or outcome')
    .option('--unit <unit>', 'only this board')
    .option('--batch <batch>', 'only this batch')
    .option('--text <text>', 'only entries that contain this text')
    .option('--person <name>', 'only what this person did')
    .option('--outcome <outcome>', 'only outcomes like confirmed or failed')
    .option('--key <fingerprint>', 'only entries that name this key')
    .option('--since <time>', 'from this time on (UTC, like 2026-03-01)')
    .option('--until <time>', 'before this time')
    .action(act<ListFlags>(list))
  command
    .command('show')
    .description('one entry, whole')
    .argument('<seq>', 'number of the entry', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option('--raw', 'the entry\'s own bytes, as they were hashed')
    .action(act<{ raw?: boolean }>(show))
  command
    .command('verify')
    .description('recompute everything and name the first entry that does not hold')
    .option('--key <key>', 'the log\'s public key as you know it from elsewhere, or its file')
    .option('--checkpoint <file>', 'a checkpoint you took away earlier, or a folder of them: the log must continue it', collected)
    .action(act<VerifyFlags>(verify))
  declareExport(command, act)
  declareMerge(command, act)
  declareProve(command, act)
  declareKeep(command, act)
  declareLogKey(command, act)
}

function list(call: Call, _args: readonly string[], flags: ListFlags): Promise<Answer | Failure> {
  return withLog<Answer>(call, async (log) => {
    const filter = { kind: flags.kind ?? null, unit: flags.unit ?? null, batch: flags.batch ?? null, text: flags.text ?? null, before: flags.before ?? null, person: flags.person ?? null, outcome: flags.outcome ?? null, key: flags.key ?? null, since: flags.since ?? null, until: flags.until ?? null }
    const found = await entriesOf(call, log, filter, flags.limit)
    if (failed(found)) return found
    const { entries, total } = found
    const words = entries.length === 0 ? 'No entry fits.' : entryLines(call, entries)
    if (!call.json && total > entries.length) call.tell(`${entries.length} of ${total} entries; --limit shows more.\n`)
    return { document: { entries, total, ...headOf(log) }, words }
  })
}

function show(call: Call, [seq = '']: readonly string[], { raw }: { raw?: boolean }): Promise<Answer | Failure> {
  return withLog<Answer>(call, (log) => {
    const found = log.get(Number(seq))
    if (failed(found)) return found
    if (found === null) return new Failure('no-such-entry', `The log has no entry ${seq}; it has ${headOf(log)?.size ?? 0} entries, counted from 0.`)
    if (raw === true && !call.json) return { bytes: log.database.sql.prepare('SELECT bytes FROM entries WHERE seq = ?').pluck().get(found.seq) as Uint8Array }
    const view = entryView(found)
    const { data, ...head } = view
    const rows = Object.entries({ ...head, ...data }).map(([name, value]) => `${call.paint.dim(name.padEnd(16))} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    return { document: view, words: rows.join('\n') }
  })
}

async function verify(call: Call, _args: readonly string[], flags: VerifyFlags): Promise<Answer | Failure> {
  const empty = await nothingYet(call)
  if (empty !== null) return empty
  const trusted = flags.key === undefined ? undefined : await readLogKey(flags.key)
  if (failed(trusted)) return trusted
  const kept = await readKept(call, flags.checkpoint ?? [], trusted)
  if (failed(kept)) return kept
  return withLog<Answer>(call, async (log) => {
    const startedMs = performance.now()
    let shownMs = startedMs
    const verdict = await log.verify((done, total) => {
      if (!call.stderr.isTTY || performance.now() - shownMs < 200) return
      shownMs = performance.now()
      call.tell(`\r${done} of ${total} entries …`)
    }, { signal: call.signal, kept, ...(trusted === undefined ? {} : { trusted }) })
    if (shownMs > startedMs) call.tell('\n')
    if (failed(verdict)) return verdict
    const { holds, size, root, wrongs, firstWrong, checkpointsHeld, says } = verdict
    const seconds = Math.round(performance.now() - startedMs) / 1000
    const lines = wrongs.slice(0, 20).map((wrong) => `  ${wrong.seq === null ? '' : `entry ${wrong.seq}: `}${wrong.says}`)
    return {
      document: { holds, size, root: toHex(root), firstWrong, wrongs, checkpoints: checkpointsHeld, redacted: verdict.redacted, says, seconds },
      words: [holds ? call.paint.good(says) : call.paint.bad(says), ...lines, `${size} entries, root ${toHex(root)}, ${seconds} s`].join('\n'),
      good: holds,
    }
  })
}

/** Checkpoints by their paths; of a folder those of this log in it and one below, as `log checkpoint --copy-to` fills it. */
async function readKept(call: Call, named: readonly string[], trusted: NoteKey | undefined): Promise<ReadonlyMap<string, string> | Failure> {
  const own = trusted ?? readLogPublicKey(homeFolder(call))
  if (failed(own)) return own
  const kept = new Map<string, string>()
  for (const path of named) {
    const folder = await stat(path).then((there) => there.isDirectory(), () => false)
    const files = folder ? (await readdir(path, { recursive: true })).filter((name) => name.endsWith('.checkpoint') && name.split(/[\\/]/).length <= 2).map((name) => join(path, name)) : [path]
    if (kept.size + files.length > keptMax) return new Failure('usage', `${path} has more than ${keptMax} checkpoints.`)
    let found = 0
    for (const file of files) {
      const note = await readText(file, 'checkpoint')
      if (failed(note)) return note
      if (folder && note.split('\n', 1)[0] !== own?.name) continue
      kept.set(file, note)
      found += 1
    }
    if (found === 0) return new Failure('no-checkpoint', `None of the checkpoints in ${path} is of this log${own === null ? '' : `, ${own.name}`}.`)
  }
  return kept
}

/** A home that never had a log is a wrong name far more often than an empty log that holds, so it is refused. */
async function nothingYet(call: Call): Promise<Failure | null> {
  const home = homeFolder(call)
  const there = await stat(join(home, databaseName)).catch(() => null)
  return there === null ? new Failure('no-database', `There is no log in ${home}: nothing has been signed or provisioned there yet. Check --home.`, { home }) : null
}
