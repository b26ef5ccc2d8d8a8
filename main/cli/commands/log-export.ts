// `log export`: what goes to an auditor. A bundle is made from the log as it is read, beside a running
// station too; where nobody holds the log for writing, a checkpoint is signed first and the export is noted in the log.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { version } from '../../../package.json'
import { concat } from '../../base/bytes.ts'
import { realClock } from '../../base/clock.ts'
import { Failure, failed } from '../../base/failure.ts'
import type { Signer } from '../../base/signer.ts'
import { batchTitle, rangeTitle, wholeLogTitle } from '../../bundle/layout.ts'
import { Keyring } from '../../keys/keyring.ts'
import { exportPublicKey } from '../../keys/export.ts'
import { ed25519SpkiPrefix } from '../../log/checkpoint.ts'
import { presentKey } from '../../log/handover.ts'
import { keysFolderOf, knownKeysFolderOf } from '../../station/home.ts'
import { signAndCopy } from '../../station/checkpoints.ts'
import type { AuditStore } from '../../store/audit.ts'
import { readLogPublicKey } from '../../store/checkpoints.ts'
import { databaseName, diskFailure } from '../../store/database.ts'
import { exportBundle } from '../../store/export.ts'
import { openLogKey } from '../../store/logkey.ts'
import type { Exported } from '../../store/export.ts'
import type { Act, Answer, Call } from '../call.ts'
import { homeFolder } from '../home.ts'
import { withSigningLog } from '../log-signing.ts'
import { wholeNumber } from '../numbers.ts'
import { pdfOf } from '../print.ts'
import { withLog } from '../read-log.ts'
import type { PinOptions } from '../passphrase.ts'
import { openLog, whoActs } from '../record.ts'
import { sizeWords } from '../terminal.ts'

type Flags = Readonly<{ batch?: string; from?: number; to?: number; since?: string; until?: string; sign: boolean; pdf: boolean; pinFile?: string }>
type Range = Readonly<{ from: number; to: number; what: string; batch: string | null }>

export function declareExport(command: Command, act: Act): void {
  command
    .command('export')
    .description('an audit bundle (zip): entries, proofs, checkpoints, keys, report, table and test records')
    .argument('<file>', 'the bundle to write, like batch.zip')
    .option('--batch <id>', 'one batch ("last" for the newest)')
    .option('--from <seq>', 'from this entry on', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option('--to <seq>', 'up to and with this entry', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option('--since <time>', 'from this time on (UTC, like 2026-03-01 or 2026-03-01T08:00)')
    .option('--until <time>', 'before this time')
    .option('--no-sign', 'write nothing to the log: no checkpoint, no note of the export')
    .option('--no-pdf', 'leave the PDF of the report out')
    .option('--pin-file <file>', 'file whose first line is the PIN, where the log\'s key lies in a token')
    .action(act<Flags>(exportLog))
}

async function exportLog(call: Call, [file = '']: readonly string[], flags: Flags): Promise<Answer | Failure> {
  const path = resolve(file)
  const signed = flags.sign && existsSync(join(homeFolder(call), databaseName)) ? await signFirst(call, flags) : null
  if (failed(signed)) call.tell(`No new checkpoint was signed: ${signed.says}\n`)
  const exported = await withLog<Exported & Range>(call, async (log) => {
    const range = rangeOf(log, flags)
    if (failed(range)) return range
    const keys = await publicKeys(call)
    let shownMs = performance.now()
    const made = await exportBundle(log, { file: path, ...range }, {
      version, wallMs: realClock.wallMs(), keys, signal: call.signal,
      ...(flags.sign ? { signer: () => logSigner(call, flags) } : {}),
      ...(flags.pdf ? { printPdf: (html: Uint8Array) => printed(call, html) } : {}),
      onProgress(done, total) {
        if (!call.stderr.isTTY || performance.now() - shownMs < 200) return
        shownMs = performance.now()
        call.tell(`\r${Math.floor((100 * done) / total)} % …`)
      },
    })
    return failed(made) ? made : { ...range, ...made }
  })
  if (failed(exported)) return exported
  // Who holds the log was waited for already.
  const held = failed(signed) && signed.kind === 'database-locked' ? signed : null
  const noted = flags.sign ? held ?? await note(call, exported) : null
  if (exported.unsigned !== null && flags.sign) call.tell(`The bundle's list of files is not signed, so nothing but its entries is vouched for: ${exported.unsigned.says}\n`)
  if (failed(noted)) call.tell(`The export is not noted in the log: ${noted.says}\n`)
  const { from, to, checkpoint, bytes, units, redacted } = exported
  const words = `${path} holds entries ${from} to ${to - 1}${units > 0 ? ` with ${units} unit${units === 1 ? '' : 's'}` : ''}${redacted > 0 ? `, ${redacted} of them redacted` : ''}, proven by the checkpoint over ${checkpoint} entries (${sizeWords(bytes)}).\n${howToCheck(path)}`
  return { document: { ...exported, unsigned: exported.unsigned?.says ?? null, file: path, noted: noted === null || failed(noted) ? null : noted }, words }
}

/** The log's key, which writes nothing to the log; one in a token signs through the token, which takes the log for that moment. */
function logSigner(call: Call, flags: PinOptions): Signer | Failure {
  const home = homeFolder(call)
  const signer = openLogKey(home)
  if (!failed(signer) || signer.kind !== 'log-key-in-token') return signer
  const known = readLogPublicKey(home)
  if (failed(known) || known === null) return known ?? signer
  const spki = concat(ed25519SpkiPrefix, presentKey(known).publicKey)
  return { publicKey: { algorithm: 'ed25519', spki, encoded: spki }, sign: (what, signal) => withSigningLog(call, flags, async (opened) => {
    const present = opened.logSigner()
    return failed(present) ? present : await present.sign(what, signal)
  }) }
}

/** A bundle without its PDF is a bundle all the same: the page it would be made from lies in it. */
async function printed(call: Call, html: Uint8Array): Promise<Uint8Array | null> {
  const pdf = await pdfOf(new TextDecoder().decode(html), null)
  if (!failed(pdf)) return pdf
  call.tell(`The bundle is without a PDF of its report. ${pdf.says}\n`)
  return null
}

async function signFirst(call: Call, flags: PinOptions): Promise<null | Failure> {
  const signed = await withSigningLog(call, flags, (store) => signAndCopy(store, call.signal))
  if (failed(signed)) return signed
  if (signed.notCopied !== null) call.tell(`${signed.notCopied.says}\n`)
  return null
}

async function note(call: Call, { what, file, sha256: fileSha256, from, to }: Exported & Range): Promise<number | Failure> {
  const store = await openLog(call)
  if (failed(store)) return store
  try {
    const entry = store.append({ kind: 'export', ...whoActs(call), data: { what: what.slice(0, 200), file: file.slice(-200), fileSha256, from, to: to - 1 } })
    return failed(entry) ? entry : entry.seq
  } finally {
    store.close()
  }
}

function rangeOf(log: AuditStore, flags: Flags): Range | Failure {
  const { sql } = log.database
  const head = log.head()
  if (failed(head)) return head
  try {
    if (flags.batch !== undefined) {
      const batch = flags.batch === 'last' ? (sql.prepare("SELECT batch FROM entries WHERE kind = 'batch-started' ORDER BY seq DESC LIMIT 1").pluck().get() as string | undefined) : flags.batch
      const found = sql.prepare('SELECT min(seq) AS low, max(seq) AS high FROM entries WHERE batch = ?').get(batch ?? '') as { low: number | null; high: number | null }
      if (batch === undefined || found.low === null || found.high === null) return new Failure('no-such-batch', `The log knows no batch "${flags.batch}". Say "last", or the id that "slotwright log show" tells of one of its entries.`)
      return { from: found.low, to: found.high + 1, what: batchTitle(batch), batch }
    }
    const from = flags.since === undefined ? (flags.from ?? 0) : (sql.prepare('SELECT min(seq) FROM entries WHERE time >= ?').pluck().get(flags.since) as number | null) ?? head.size
    const to = flags.until === undefined ? Math.min(head.size, (flags.to ?? head.size - 1) + 1) : ((sql.prepare('SELECT max(seq) FROM entries WHERE time < ?').pluck().get(flags.until) as number | null) ?? -1) + 1
    return { from, to, what: from === 0 && to === head.size ? wholeLogTitle : rangeTitle(from, to), batch: null }
  } catch (error) {
    return diskFailure(error, log.database.path)
  }
}

/** Public halves of the keys the station knows, as PEM. A ring that cannot be read leaves them out: they prove nothing here. */
async function publicKeys(call: Call): Promise<{ name: string; pem: string }[]> {
  const home = homeFolder(call)
  const found = new Map<string, string>()
  for (const folder of [keysFolderOf(home), knownKeysFolderOf(home)]) {
    const ring = new Keyring(folder, realClock)
    const entries = await ring.list()
    for (const { name, fingerprint } of failed(entries) ? [] : entries) {
      const key = await ring.publicKey(name)
      const pem = failed(key) ? key : new TextDecoder().decode(exportPublicKey(key, 'pem'))
      if (!failed(pem)) found.set(`${fingerprint.slice(0, 64)}.pem`, pem)
    }
  }
  return [...found].map(([name, pem]) => ({ name, pem }))
}

/** Built beside the command line; commands are in its chunks. Without it there is nothing to name but the program. */
function howToCheck(bundle: string): string {
  const folder = ['..', '../..'].map((up) => join(import.meta.dirname, up, 'verify')).find((place) => existsSync(join(place, 'slotwright-verify.js')))
  if (folder === undefined) return 'Check it with slotwright-verify.'
  return `Check it with "node ${join(folder, 'slotwright-verify.js')} ${bundle}", or drop it on ${join(folder, 'verify.html')} in any browser.`
}
