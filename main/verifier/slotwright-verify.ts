// `slotwright-verify`: the auditor's own program, one file for plain Node from version 20 on. It reads an audit bundle, a
// home folder, a database file or a single proof, writes nothing, asks no network, and says line by line what holds and
// what does not. Exit 0: all that was checked holds; 1: something does not; 2: wrong usage.
import { createHash } from 'node:crypto'
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { version } from '../../package.json'
import { Failure } from '../base/failure.ts'
import { checkBundle } from '../bundle/check.ts'
import { checkWitnesses } from '../bundle/vouching.ts'
import type { BundleVerdict } from '../bundle/check.ts'
import type { Finding } from '../bundle/finding.ts'
import { checkMerged, isMerged } from '../bundle/merge.ts'
import { names, parseManifest, titleOf } from '../bundle/layout.ts'
import { unpack } from '../bundle/unpack.ts'
import { reportBytes } from '../bundle/views.ts'
import type { NoteKey } from '../log/checkpoint.ts'
import { parseLogKeys, trustWithin } from '../log/handover.ts'
import { checkTlogProof, parseTlogProof } from '../log/tlogproof.ts'
import { checkDatabase } from './database.ts'
import type { ReadAt } from '../log/sqlite-file.ts'
import { noBundle, unpackedBundle } from './mistaken.ts'

const usage = `usage: slotwright-verify WHAT [--key KEY …] [--checkpoint FILE …] [--witness KEY …] [--json]
       slotwright-verify BUNDLE.zip --report > report.html
       slotwright-verify PROOF.tlog-proof --entry FILE --key KEY

WHAT     an audit bundle (.zip), a station's home folder, or its slotwright.db; or a report merged of several bundles
KEY      the log's public key as the station shows it (name+id+base64), or the file it lies in (log-key.pub); of a merged
         report, each station's
FILE     a signed checkpoint that you took away earlier, or a folder of them: what is checked must continue it
--report prints the report made anew from the entries, whatever the bundle's own says
`

const largeFileMax = 4_000_000_000
const textMax = 1_000_000
const checkpointsMax = 10_000
const databaseTries = 3

/** `read` of a bundle's verdict is for programs that go on with it, not for print. */
type Outcome = Readonly<{ holds: boolean; findings: readonly Finding[]; firstWrong: number | null; says: string; size?: number; root?: string; redacted?: readonly number[]; unchecked?: readonly string[]; read?: BundleVerdict['read'] }>

type Words = Readonly<{ what: string; key: NoteKey | null; keys: readonly NoteKey[]; witnesses: readonly NoteKey[]; kept: ReadonlyMap<string, string>; folders: readonly string[]; entry: string | null; json: boolean; report: boolean }>

function readWords(words: readonly string[]): Words | Failure {
  const keys: Record<string, NoteKey[]> = { '--key': [], '--witness': [] }
  const plain: string[] = []
  const kept = new Map<string, string>()
  const folders: string[] = []
  let entry: string | null = null
  let json = false
  let report = false
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    const given = words[at + 1]
    if (word === '--json') json = true
    else if (word === '--report') report = true
    else if (Object.hasOwn(keys, word) || word === '--entry' || word === '--checkpoint') {
      if (given === undefined) return new Failure('usage', `${word} needs a value.`)
      at += 1
      if (word === '--entry') entry = given
      else if (word === '--checkpoint') {
        const wrong = readKept(given, kept, folders)
        if (wrong !== null) return wrong
      } else {
        const key = parseLogKeys(existsSync(given) ? readText(given) : given)
        if (key instanceof Failure) return new Failure('usage', `${word} ${given.slice(0, 80)}: ${key.says}`)
        keys[word]?.push(key)
      }
    } else if (word.startsWith('-')) return new Failure('usage', `There is no option ${word}.`)
    else plain.push(word)
  }
  const [what, ...more] = plain
  if (what === undefined || more.length > 0) return new Failure('usage', 'Name one bundle, folder, database or proof.')
  return { what, key: keys['--key']?.[0] ?? null, keys: keys['--key'] ?? [], witnesses: keys['--witness'] ?? [], kept, folders, entry, json, report }
}

/** One checkpoint, or all in a folder and one below it, as `log checkpoint --copy-to` fills it with those of every station. */
function readKept(path: string, kept: Map<string, string>, folders: string[]): Failure | null {
  if (!existsSync(path)) return new Failure('usage', `There is no checkpoint ${path}.`)
  const folder = statSync(path).isDirectory()
  const files = folder ? (readdirSync(path, { recursive: true }) as string[]).filter((name) => name.endsWith('.checkpoint') && name.split(/[\\/]/).length <= 2).map((name) => join(path, name)) : [path]
  if (files.length === 0) return new Failure('usage', `There is no .checkpoint file in ${path}.`)
  if (kept.size + files.length > checkpointsMax) return new Failure('usage', `${path} has more than ${checkpointsMax} checkpoints.`)
  for (const file of files) kept.set(file, readText(file))
  if (folder) folders.push(path)
  return null
}

/** What is held against the log called `origin`: files that were named, and of folders those that are its own; `missing` are folders without any. */
function keptFor(origin: string | null, { kept, folders }: Words): { kept: ReadonlyMap<string, string>; missing: string[] } {
  const within = (file: string) => folders.find((folder) => file.startsWith(join(folder, '/')))
  const own = new Map([...kept].filter(([file, note]) => within(file) === undefined || note.split('\n', 1)[0] === origin))
  return { kept: own, missing: folders.filter((folder) => ![...own.keys()].some((file) => within(file) === folder)) }
}

/** A folder of checkpoints that knows nothing of this log is no proof for it. */
function withMissing(outcome: Outcome, missing: readonly string[]): Outcome {
  if (missing.length === 0) return outcome
  const added = missing.map((folder) => ({ is: 'broken', about: 'kept', says: `None of the checkpoints in ${folder} is of this log.` }) as const)
  return { ...outcome, holds: false, findings: [...outcome.findings, ...added], says: outcome.holds ? added[0]?.says ?? '' : outcome.says }
}

function readText(path: string): string {
  if (statSync(path).size > textMax) throw new Error(`${path} is far too long`)
  return readFileSync(path, 'utf8')
}

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()

async function check(words: Words): Promise<Outcome | Failure> {
  const { what } = words
  if (!existsSync(what)) return new Failure('no-file', `There is no ${what}.`)
  if (statSync(what).isDirectory()) {
    const path = join(what, 'slotwright.db')
    if (existsSync(path)) return await checkHome(path, what, words)
    return unpackedBundle(readdirSync(what), `${what} holds`) ?? new Failure('no-file', `${what} is no station's home: there is no slotwright.db in it.`)
  }
  if (what.endsWith('.tlog-proof')) return checkProof(words)
  if (statSync(what).size > largeFileMax) return new Failure('too-large', `${what} is too large to be one of ours.`)
  const first = Buffer.alloc(16)
  const file = openSync(what, 'r')
  readSync(file, first, 0, 16, 0)
  closeSync(file)
  if (first.toString('latin1').startsWith('SQLite format 3')) return checkHome(what, dirname(what), words)
  const bytes = readFileSync(what)
  const files = noBundle(basename(what), bytes) ?? unpack(bytes)
  if (files instanceof Failure) return files
  const options = { trusted: words.keys, witnesses: words.witnesses, version, sha256, onProgress: progress }
  if (isMerged(files)) return await checkMerged(files, { ...options, checkpoints: words.kept })
  const manifest = parseManifest(files.get(names.manifest) ?? new Uint8Array(0))
  const { kept, missing } = keptFor(manifest instanceof Failure ? null : manifest.origin, words)
  const outcome = await checkBundle(files, { ...options, checkpoints: kept })
  return outcome instanceof Failure ? outcome : withMissing(outcome, missing)
}

function checkProof({ what, key, entry, kept, witnesses }: Words): Outcome | Failure {
  if (key === null || entry === null) return new Failure('usage', 'A proof is checked with --entry FILE (the entry, as "slotwright log show --raw" prints it) and --key.')
  if (kept.size > 0) return new Failure('usage', 'A single proof cannot be held against another checkpoint. Check a bundle, or the home.')
  const proof = parseTlogProof(readText(what))
  const bytes = readFileSync(entry)
  // Editors and shells add a line feed; an entry never ends with one.
  const held = proof instanceof Failure ? proof : checkTlogProof(proof, bytes.at(-1) === 10 ? bytes.subarray(0, -1) : bytes, [key])
  if (held instanceof Failure) return { holds: false, findings: [{ is: 'broken', about: 'proof', says: held.says }], firstWrong: null, says: held.says }
  const says = `This entry is number ${(proof as { index: number }).index} of the log ${held.origin}, signed over ${held.size} entries.`
  const findings: Finding[] = [{ is: 'holds', about: 'proof', says }]
  checkWitnesses((proof as { checkpoint: string }).checkpoint, key, witnesses, findings)
  const wrong = findings.find(({ is }) => is === 'broken')
  return { holds: wrong === undefined, findings, firstWrong: null, says: wrong?.says ?? says }
}

/** A database in a home; read again when a station moved pages while it was read. */
async function checkHome(path: string, home: string, words: Words): Promise<Outcome | Failure> {
  if (!existsSync(path)) return new Failure('no-file', `There is no database ${path}.`)
  const publicKey = join(home, 'log-key.pub')
  const kept = existsSync(publicKey) ? parseLogKeys(readText(publicKey)) : null
  const own = words.key === null ? kept : trustWithin(words.key, kept)
  if (own instanceof Failure) return own
  const { kept: brought, missing } = keptFor(own?.name ?? null, words)
  const place = join(home, 'checkpoints')
  const files = existsSync(place) ? readdirSync(place).filter((name) => /^[0-9]{12,15}\.checkpoint$/.test(name)) : []
  const checkpoints = new Map(files.map((name) => [name, readText(join(place, name))]))
  for (let tried = 1; ; tried++) {
    const before = statSync(path).mtimeMs
    const wal = existsSync(`${path}-wal`) ? readFileSync(`${path}-wal`) : null
    const file = openSync(path, 'r')
    const found = await checkDatabase({ read: reader(file), wal, checkpoints }, { key: own, keyGiven: words.key !== null, kept: brought, witnesses: words.witnesses, sha256, onProgress: progress })
    closeSync(file)
    const moved = statSync(path).mtimeMs !== before
    if (moved && tried < databaseTries) continue
    if (moved) return new Failure('database-busy', 'A station is writing to this database all the time. Close it, or check a backup ("slotwright log backup").')
    if (found instanceof Failure) return found
    const keyFinding: Finding[] = words.key !== null || own === null ? [] : [{ is: 'note', about: 'key', says: `The log's key was taken from the home itself. Compare it with what you were given: ${readText(publicKey).trim()}` }]
    const findings = [...keyFinding, ...found.findings]
    const first = findings.find(({ is }) => is === 'broken')
    const { verdict } = found
    return withMissing({ holds: first === undefined, findings, firstWrong: verdict.firstWrong, size: verdict.size, root: Buffer.from(verdict.root).toString('hex'), redacted: verdict.redacted, says: first === undefined ? 'The log holds.' : `The log does not hold. ${first.says}` }, missing)
  }
}

/** Reads with a window of a megabyte ahead: pages of one table mostly lie one after the other. */
function reader(file: number): ReadAt {
  const window = Buffer.alloc(1_048_576)
  let from = -1
  let length = 0
  return (offset, wanted) => {
    if (from < 0 || offset < from || offset + wanted > from + length) {
      from = offset - (offset % 65_536)
      length = readSync(file, window, 0, window.length, from)
    }
    return new Uint8Array(window.subarray(offset - from, Math.min(length, offset - from + wanted)))
  }
}

/** The report goes out, the findings beside it; of what does not hold there is none. */
function printReport(outcome: Outcome): number {
  process.stderr.write(`${[...outcome.findings.filter(({ is }) => is !== 'holds').map(({ is, says }) => `${marks[is]}  ${washed(says)}`), washed(outcome.says)].join('\n')}\n`)
  if (outcome.read === undefined || outcome.read === null) {
    process.stderr.write('slotwright-verify: A report is made of an audit bundle whose entries were read, and of nothing else.\n')
    return outcome.holds ? 2 : 1
  }
  const { manifest, facts, story } = outcome.read
  if (outcome.findings.some(({ is, about }) => is === 'broken' && !besideEntries.has(about))) return 1
  process.stdout.write(reportBytes({ ...manifest, what: titleOf(manifest, facts.checkpoint.size).wanted, madeBy: version }, facts, story))
  return outcome.holds ? 0 : 1
}

/** What may be wrong in a bundle whose entries, and so a report made of them, hold all the same. */
const besideEntries: ReadonlySet<string> = new Set(['files', 'views', 'title', 'receipts', 'signature'])

let shown = 0
async function progress(done: number, total: number): Promise<void> {
  if (process.stderr.isTTY && Date.now() - shown > 200) {
    shown = Date.now()
    process.stderr.write(`\r${done} of ${total} entries …\u001b[K`)
    if (done === total) process.stderr.write('\r\u001b[K')
  }
  await Promise.resolve()
}

const marks: Readonly<Record<Finding['is'], string>> = { holds: 'holds ', broken: 'BROKEN', note: 'note  ' }

// Names and texts in a bundle are somebody else's: no control character of theirs reaches the terminal.
const washed = (text: string) => text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, '\ufffd')

async function main(): Promise<number> {
  if (process.argv.includes('--help') || process.argv.includes('-h')) {
    process.stdout.write(usage)
    return 0
  }
  const words = readWords(process.argv.slice(2))
  const outcome = words instanceof Failure ? words : await check(words)
  const json = process.argv.includes('--json')
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
  if (outcome instanceof Failure) {
    if (json) process.stdout.write(`${JSON.stringify({ failure: { kind: outcome.kind, says: outcome.says } })}\n`)
    process.stderr.write(`slotwright-verify: ${washed(outcome.says)}\n${outcome.kind === 'usage' ? usage : ''}`)
    return outcome.kind === 'usage' ? 2 : 1
  }
  if (!(words instanceof Failure) && words.report) return printReport(outcome)
  if (json) process.stdout.write(`${JSON.stringify({ ...outcome, read: undefined })}\n`)
  else process.stdout.write(`${[...outcome.findings.map(({ is, says }) => `${marks[is]}  ${washed(says)}`), '', washed(outcome.says)].join('\n')}\n`)
  return outcome.holds ? 0 : 1
}

main().then((code) => {
  process.exitCode = code
}, (error: unknown) => {
  process.stderr.write(`slotwright-verify: ${washed(error instanceof Error ? error.message : String(error))}\n`)
  process.exitCode = 1
})
