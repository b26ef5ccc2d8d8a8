// `size`: before anything is signed, how large the image will be and what each way of swapping has room for. It takes the
// very words of `sign`, so that a build script can ask first; the key's public half is enough, and no passphrase is asked for
// a key of the ring.
import type { Command } from 'commander'
import { failed } from '../../base/failure.ts'
import type { Failure } from '../../base/failure.ts'
import { measureImage } from '../../image/sign.ts'
import type { MeasuredImage } from '../../image/sign.ts'
import { sizeReport } from '../../image/size.ts'
import type { SizeReport } from '../../image/size.ts'
import type { Act, Answer, Call } from '../call.ts'
import { readContent } from '../image-file.ts'
import { publicKeyNamed } from '../keys.ts'
import { wholeNumber } from '../numbers.ts'
import { declareSignOptions, optionsOf } from '../sign-options.ts'
import type { SignFlags } from '../sign-options.ts'
import { columns } from '../terminal.ts'
import { withKeyFiles } from '../sign-outside.ts'

type SizeFlags = SignFlags & Readonly<{ sectorSize: number; primarySize?: number }>

const bytesMax = 0xffff_ffff

export function declare(command: Command, act: Act): void {
  command.argument('<in>', 'firmware, binary or Intel HEX').argument('[out]', 'ignored, so that the words of `sign` can stay')
  declareSignOptions(command)
  command
    .option('--sector-size <bytes>', 'erase sector of the flash', wholeNumber(1, bytesMax), 4096)
    .option('--primary-size <bytes>', 'size of the primary slot, where it differs from --slot-size', wholeNumber(1, bytesMax))
    .addHelpText('after', '\nNothing is signed or written. ECDSA signatures can come out a few bytes shorter than counted here.')
    .action(act<SizeFlags>((call, [input = ''], flags) => size(call, input, flags)))
}

async function size(call: Call, input: string, flags: SizeFlags): Promise<Answer | Failure> {
  const read = await readContent(input, 'firmware file', { allowEmpty: flags.allowEmpty === true })
  if (failed(read)) return read
  const bare = await optionsOf(flags, read.bytes)
  if (failed(bare)) return bare
  const options = await withKeyFiles(bare, flags)
  if (failed(options)) return options
  const key = flags.key === undefined ? null : await publicKeyNamed(call, flags.key, flags)
  if (failed(key)) return key
  const measured = await measureImage(read.bytes, options, key?.publicKey)
  if (failed(measured)) return measured
  const primaryBytes = flags.primarySize ?? flags.slotSize
  const report = sizeReport(measured, { ...measured.trailer, primaryBytes, secondaryBytes: flags.slotSize, sectorBytes: flags.sectorSize })
  return {
    document: { file: input, slotBytes: flags.slotSize, primaryBytes, sectorBytes: flags.sectorSize, ...report, compression: measured.compression },
    words: `${sizeWordsOf(call, report, measured)}${key === null && options.fixedSignature === undefined ? '\n\nWithout a signature, since no key was named.' : ''}`,
  }
}

function sizeWordsOf(call: Call, report: SizeReport, measured: MeasuredImage): string {
  const { compression } = measured
  const packed = compression === null ? '' : compression.kept ? ` (compressed from ${compression.firmwareBytes})` : ' (compressing would make it larger)'
  const parts = columns([
    ['header', String(report.headerBytes)],
    ['firmware', `${report.payloadBytes}${packed}`],
    ['protected TLVs', String(report.protectedTlvBytes)],
    ['TLVs', String(report.tlvBytes)],
    [call.paint.bold('image'), call.paint.bold(String(report.imageBytes))],
    ['trailer', String(report.trailerBytes)],
  ].map(([name = '', value = '']) => [`  ${name}`, value]))
  const modes = columns([
    ['  swap mode', 'largest image', 'free', ''].map(call.paint.dim),
    ...report.modes.map(({ mode, largestImageBytes, freeBytes, fits }) =>
      [`  ${mode}`, String(largestImageBytes), String(freeBytes), fits ? call.paint.good('fits') : call.paint.bad('too large')]),
  ])
  return `${parts}\n\n${modes}`
}
