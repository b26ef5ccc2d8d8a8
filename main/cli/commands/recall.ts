// `recall`: from an image, a signing key or a package to every unit that got it, and what each runs now. Whoever recalls
// has a file, a name or some digits of a hash in hand, and need not know which of them the log calls it by.
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { utf8 } from '../../base/bytes.ts'
import { Failure, failed } from '../../base/failure.ts'
import { recallTable } from '../../bundle/recall-table.ts'
import { logKeys } from '../../station/auditing.ts'
import { recallableIn } from '../../station/recall-file.ts'
import type { AuditStore } from '../../store/audit.ts'
import { recall } from '../../store/recall.ts'
import type { Recall, RecalledUnit, RecallFor } from '../../store/recall.ts'
import { usageKind } from '../call.ts'
import type { Act, Answer, Call } from '../call.ts'
import { writeOutput } from '../files.ts'
import { withLog } from '../read-log.ts'
import { columns } from '../terminal.ts'

type What = 'image' | 'key' | 'package'
type Flags = Readonly<{ image?: string; key?: string; package?: string; still?: boolean; csv?: string }>

const kinds: readonly What[] = ['image', 'key', 'package']
const hashDigitsMin = 8
const aHash = 'A hash has 64 digits of 0-9 and a-f, of which the first 8 are enough, like 8523d502: "slotwright inspect FILE" shows an image\'s, "slotwright key list" a key\'s'

export function declare(command: Command, act: Act): void {
  command
    .argument('[what]', 'image, package or key: its file, the first digits of its hash, or a key\'s name')
    .option('--image <hash>', 'an image by its hash (what boards call hash), the first digits of it, or its file')
    .option('--key <fingerprint>', 'every image this key signed: its fingerprint, its file, or its name in the log')
    .option('--package <sha256>', 'the image in this package, by the file\'s SHA-256, or the file')
    .option('--still', 'only units that run it now, or of which nobody can tell')
    .option('--csv <file>', 'also write the units to this table')
    .addHelpText('after', '\nFor example:\n  slotwright recall app-1.1.0.bin\n  slotwright recall 8523d502 --still --csv recalled.csv\n  slotwright recall --key release')
    .action(act<Flags>((call, args, flags) => recalled(call, args, flags)))
}

async function recalled(call: Call, [text]: readonly string[], flags: Flags): Promise<Answer | Failure> {
  const named = kinds.flatMap((what) => (flags[what] === undefined ? [] : [{ what, text: flags[what] }]))
  const wanted = [...named, ...(text === undefined ? [] : [{ what: null, text }])]
  const [first] = wanted
  if (first === undefined) return new Failure(usageKind, `Say what is recalled: a file, a hash, or a key's name, like "slotwright recall app-1.1.0.bin" or "slotwright recall 8523d502". ${aHash}.`)
  if (wanted.length > 1) return new Failure(usageKind, 'One thing is recalled at a time: give one file, hash or name.')
  return await withLog<Answer>(call, async (log) => {
    const found = await find(call, log, first)
    if (failed(found)) return found
    const units = found.units.filter((unit) => flags.still !== true || unit.stillRuns !== 'no')
    const counts = { yes: 0, no: 0, unknown: 0 }
    for (const unit of found.units) counts[unit.stillRuns] += 1
    const saved = flags.csv === undefined ? null : await writeOutput(resolve(flags.csv), utf8(recallTable(units)))
    if (saved !== null) return saved
    const table = flags.csv === undefined ? '' : `${resolve(flags.csv)}: ${units.length} ${units.length === 1 ? 'unit' : 'units'}.`
    return { document: { ...found.by, images: found.images, counts, units }, words: [headOf(found, counts), columns(units.map((unit) => row(call, unit))), table].filter((part) => part !== '').join('\n') }
  })
}

type Found = Recall & Readonly<{ by: RecallFor }>

/** What was named, looked up as what it is said to be, or as whatever it fits. */
async function find(call: Call, log: AuditStore, { what, text }: Readonly<{ what: What | null; text: string }>): Promise<Found | Failure> {
  const hashes = await hashOf(log, what, text)
  if (failed(hashes)) return hashes
  let missing: Failure | null = null
  for (const one of hashes) {
    const by = { [one.what]: one.hash } as RecallFor
    const found = await recall(log.database, by, call.signal)
    if (!failed(found)) return { ...found, by }
    if (found.kind !== 'no-such-image') return found
    missing ??= found
  }
  return hashes.length === 1 && missing !== null ? missing : new Failure('no-such-image', `The log knows no image, key or package that begins with ${text.slice(0, 80)}.`)
}

async function hashOf(log: AuditStore, what: What | null, text: string): Promise<readonly Readonly<{ what: What; hash: string }>[] | Failure> {
  // Digits of a hash are no likely name of a file, and a file of that name is given as ./NAME.
  if (/^[0-9a-f]+$/i.test(text) && text.length >= hashDigitsMin) return (what === null ? kinds : [what]).map((one) => ({ what: one, hash: text }))
  if (what === null || what === 'key') {
    const known = logKeys(log)
    if (failed(known)) return known
    const keys = known.filter(({ name }) => name === text)
    if (keys.length > 1) return new Failure('several-keys', `The log tells of ${keys.length} keys called "${text}": ${keys.map(({ fingerprint }) => fingerprint.slice(0, 16)).join(', ')}. Give the one that is meant with --key.`)
    if (keys[0] !== undefined) return [{ what: 'key', hash: keys[0].fingerprint }]
  }
  const isThere = await stat(text).then(() => true, () => false)
  if (!isThere) return new Failure('bad-hash', `"${text.slice(0, 80)}" is no hash, no file here${what === null || what === 'key' ? ' and no key\'s name in the log' : ''}. ${aHash}.`)
  const file = await recallableIn(text)
  if (failed(file)) return file
  if (what !== null && file.what !== what) return new Failure(usageKind, `${text} is ${file.what === 'image' ? 'an image' : `a ${file.what}`}: give it with --${file.what}, or without an option.`)
  return [file]
}

function headOf({ units, images }: Recall, counts: Readonly<Record<'yes' | 'no' | 'unknown', number>>): string {
  const what = images.length === 1 ? `image ${images[0]?.slice(0, 16) ?? ''}…` : `one of ${images.length} images`
  if (units.length === 0) return `No unit got ${what}.`
  return `${units.length} ${units.length === 1 ? 'unit' : 'units'} got ${what}: ${counts.yes} still ${counts.yes === 1 ? 'runs' : 'run'} it, ${counts.no} ${counts.no === 1 ? 'does' : 'do'} not, of ${counts.unknown} nobody can tell.`
}

function row(call: Call, { unit, firstAt, ran, stillRuns, now }: RecalledUnit): string[] {
  const state = stillRuns === 'yes' ? call.paint.bad('still runs it') : stillRuns === 'no' ? call.paint.good('runs another') : call.paint.care('unknown')
  return [unit, state, ran ? 'ran it' : 'never seen running it', `first written ${firstAt.slice(0, 16).replace('T', ' ')}`, now.hash === null ? '' : `now ${now.version ?? ''} ${now.hash.slice(0, 12)}… (${now.at?.slice(0, 16).replace('T', ' ') ?? ''})`]
}
