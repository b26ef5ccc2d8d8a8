// `log prove` and `log checkpoint`: single proofs and signed heads as files (C2SP tlog-proof, tlog-checkpoint) that any tool
// of that family reads.
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { toHex, utf8 } from '../../base/bytes.ts'
import { Failure, failed } from '../../base/failure.ts'
import { tlogProofText } from '../../log/tlogproof.ts'
import { checkpointSettingsName, checkpointSettingsSchema, readCheckpointSettings, signAndCopy } from '../../station/checkpoints.ts'
import { addCosignatures, keptCheckpoints, readLogPublicKey } from '../../store/checkpoints.ts'
import { writeSetting } from '../../store/settings.ts'
import type { Act, Answer, Call } from '../call.ts'
import { readText, writeOutput } from '../files.ts'
import { homeFolder } from '../home.ts'
import { withSigningLog } from '../log-signing.ts'
import { wholeNumber } from '../numbers.ts'
import { withLog } from '../read-log.ts'
import { whoActs } from '../record.ts'

type CheckpointFlags = Readonly<{ add?: string; out?: string; every?: number; minutes?: number; copyTo?: string; keepHere?: boolean; pinFile?: string }>

export function declareProve(command: Command, act: Act): void {
  command
    .command('prove')
    .description('a proof that one entry is in the signed log (tlog-proof)')
    .argument('<seq>', 'number of the entry', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option('-o, --out <file>', 'where to write it (default: entry-SEQ.tlog-proof, with the entry beside it)')
    .action(act<{ out?: string }>(prove))
  command
    .command('checkpoint')
    .description('sign the log as it stands, add a witness\'s signature, or say how often to sign')
    .option('-o, --out <file>', 'also write the checkpoint here')
    .option('--add <file>', 'add the cosignatures of this checkpoint to ours')
    .option('--every <n>', 'sign after this many entries', wholeNumber(1, 1_000_000))
    .option('--minutes <n>', 'sign when entries have waited this long', wholeNumber(1, 100_000))
    .option('--copy-to <dir>', 'copy each checkpoint to this folder, outside the station')
    .option('--keep-here', 'copy them nowhere')
    .option('--pin-file <file>', 'file whose first line is the PIN, where the log\'s key lies in a token')
    .action(act<CheckpointFlags>(checkpoint))
}

function prove(call: Call, [text = '']: readonly string[], { out }: { out?: string }): Promise<Answer | Failure> {
  const seq = Number(text)
  return withLog<Answer>(call, async (log) => {
    const { database } = log
    const key = readLogPublicKey(database.folder)
    if (failed(key)) return key
    const kept = key === null ? [] : keptCheckpoints(database.folder, key)
    if (failed(kept)) return kept
    const found = log.get(seq)
    if (failed(found)) return found
    if (found === null) return new Failure('no-such-entry', `The log has no entry ${seq}.`)
    const newest = kept[0]
    if (newest === undefined || newest.checkpoint.size <= seq) return new Failure('no-checkpoint', `No signed checkpoint covers entry ${seq} yet. Sign one with "log checkpoint".`)
    const hashes = log.proveInclusion(seq, newest.checkpoint.size)
    if (failed(hashes)) return hashes
    const proof = tlogProofText({ index: seq, hashes, checkpoint: newest.note })
    const proofPath = resolve(out ?? `entry-${seq}.tlog-proof`)
    const entryPath = proofPath.replace(/(\.tlog-proof)?$/, '.json')
    const bytes = database.sql.prepare('SELECT bytes FROM entries WHERE seq = ?').pluck().get(seq) as Uint8Array
    const written = await writeOutput(entryPath, bytes) ?? await writeOutput(proofPath, utf8(proof))
    if (written !== null) return written
    return {
      document: { seq, leaf: found.leaf, size: newest.checkpoint.size, root: toHex(newest.checkpoint.root), proof: proofPath, entry: entryPath },
      words: `${proofPath} proves ${entryPath} to be entry ${seq} of the log, signed over ${newest.checkpoint.size} entries.`,
    }
  })
}

async function checkpoint(call: Call, _args: readonly string[], flags: CheckpointFlags): Promise<Answer | Failure> {
  if (flags.add !== undefined) return add(call, flags.add)
  return withSigningLog(call, flags, async (store): Promise<Answer | Failure> => {
    if (flags.every !== undefined || flags.minutes !== undefined || flags.copyTo !== undefined || flags.keepHere === true) {
      const before = readCheckpointSettings(store)
      if (failed(before)) return before
      const after = checkpointSettingsSchema.parse({
        everyEntries: flags.every ?? before.everyEntries, everyMinutes: flags.minutes ?? before.everyMinutes,
        copyTo: flags.keepHere === true ? null : flags.copyTo === undefined ? before.copyTo : resolve(flags.copyTo),
      })
      const noted = store.append({ kind: 'settings', ...whoActs(call), data: { name: checkpointSettingsName, before: JSON.stringify(before).slice(0, 1000), after: JSON.stringify(after).slice(0, 1000) } })
      if (failed(noted)) return noted
      const written = writeSetting(store.database, checkpointSettingsName, after)
      if (failed(written)) return written
      return { document: after, words: `Signed every ${after.everyEntries} entries or ${after.everyMinutes} minutes and after each batch; ${after.copyTo === null ? 'kept in the home alone' : `copied to ${after.copyTo}`}.` }
    }
    const made = await signAndCopy(store, call.signal)
    if (failed(made)) return made
    const { signed, notCopied } = made
    if (notCopied !== null) call.tell(`${notCopied.says}\n`)
    const written = flags.out === undefined ? null : await writeOutput(resolve(flags.out), utf8(signed.note))
    if (written !== null) return written
    return { document: { size: signed.size, root: toHex(signed.root), origin: signed.origin, path: signed.path, note: signed.note }, words: signed.note }
  })
}

async function add(call: Call, file: string): Promise<Answer | Failure> {
  const home = homeFolder(call)
  const note = await readText(file, 'checkpoint')
  if (failed(note)) return note
  const key = readLogPublicKey(home)
  if (failed(key)) return key
  if (key === null) return new Failure('no-checkpoint', `The log in ${home} has signed no checkpoint yet.`)
  const added = addCosignatures(home, note, key)
  if (failed(added)) return added
  return { document: { added }, words: added.length === 0 ? 'Nothing was added: these signatures are there already.' : `Added the signature of ${added.join(', ')}.` }
}
