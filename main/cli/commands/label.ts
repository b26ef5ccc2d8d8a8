// `label`: a label for one unit with a QR code, as ZPL for label printers or as PDF. The size is the station's own setting
// unless it is given here.
import { extname, resolve } from 'node:path'
import { InvalidArgumentError, type Command } from 'commander'
import { utf8 } from '../../base/bytes.ts'
import { Failure, failed } from '../../base/failure.ts'
import { labelCode, labelHtml, labelSvg, labelZpl } from '../../bundle/label.ts'
import { methods } from '../../contract/api.ts'
import { labelFacts, labelSettings } from '../../station/reports.ts'
import { usageKind } from '../call.ts'
import type { Act, Answer, Call } from '../call.ts'
import { writeOutput } from '../files.ts'
import { pdfOf } from '../print.ts'
import { withLog } from '../read-log.ts'

type Flags = Readonly<{ out: string; mm?: readonly [number, number]; dpi?: string }>

export function declare(command: Command, act: Act): void {
  command
    .argument('<unit>', 'serial number or hardware id of the board')
    .requiredOption('-o, --out <file>', 'where to write it: .zpl, .pdf or .svg')
    .option('--mm <width x height>', 'size in millimetres, like 50x25', millimetres)
    .option('--dpi <dots>', 'dots per inch of the printer: 203, 300 or 600')
    .action(act<Flags>((call, [unit = ''], flags) => label(call, unit, flags)))
}

function millimetres(text: string): [number, number] {
  const match = /^([0-9]{1,3}(?:\.[0-9]{1,2})?)[x×]([0-9]{1,3}(?:\.[0-9]{1,2})?)$/.exec(text)
  if (match === null) throw new InvalidArgumentError('A size is width x height, like 50x25.')
  return [Number(match[1]), Number(match[2])]
}

function label(call: Call, unit: string, { out, mm, dpi }: Flags): Promise<Answer | Failure> {
  const form = extname(out).toLowerCase()
  if (!['.zpl', '.pdf', '.svg'].includes(form)) return Promise.resolve(new Failure(usageKind, `${out}: a label is written as .zpl, .pdf or .svg.`))
  return withLog<Answer>(call, async (audit) => {
    const kept = labelSettings(audit)
    if (failed(kept)) return kept
    const size = methods.changeLabelSettings.args.safeParse({ ...kept, ...(mm === undefined ? {} : { widthMm: mm[0], heightMm: mm[1] }), ...(dpi === undefined ? {} : { dpi: Number(dpi) }) })
    if (!size.success) return new Failure(usageKind, 'A label is 15 to 200 mm wide and 10 to 200 mm high, at 203, 300 or 600 dots per inch.')
    const facts = labelFacts(audit, unit)
    if (failed(facts)) return facts
    const made = form === '.zpl' ? labelZpl(facts, size.data) : form === '.svg' ? labelSvg(facts, size.data) : labelHtml(facts, size.data)
    const bytes = failed(made) || form === '.pdf' ? await pdfOf(made, size.data) : utf8(made)
    if (failed(bytes)) return bytes
    const path = resolve(out)
    const written = await writeOutput(path, bytes)
    return written ?? { document: { unit, file: path, bytes: bytes.length, code: labelCode(facts), ...size.data }, words: `${path}: a label for ${unit}, ${size.data.widthMm} × ${size.data.heightMm} mm.` }
  })
}
