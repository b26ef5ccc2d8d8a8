// `recall`: from an image, a signing key or a package to every unit that got it, and what each runs now.
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { utf8 } from '../../base/bytes.ts'
import { Failure, failed } from '../../base/failure.ts'
import { recallTable } from '../../bundle/recall-table.ts'
import { recall } from '../../store/recall.ts'
import type { RecalledUnit, RecallFor } from '../../store/recall.ts'
import { usageKind } from '../call.ts'
import type { Act, Answer, Call } from '../call.ts'
import { writeOutput } from '../files.ts'
import { withLog } from '../read-log.ts'
import { columns } from '../terminal.ts'

type Flags = Readonly<{ image?: string; key?: string; package?: string; still?: boolean; csv?: string }>

export function declare(command: Command, act: Act): void {
  command
    .option('--image <hash>', 'image hash (what boards call hash), or its first digits')
    .option('--key <fingerprint>', 'every image this key signed')
    .option('--package <sha256>', 'the image in this package, by the file\'s SHA-256')
    .option('--still', 'only units that run it now, or of which nobody can tell')
    .option('--csv <file>', 'also write the units to this table')
    .action(act<Flags>((call, _args, flags) => recalled(call, flags)))
}

function recalled(call: Call, flags: Flags): Promise<Answer | Failure> {
  const wanted = ([['image', flags.image], ['key', flags.key], ['package', flags.package]] as const).flatMap(([what, hash]) => (hash === undefined ? [] : [{ [what]: hash } as RecallFor]))
  const [first] = wanted
  if (first === undefined || wanted.length > 1) return Promise.resolve(new Failure(usageKind, 'Name one of --image, --key and --package.'))
  return withLog<Answer>(call, async (log) => {
    const found = await recall(log.database, first, call.signal)
    if (failed(found)) return found
    const units = found.units.filter((unit) => flags.still !== true || unit.stillRuns !== 'no')
    const counts = { yes: 0, no: 0, unknown: 0 }
    for (const unit of found.units) counts[unit.stillRuns] += 1
    const saved = flags.csv === undefined ? null : await writeOutput(resolve(flags.csv), utf8(recallTable(units)))
    if (saved !== null) return saved
    const head = `${found.units.length} units got ${found.images.length === 1 ? `image ${found.images[0]?.slice(0, 16) ?? ''}…` : `one of ${found.images.length} images`}: ${counts.yes} still run it, ${counts.no} do not, of ${counts.unknown} nobody can tell.`
    return { document: { ...first, images: found.images, counts, units }, words: [head, columns(units.map((unit) => row(call, unit)))].filter((part) => part !== '').join('\n') }
  })
}

function row(call: Call, { unit, firstAt, ran, stillRuns, now }: RecalledUnit): string[] {
  const state = stillRuns === 'yes' ? call.paint.bad('still runs it') : stillRuns === 'no' ? call.paint.good('runs another') : call.paint.care('unknown')
  return [unit, state, ran ? 'ran it' : 'never seen running it', `first written ${firstAt.slice(0, 16).replace('T', ' ')}`, now.hash === null ? '' : `now ${now.version ?? ''} ${now.hash.slice(0, 12)}… (${now.at?.slice(0, 16).replace('T', ' ') ?? ''})`]
}
