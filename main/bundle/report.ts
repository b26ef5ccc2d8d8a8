// The report a person reads: one HTML page that needs no network and runs no script, prints on A4, and carries the whole
// signed checkpoint as a QR code, so that a photograph of the paper is enough to catch a log that was cut or rewritten
// later. It is a pure function of the entries and the checkpoint; a verifier makes it again and compares. Times are UTC.
import encodeQR from 'qr'
import { toHex } from '../base/bytes.ts'
import { columnChart, escaped, shareBar } from './charts.ts'
import type { Share } from './charts.ts'
import type { Manifest } from './layout.ts'
import { reportStyle } from './report-style.ts'
import { sayEntry } from '../log/sentence.ts'
import type { Entry } from '../log/entry.ts'
import type { Note, RunRecord, Story } from './story.ts'

/** What vouches for one log's part of the report. */
export type ReportProof = Readonly<{
  about: Pick<Manifest, 'origin' | 'from' | 'to'>
  checkpoint: Readonly<{ size: number; root: Uint8Array; note: string }>
  logKey: string
  witnesses: readonly string[]
  redacted: number
}>

/** One proof for a bundle, one for each station in a merged report. */
export type ReportFacts = Readonly<{ about: Pick<Manifest, 'what' | 'madeAt' | 'madeBy'>; proofs: readonly ReportProof[] }>

/** Rows printed at most; all others are in entries.csv. */
const rowsMax = 2_000
const notesShownMax = 300
const failureKindsShownMax = 100
const unitsNamedMax = 12

const tones: Readonly<Record<string, string>> = {
  confirmed: 'good', unchanged: 'same', uploaded: 'same', tested: 'same', reverted: 'back', failed: 'bad', stopped: 'still',
}
const order = ['confirmed', 'unchanged', 'uploaded', 'tested', 'reverted', 'failed', 'stopped']

/** The whole page. */
export function reportHtml(facts: ReportFacts, story: Story): string {
  const { about, proofs } = facts
  const sources = proofs.map(({ about: of, checkpoint }) => `entries ${of.from} to ${of.to - 1} of ${escaped(of.origin)} (checkpoint over ${checkpoint.size}, root ${toHex(checkpoint.root).slice(0, 16)}…)`)
  // Of one log the code stands on the first page, where a photograph takes it with the outcome; of several each beside its own facts.
  const [proof, other] = proofs
  const seal = proof === undefined || other !== undefined ? '' : sealOf(proof.checkpoint.note)
  const title = `Slotwright audit report: ${about.what}`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${escaped(title)}</title>
<style>${reportStyle}</style>
</head>
<body>
<header>
<div>
<p class="kicker">Slotwright audit report</p>
<h1>${escaped(headline(about.what, story))}</h1>
<p class="lead">${escaped(lead(story))}</p>
${figuresOf(story)}
</div>
${seal}
</header>
<main>
${outcomesOf(story)}
${wrongsOf(story)}
${batchesOf(story)}
${runsOf(story)}
${notesOf(story)}
${proofs.map((each) => proofOf(each, seal === '' ? sealOf(each.checkpoint.note) : '')).join('\n')}
${countsOf(story)}
</main>
<footer>Made ${escaped(about.madeAt)} by Slotwright ${escaped(about.madeBy)} from ${sources.join('; ')}</footer>
</body>
</html>
`
}

/** A batch is called by its recipe and version; its number stands with its facts. */
function headline(what: string, { batches }: Story): string {
  const [batch, other] = batches
  return batch === undefined || other !== undefined || what !== `Batch ${batch.batch}` ? what : `${batch.name}, version ${batch.version}`
}

function lead(story: Story): string {
  const units = new Set(story.runs.map(({ unit }) => unit)).size
  const span = story.first === null || story.last === null ? '' : `, ${minute(story.first)} to ${minute(story.last)} UTC`
  const where = story.stations.length === 1 ? ` on station ${story.stations[0]}` : ` on ${story.stations.length} stations`
  return `${story.entries} entries${where}${span}. ${story.runs.length} runs of ${units} units.`
}

const endedOf = ({ runs }: Story): RunRecord[] => runs.filter(({ outcome }) => outcome !== null)

/** How long each confirmed run took, the shortest first. */
const secondsOf = (ended: readonly RunRecord[]): number[] => ended.flatMap((run) => (run.seconds === null || tones[run.outcome ?? ''] !== 'good' ? [] : [run.seconds])).sort((a, b) => a - b)

function figuresOf(story: Story): string {
  const ended = endedOf(story)
  if (ended.length === 0) return ''
  const good = ended.filter(({ outcome }) => ['good', 'same'].includes(tones[outcome ?? ''] ?? '')).length
  const seconds = secondsOf(ended)
  const median = seconds[Math.floor(seconds.length / 2)]
  const figures = [
    [`${((good / ended.length) * 100).toFixed(1)} %`, 'yield'],
    [String(ended.length), ended.length === 1 ? 'run ended' : 'runs ended'],
    ...(median === undefined ? [] : [[`${median.toFixed(1)} s`, 'median to confirmed']]),
    ...(ended.length === story.runs.length ? [] : [[String(story.runs.length - ended.length), 'without an outcome here']]),
  ]
  return `<dl class="figures">${figures.map(([figure = '', what = '']) => `<div><dt>${escaped(what)}</dt><dd>${escaped(figure)}</dd></div>`).join('')}</dl>`
}

function outcomesOf(story: Story): string {
  const ended = endedOf(story)
  if (ended.length === 0) return story.runs.length === 0 ? '' : '<section><h2>Outcomes</h2><p>No run has ended in this range.</p></section>'
  return `<section>
<h2>Outcomes</h2>
${shareBar(sharesOf(ended))}
<div class="charts">
<figure><figcaption>Outcomes by hour (UTC)</figcaption>${columnChart('Outcomes by hour', grouped(ended, (run) => (run.ended ?? '').slice(0, 13), (hour) => `${hour.slice(5, 10)} ${hour.slice(11)}h`))}</figure>
<figure><figcaption>Outcomes by bay</figcaption>${columnChart('Outcomes by bay', grouped(ended, (run) => (run.bay === null ? 'none' : String(run.bay).padStart(4, '0')), (bay) => bay.replace(/^0+(?=.)/, '')))}</figure>
${failuresOf(ended)}
${cyclesOf(secondsOf(ended))}
</div>
</section>`
}

function sharesOf(runs: readonly RunRecord[]): Share[] {
  return order.map((name) => ({ name, tone: tones[name] ?? 'still', count: runs.filter(({ outcome }) => outcome === name).length }))
}

function grouped(runs: readonly RunRecord[], keyOf: (run: RunRecord) => string, nameOf: (key: string) => string): { name: string; shares: Share[] }[] {
  const groups = new Map<string, RunRecord[]>()
  for (const run of runs) groups.set(keyOf(run), [...(groups.get(keyOf(run)) ?? []), run])
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, of]) => ({ name: nameOf(key), shares: sharesOf(of) }))
}

function failuresOf(ended: readonly RunRecord[]): string {
  const kinds = new Map<string, number>()
  for (const { failure } of ended) if (failure !== null) kinds.set(failure, (kinds.get(failure) ?? 0) + 1)
  if (kinds.size === 0) return ''
  const columns = [...kinds].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name, count]) => ({ name, shares: [{ name: 'runs', count, tone: 'bad' }] }))
  return `<figure><figcaption>Failures by kind</figcaption>${columnChart('Failures by kind', columns)}</figure>`
}

/** Failures by kind with the units they struck and what was said of the first: what whoever mends them wants to read. */
function wrongsOf(story: Story): string {
  const kinds = new Map<string, RunRecord[]>()
  for (const run of story.runs) if (run.failure !== null) kinds.set(run.failure, [...(kinds.get(run.failure) ?? []), run])
  if (kinds.size === 0) return ''
  const rows = [...kinds].sort(([a, one], [b, other]) => other.length - one.length || (a < b ? -1 : 1)).slice(0, failureKindsShownMax).map(([kind, runs]) => {
    const units = [...new Set(runs.map(({ unit }) => unit))]
    const more = units.length > unitsNamedMax ? ` and ${units.length - unitsNamedMax} more` : ''
    const bays = [...new Set(runs.flatMap(({ bay }) => bay ?? []))].sort((a, b) => a - b)
    return `<tr><td class="short"><b>${escaped(kind)}</b></td><td class="number">${runs.length}</td><td>${bays.slice(0, unitsNamedMax).join(', ')}</td><td>${escaped(units.slice(0, unitsNamedMax).join(', '))}${more}</td><td>${escaped(runs[0]?.says ?? '')}</td></tr>`
  })
  return `<section><h2>Failures</h2><table><thead><tr><th>kind</th><th class="number">runs</th><th>bays</th><th>units</th><th>as the first one was told</th></tr></thead><tbody>${rows.join('')}</tbody></table></section>`
}

function cyclesOf(seconds: readonly number[]): string {
  const longest = seconds.at(-1)
  if (longest === undefined || seconds.length < 3) return ''
  const width = niceWidth(longest / 16)
  const counts = Array.from({ length: Math.floor(longest / width) + 1 }, (_, i) => seconds.filter((at) => Math.floor(at / width) === i).length)
  const columns = counts.map((count, i) => ({ name: `${Number((i * width).toFixed(1))} s`, shares: [{ name: 'runs', count, tone: 'good' }] }))
  return `<figure><figcaption>Time to confirmed</figcaption>${columnChart('Time to confirmed', columns)}</figure>`
}

function niceWidth(least: number): number {
  for (let unit = 0.1; ; unit *= 10) for (const factor of [1, 2, 5]) if (unit * factor >= least) return unit * factor
}

function batchesOf(story: Story): string {
  const [only, other] = story.batches
  if (only === undefined) return ''
  if (other === undefined) return batchOf(only)
  const rows = story.batches.slice(0, rowsMax).map((batch) => `<tr><td class="short">${minute(batch.began)}<br>${batch.ended === null ? 'not in this range' : `${minute(batch.ended)}<br>${escaped(batch.reason ?? '')}`}</td>
<td><b>${escaped(batch.name)}</b>, ${escaped(batch.version)}<br>${escaped(batch.mode)}</td><td>${escaped(batch.person)}</td>
<td><dl class="marks"><dt>batch</dt><dd class="id">${escaped(batch.batch)}</dd><dt>image</dt><dd class="hash">${escaped(batch.imageHash)}</dd><dt>key</dt><dd class="hash">${escaped(batch.key)}</dd></dl></td></tr>`)
  return `<section><h2>Batches</h2><table><thead><tr><th>began, ended</th><th>recipe</th><th>person</th><th>numbers</th></tr></thead><tbody>${rows.join('')}</tbody></table></section>`
}

/** Of a single batch a table would be one crowded line. */
function batchOf(batch: Story['batches'][number]): string {
  const ended = batch.ended === null ? 'not in this range' : `${minute(batch.ended)} UTC, ${escaped(batch.reason ?? '')}`
  return `<section class="whole"><h2>The batch</h2><div class="two"><dl class="facts">
<dt>recipe</dt><dd>${escaped(batch.name)}</dd><dt>version</dt><dd>${escaped(batch.version)}</dd><dt>mode</dt><dd>${escaped(batch.mode)}</dd></dl>
<dl class="facts"><dt>started by</dt><dd>${escaped(batch.person)}</dd><dt>began</dt><dd>${minute(batch.began)} UTC</dd><dt>ended</dt><dd>${ended}</dd></dl></div>
<dl class="facts"><dt>batch</dt><dd class="id">${escaped(batch.batch)}</dd><dt>image hash</dt><dd class="hash">${escaped(batch.imageHash)}</dd><dt>signing key</dt><dd class="hash">${escaped(batch.key)}</dd></dl></section>`
}

function proofOf({ checkpoint, about, logKey, witnesses, redacted }: ReportProof, seal: string): string {
  return `<section class="proof">
<h2>How this can be checked</h2>
<div class="with-code">
<div>
<p>Every entry is a leaf of a hash tree (RFC 6962). The station signed the root of the first <b>${checkpoint.size}</b> entries; whoever keeps this page, or a photograph of the code, can show later whether the log still begins with them.</p>
<dl class="facts">
<dt>log</dt><dd>${escaped(about.origin)}</dd>
<dt>entries here</dt><dd>${about.from} to ${about.to - 1}</dd>
<dt>root</dt><dd class="hash">${toHex(checkpoint.root)}</dd>
<dt>log key</dt><dd class="hash">${escaped(logKey)}</dd>
<dt>witnesses</dt><dd>${witnesses.length === 0 ? 'none has countersigned' : `${witnesses.map(escaped).join('<br>')}<br>(to be verified with their keys)`}</dd>
${redacted === 0 ? '' : `<dt>redacted</dt><dd>text of ${redacted} ${redacted === 1 ? 'entry' : 'entries'} was struck out later; the log says by whom and why</dd>`}
</dl>
<pre>${escaped(checkpoint.note)}</pre>
</div>
${seal}
</div>
</section>`
}

const sealOf = (note: string) => `<div class="code">${codeOf(note)}<p>the signed checkpoint</p></div>`

/** The note as a QR code; a note with too many cosignatures for one is cut to the log's own signature. */
function codeOf(note: string): string {
  const own = note.length <= 1_200 ? note : note.split('\n').slice(0, note.split('\n').findIndex((line) => line.startsWith('— ')) + 1).join('\n') + '\n'
  return encodeQR(own, 'svg', { ecc: 'medium', border: 2 })
}

function runsOf(story: Story): string {
  if (story.runs.length === 0) return ''
  const shown = story.runs.slice(0, rowsMax)
  const rows = shown.map((run) => `<tr><td class="unit">${escaped(run.unit)}</td><td class="number">${run.bay ?? ''}</td><td class="short"><span class="outcome ${tones[run.outcome ?? ''] ?? 'still'}">${escaped(run.outcome ?? 'open')}</span></td><td class="short">${escaped(run.version ?? '')}<br><span class="hash">${escaped((run.activeHash ?? '').slice(0, 12))}</span></td>
<td class="short">${second(run.began).replace(' ', '<br>')}</td><td class="number">${run.seconds === null ? '' : run.seconds.toFixed(1)}</td><td>${run.failure === null ? '' : `<b>${escaped(run.failure)}</b> `}${escaped(run.says)}</td></tr>`)
  const more = story.runs.length > shown.length ? `<p class="more">The first ${shown.length} of ${story.runs.length} runs; all are in entries.csv and openhtf/.</p>` : ''
  return `<section><h2>Units</h2><table><thead><tr><th>unit</th><th class="number">bay</th><th>outcome</th><th>runs</th><th>began</th><th class="number">seconds</th><th>in its own words</th></tr></thead><tbody>${rows.join('')}</tbody></table>${more}</section>`
}

function notesOf(story: Story): string {
  if (story.notes.length === 0) return ''
  const shown = story.notes.slice(0, notesShownMax)
  const rows = shown.map((note) => `<tr><td class="number">${note.seq}</td><td class="short">${second(note.time)}</td><td>${escaped(note.person)}</td><td>${escaped(sentence(note))}</td></tr>`)
  const more = story.notesTotal > shown.length ? `<p class="more">The first ${shown.length} of ${story.notesTotal}; all are in entries.csv.</p>` : ''
  return `<section><h2>Keys, signatures, refusals and other acts</h2><table><thead><tr><th class="number">entry</th><th>time</th><th>person</th><th>what happened</th></tr></thead><tbody>${rows.join('')}</tbody></table>${more}</section>`
}

function sentence({ kind, fields }: Note): string {
  return sayEntry({ kind, data: fields } as unknown as Entry)
}

function countsOf(story: Story): string {
  const kinds = Object.entries(story.kinds).sort(([a], [b]) => (a < b ? -1 : 1))
  return `<section><h2>Entries by kind</h2><ul class="kinds">${kinds.map(([kind, count]) => `<li><b>${count}</b> ${escaped(kind)}</li>`).join('')}</ul></section>`
}

const minute = (time: string) => escaped(time.slice(0, 16).replace('T', ' '))
const second = (time: string) => escaped(time.slice(0, 19).replace('T', ' '))
