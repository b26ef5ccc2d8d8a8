// `inspect`: what an image claims, what of that was proven with the keys known here, and what is wrong with it.
import type { Command } from 'commander'
import { failed } from '../../base/failure.ts'
import { inspectImage } from '../../image/inspect.ts'
import type { Act } from '../call.ts'
import { readImageFile } from '../image-file.ts'
import { reportWords } from '../image-words.ts'
import { knownKeyFor, publicKeyNamed } from '../keys.ts'

export function declare(command: Command, act: Act): void {
  command
    .argument('<file>', 'image, binary or Intel HEX')
    .option('-k, --key <key>', 'check the signature with this key: name, fingerprint or PEM file (default: the station\'s own keys)')
    .addHelpText('after', '\nExit code 1 when hash or signature do not hold.')
    .action(act<{ key?: string }>(async (call, [path = ''], flags) => {
      const bytes = await readImageFile(path)
      if (failed(bytes)) return bytes
      const bare = inspectImage(bytes)
      if (failed(bare)) return bare
      const key = flags.key === undefined ? await knownKeyFor(call, bare.keyHash) : await publicKeyNamed(call, flags.key)
      if (failed(key)) return key
      const report = key === null ? bare : inspectImage(bytes, key.publicKey)
      if (failed(report)) return report
      const signedBy = report.signature?.check === 'holds' ? key?.name ?? null : null
      return {
        document: { file: path, ...report, signedBy },
        words: reportWords({ path, report, signedBy }, call.paint),
        good: report.hash !== null && report.hash.check !== 'differs' && report.signature?.check !== 'does-not-hold',
      }
    }))
}
