// The audit bundle, asked for while the station runs: a checkpoint over everything is signed first, the bundle is written
// and checked (store/export.ts), and the export is noted with what the file's bytes are.
import { basename } from 'node:path'
import { Failure, failed } from '../base/failure.ts'
import { wholeLogTitle } from '../bundle/layout.ts'
import type { CheckedArgsOf } from '../contract/api.ts'
import type { BundleView } from '../contract/views.ts'
import { exportPublicKey } from '../keys/export.ts'
import { publicKeyOf } from '../keys/keyring.ts'
import { exportBundle } from '../store/export.ts'
import { signAndCopy } from './checkpoints.ts'
import type { World } from './world.ts'

/** The whole log as one archive. Kinds: `no-place`, and those of `exportBundle`. */
export async function exportLog({ audit, log, desk, clock, about, paper }: World, { saveAs }: CheckedArgsOf<'exportLog'>): Promise<BundleView | Failure> {
  if (saveAs === null) return new Failure('no-place', 'Say where the bundle is to be saved.')
  // Where it cannot be copied the keeper of checkpoints says so after its own.
  const signed = await signAndCopy(audit)
  if (failed(signed)) return signed
  const head = audit.head()
  if (failed(head)) return head
  const made = await exportBundle(audit, { file: saveAs, from: 0, to: head.size, what: wholeLogTitle, batch: null }, { version: about.version, wallMs: clock.wallMs(), keys: await publicKeys(desk), signer: () => audit.logSigner(), ...(paper === null ? {} : { printPdf: (html) => paper.pdf(new TextDecoder().decode(html), null) }) })
  if (failed(made)) return log.refuse('export the log', made)
  const { bytes, sha256, from, to, units } = made
  const entry = log.recordAct({ kind: 'export', data: { what: 'audit bundle', file: basename(saveAs).slice(0, 200), fileSha256: sha256, from, to: to - 1 } }, 'operator')
  return failed(entry) ? entry : { savedAs: saveAs, bytes, sha256, entries: to - from, units, entry }
}

/** Public halves only; a key that does not read is left out, since the log names it all the same. */
async function publicKeys({ keyring, known }: World['desk']): Promise<{ name: string; pem: string }[]> {
  const lists = await Promise.all([keyring.list(), known?.list() ?? []])
  return lists.flatMap((list) => (failed(list) ? [] : list)).flatMap((entry) => {
    const key = publicKeyOf(entry)
    return failed(key) ? [] : [{ name: `${entry.fingerprint.slice(0, 64)}.pem`, pem: new TextDecoder().decode(exportPublicKey(key, 'pem')) }]
  })
}
