// `log backup`, `restore`, `redact`, `compact`, `people`: keeping a log over the years, and what people may ask of it.
import { basename, resolve } from 'node:path'
import type { Command } from 'commander'
import { toHex } from '../../base/bytes.ts'
import { Failure, failed } from '../../base/failure.ts'
import { forgetPerson, readPeople, setPseudonyms } from '../../store/people.ts'
import type { AuditStore } from '../../store/audit.ts'
import { backUp, restore } from '../../store/backup.ts'
import { openAuditStoreForReading } from '../../store/audit.ts'
import type { Act, Answer, Call } from '../call.ts'
import { homeFolder } from '../home.ts'
import { oneOf } from '../numbers.ts'
import { openLog, whoActs } from '../record.ts'
import { columns } from '../terminal.ts'

type RedactFlags = Readonly<{ field: string[]; because: string; ofPerson?: string }>

const redactedAtOnceMax = 10_000

export function declareKeep(command: Command, act: Act): void {
  command.command('backup').description('copy the log to a new folder, beside a running station too, and verify the copy')
    .argument('<folder>', 'a folder that does not exist yet').action(act<object>(backup))
  command.command('restore').description('put a backup\'s log into a home that has none')
    .argument('<folder>', 'the backup').action(act<object>(restoreLog))
  command.command('redact').description('strike free text out of entries for good; their leaf hashes stay')
    .argument('[seq...]', 'numbers of the entries')
    .option('--of-person <name>', 'every entry this person is named in as who acted')
    .option('--field <name...>', 'what to strike out: person, says, reason, name, file, port, …', ['says'])
    .requiredOption('--because <text>', 'why; this stays in the log')
    .action(act<RedactFlags>(redact))
  command.command('compact').description('rewrite the database without its free parts').action(act<object>(compact))
  command.command('people').description('pseudonyms for the people in the log')
    .option('--pseudonyms <on|off>', 'from the next entry on', oneOf(['on', 'off']))
    .option('--forget <name>', 'drop a name, so that nobody can tell whose its pseudonym was')
    .action(act<{ pseudonyms?: 'on' | 'off'; forget?: string }>(people))
}

async function backup(call: Call, [folder = '']: readonly string[]): Promise<Answer | Failure> {
  const path = resolve(folder)
  // Reading is enough, so that a running station may go on.
  const log = openAuditStoreForReading(homeFolder(call), 0)
  if (failed(log)) return log
  let made
  try {
    made = await backUp(log, path)
  } finally {
    log.close()
  }
  if (failed(made)) return made
  const noted = await withWriter(call, (store) => store.append({ kind: 'log-backed-up', ...whoActs(call), data: { file: basename(path).slice(0, 200), size: made.size, fileSha256: made.sha256 } }))
  if (failed(noted)) call.tell(`The backup is not noted in the log: ${noted.says}\n`)
  return { document: { ...made, root: toHex(made.root) }, words: `${path} holds ${made.size} entries and verifies. The log key stays here: who has the backup can read, not sign.` }
}

async function restoreLog(call: Call, [folder = '']: readonly string[]): Promise<Answer | Failure> {
  const home = homeFolder(call)
  const made = await restore(resolve(folder), home)
  if (failed(made)) return made
  const noted = await withWriter(call, (store) => store.append({ kind: 'log-restored', ...whoActs(call), data: { file: basename(resolve(folder)).slice(0, 200), size: made.size, root: toHex(made.root) } }))
  if (failed(noted)) return noted
  return { document: { ...made, root: toHex(made.root) }, words: `${home} goes on from ${made.size} entries.` }
}

async function redact(call: Call, seqs: readonly string[], flags: RedactFlags): Promise<Answer | Failure> {
  const named = seqs.map(Number)
  if (named.some((seq) => !Number.isSafeInteger(seq) || seq < 0)) return new Failure('usage', 'Entries are named by their numbers.')
  return withWriter(call, (store): Answer | Failure => {
    const ofPerson = flags.ofPerson === undefined ? [] : (store.database.sql.prepare(`SELECT seq FROM entries WHERE person = ? ORDER BY seq LIMIT ${redactedAtOnceMax}`).pluck().all(flags.ofPerson) as number[])
    const all = [...new Set([...named, ...ofPerson])].slice(0, redactedAtOnceMax)
    if (all.length === 0) return new Failure('nothing-to-redact', 'No entry was named, or that person is named in none.')
    const fields = flags.ofPerson === undefined ? flags.field : [...new Set(['person', ...flags.field])]
    const done = store.redact(all, fields, flags.because, { ...whoActs(call) })
    if (failed(done)) return done
    return { document: { redacted: all, fields, entries: done.map(({ seq }) => seq) }, words: `Struck ${fields.join(', ')} out of ${all.length} entr${all.length === 1 ? 'y' : 'ies'}. Backups and exports made before still have the text.` }
  })
}

function compact(call: Call): Promise<Answer | Failure> {
  return withWriter(call, (store): Answer | Failure => {
    const done = store.compact()
    return failed(done) ? done : { document: { compacted: true }, words: 'The database was rewritten.' }
  })
}

function people(call: Call, _args: readonly string[], flags: { pseudonyms?: 'on' | 'off'; forget?: string }): Promise<Answer | Failure> {
  const home = homeFolder(call)
  const changed = flags.forget !== undefined ? forgetPerson(home, flags.forget) : flags.pseudonyms !== undefined ? setPseudonyms(home, flags.pseudonyms === 'on') : readPeople(home)
  if (failed(changed)) return Promise.resolve(changed)
  const rows = Object.entries(changed.people).map(([name, pseudonym]) => [pseudonym, name])
  return Promise.resolve({ document: { on: changed.on, people: changed.people }, words: [`Pseudonyms are ${changed.on ? 'on' : 'off'}.`, columns(rows)].filter((line) => line !== '').join('\n') })
}

async function withWriter<T>(call: Call, work: (store: AuditStore) => T | Failure): Promise<T | Failure> {
  const store = await openLog(call)
  if (failed(store)) return store
  try {
    return work(store)
  } finally {
    store.close()
  }
}
