// `dumpinfo`: what imgtool's command of that name prints, so that scripts that read it can change over.
import { basename } from 'node:path'
import type { Command } from 'commander'
import { utf8 } from '../../base/bytes.ts'
import { failed } from '../../base/failure.ts'
import { dumpHuman, dumpInfo, dumpJson, dumpYaml } from '../../image/dumpinfo.ts'
import type { Act } from '../call.ts'
import { writeOutput } from '../files.ts'
import { readImageFile } from '../image-file.ts'
import { oneOf } from '../numbers.ts'

type DumpFlags = Readonly<{ silent?: true; format?: 'human' | 'yaml' | 'json'; outfile?: string }>

const formats = { human: dumpHuman, yaml: dumpYaml, json: dumpJson } as const

export function declare(command: Command, act: Act): void {
  command
    .argument('<file>', 'image, binary or Intel HEX')
    .option('-s, --silent', 'print nothing')
    .option('-f, --format <format>', 'human, yaml or json (default: human on stdout, yaml in a file)', oneOf(['human', 'yaml', 'json'] as const))
    .option('-o, --outfile <file>', 'write there too')
    .action(act<DumpFlags>(async (_call, [path = ''], flags) => {
      const bytes = await readImageFile(path)
      if (failed(bytes)) return bytes
      const info = dumpInfo(bytes, basename(path))
      if (failed(info)) return info
      if (flags.outfile !== undefined) {
        const written = await writeOutput(flags.outfile, utf8(formats[flags.format ?? 'yaml'](info)))
        if (written !== null) return written
      }
      const document: unknown = JSON.parse(dumpJson(info))
      return flags.silent === true ? { document } : { document, words: formats[flags.format ?? 'human'](info) }
    }))
}
