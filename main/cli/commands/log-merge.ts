// `log merge`: one report over the audit bundles of several stations. It needs no home; with `--sign` the key of this home's
// log says that these bundles are all, and the log notes what was signed.
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { version } from '../../../package.json'
import { utf8 } from '../../base/bytes.ts'
import { realClock } from '../../base/clock.ts'
import { Failure, failed } from '../../base/failure.ts'
import { bundleBytesMax } from '../../bundle/layout.ts'
import { mergeBundles, mergedName } from '../../bundle/merge.ts'
import type { Merged } from '../../bundle/merge.ts'
import { mergedNoteName, signMerged } from '../../bundle/merged-note.ts'
import { auditors } from '../../contract/roles.ts'
import { startArchive } from '../../store/archive.ts'
import { readLogPublicKey } from '../../store/checkpoints.ts'
import { diskFailure } from '../../store/database.ts'
import { sha256 } from '../../store/rows.ts'
import type { Act, Answer, Call } from '../call.ts'
import { withSigningLog } from '../log-signing.ts'
import { whoActs } from '../record.ts'
import { heldTo } from '../who.ts'

type Flags = Readonly<{ what: string; sign?: boolean; pinFile?: string }>
type Written = Readonly<{ bytes: number; sha256: string }>

export function declareMerge(command: Command, act: Act): void {
  command
    .command('merge')
    .description('one report over the bundles of several stations')
    .argument('<file>', 'the merged archive to write')
    .argument('<bundles...>', 'audit bundles, one of each station')
    .option('--what <text>', 'what the report is about', 'Several stations')
    .option('--sign', 'say with the key of this home\'s log that these are all the stations, and note it there')
    .option('--pin-file <file>', 'file whose first line is the PIN, where the log\'s key lies in a token')
    .action(act<Flags>(merge))
}

async function merge(call: Call, [file = '', ...bundles]: readonly string[], flags: Flags): Promise<Answer | Failure> {
  const read: Uint8Array[] = []
  for (const bundle of bundles) {
    try {
      read.push(new Uint8Array(await readFile(bundle)))
    } catch (error) {
      return diskFailure(error, bundle)
    }
  }
  if (read.reduce((sum, { length }) => sum + length, 0) > bundleBytesMax) return new Failure('range-too-large', 'The bundles are too large to be merged.')
  const wallMs = realClock.wallMs()
  const merged = await mergeBundles(read, { what: flags.what, madeAt: new Date(wallMs).toISOString(), madeBy: version }, { version, sha256 })
  if (failed(merged)) return merged
  const path = resolve(file)
  const signed = flags.sign === true ? await signAndWrite(call, flags, merged, path, wallMs) : null
  const written = signed ?? write(merged.files, path, wallMs)
  if (failed(written)) return written
  const { stations, entries, runs } = merged
  const by = signed === null || failed(signed) ? null : signed.by
  return {
    document: { file: path, stations, entries, runs, bytes: written.bytes, sha256: written.sha256, signedBy: by },
    words: `${path}: ${runs} runs of ${stations} stations in ${entries} entries. Each station's bundle was checked and lies within.${by === null ? '' : ` Signed by ${by}.`}`,
  }
}

function write(files: ReadonlyMap<string, Uint8Array>, path: string, wallMs: number): Written | Failure {
  try {
    const archive = startArchive(path, wallMs)
    for (const [name, bytes] of files) archive.add(name, bytes)
    return archive.finish()
  } catch (error) {
    return diskFailure(error, path)
  }
}

async function signAndWrite(anybody: Call, flags: Flags, { files }: Merged, path: string, wallMs: number): Promise<(Written & { by: string }) | Failure> {
  const call = await heldTo(anybody, auditors)
  if (failed(call)) return call
  return withSigningLog(call, flags, async (store) => {
    // The first checkpoint makes the log's key, and its name.
    const head = await store.checkpoint(call.signal)
    if (failed(head)) return head
    const [key, signer] = [readLogPublicKey(store.database.folder), store.logSigner()]
    if (failed(key)) return key
    if (failed(signer)) return signer
    const by = key?.name ?? head.origin
    const note = await signMerged(files.get(mergedName) ?? new Uint8Array(0), by, signer, call.signal)
    if (failed(note)) return note
    const written = write(new Map([...files, [mergedNoteName, utf8(note)]]), path, wallMs)
    if (failed(written)) return written
    const noted = store.append({ kind: 'export', ...whoActs(call), data: { what: `a merged report: ${flags.what}`.slice(0, 200), file: path.slice(-200), fileSha256: written.sha256 } })
    return failed(noted) ? noted : { ...written, by }
  })
}
