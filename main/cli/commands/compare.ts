// `compare`: two images side by side, every field that differs. Like diff, it answers with exit code 1 when something does.
import type { Command } from 'commander'
import { Failure, failed } from '../../base/failure.ts'
import { compareImages } from '../../image/compare.ts'
import { inspectImage } from '../../image/inspect.ts'
import type { ImageReport } from '../../image/inspect.ts'
import type { Act, Call } from '../call.ts'
import { readImageFile } from '../image-file.ts'
import { knownKeyFor, publicKeyNamed } from '../keys.ts'
import { columns } from '../terminal.ts'

type CompareFlags = Readonly<{ key?: string }>

/** Characters of a value shown before the dots; `--json` has them all. */
const shown = 40

export function declare(command: Command, act: Act): void {
  command
    .argument('<left>', 'image, binary or Intel HEX')
    .argument('<right>', 'the other image')
    .option('-k, --key <key>', 'check both signatures with this key (default: the station\'s own keys)')
    .addHelpText('after', '\nExit code 1 when they differ.')
    .action(act<CompareFlags>(async (call, [leftPath = '', rightPath = ''], flags) => {
      const left = await reportOf(call, leftPath, flags)
      if (failed(left)) return left
      const right = await reportOf(call, rightPath, flags)
      if (failed(right)) return right
      const differences = compareImages(left, right)
      const cut = (text: string) => (text.length > shown ? `${text.slice(0, shown)}…` : text)
      return {
        document: { left: leftPath, right: rightPath, same: differences.length === 0, differences },
        words: differences.length === 0
          ? 'They say the same, down to the hash.'
          : columns([['', leftPath, rightPath].map(call.paint.dim), ...differences.map(({ what, left: a, right: b }) => [what, cut(a), cut(b)])]),
        good: differences.length === 0,
      }
    }))
}

async function reportOf(call: Call, path: string, flags: CompareFlags): Promise<ImageReport | Failure> {
  const bytes = await readImageFile(path)
  if (failed(bytes)) return bytes
  const bare = inspectImage(bytes)
  // Which of the two it is must be said.
  if (failed(bare)) return new Failure(bare.kind, `${path}: ${bare.says}`, bare.facts)
  const key = flags.key === undefined ? await knownKeyFor(call, bare.keyHash) : await publicKeyNamed(call, flags.key)
  if (failed(key)) return key
  return key === null ? bare : inspectImage(bytes, key.publicKey)
}
