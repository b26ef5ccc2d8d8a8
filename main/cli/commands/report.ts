// `report`: one batch as a page to read, print and keep, with the checkpoint's QR code. HTML by the file's name, or PDF.
import { extname, resolve } from 'node:path'
import type { Command } from 'commander'
import { version } from '../../../package.json'
import { realClock } from '../../base/clock.ts'
import { utf8 } from '../../base/bytes.ts'
import { Failure, failed } from '../../base/failure.ts'
import { logBatches } from '../../station/auditing.ts'
import { batchReport } from '../../station/reports.ts'
import { usageKind } from '../call.ts'
import type { Act, Answer, Call } from '../call.ts'
import { writeOutput } from '../files.ts'
import { pdfOf } from '../print.ts'
import { withLog } from '../read-log.ts'
import { sizeWords } from '../terminal.ts'

export function declare(command: Command, act: Act): void {
  command
    .argument('[batch]', 'the batch ("last" for the newest)', 'last')
    .requiredOption('-o, --out <file>', 'where to write it: .html, or .pdf')
    .action(act<{ out: string }>((call, [batch = 'last'], { out }) => report(call, batch, out)))
}

function report(call: Call, named: string, out: string): Promise<Answer | Failure> {
  const form = extname(out).toLowerCase()
  if (form !== '.html' && form !== '.pdf') return Promise.resolve(new Failure(usageKind, `${out}: a report is written as .html or .pdf.`))
  return withLog<Answer>(call, async (audit) => {
    const batches = named === 'last' ? logBatches(audit) : []
    if (failed(batches)) return batches
    const batch = named === 'last' ? batches[0]?.batch : named
    if (batch === undefined) return new Failure('no-such-batch', 'The log has no batch yet.')
    const html = await batchReport({ audit, version, wallMs: () => realClock.wallMs() }, batch)
    const bytes = failed(html) || form === '.pdf' ? await pdfOf(html, null) : utf8(html)
    if (failed(bytes)) return bytes
    const path = resolve(out)
    const written = await writeOutput(path, bytes)
    return written ?? { document: { batch, file: path, bytes: bytes.length }, words: `${path}: the report of batch ${batch} (${sizeWords(bytes.length)}).` }
  })
}
