// What a person sees while boards are being provisioned: one bar a board on a terminal, one line a change elsewhere.
// Fed with the station's whole rows (BayView), it keeps no state of the run itself, only what it drew last.
import { MultiBar } from 'cli-progress'
import type { SingleBar } from 'cli-progress'
import type { BayView, RunPhase } from '../contract/views.ts'
import type { Call } from './call.ts'
import { paintFor, sizeWords, washed, widthOf } from './terminal.ts'
import type { Paint } from './terminal.ts'

export type Progress = Readonly<{
  show(bay: BayView): void
  /** A line above whatever is drawn. */
  note(words: string): void
  /** Leaves the last state on the screen and gives the terminal back; safe to call twice. */
  end(): void
}>

/** Rows kept free below the bars; with more boards than fit, one bar counts for all. */
const spareRows = 3
const barChars = 24
/** Share of a run that lies before and after the upload, so that the bar moves on while the board swaps. */
const phaseShare: Readonly<Record<RunPhase, number>> = {
  attached: 0, identifying: 0, preflight: 0, uploading: 0, checking: 1, marking: 1, resetting: 1, waiting: 1, proving: 1, confirming: 1, ended: 1,
}

const phaseWords: Readonly<Record<RunPhase, string>> = {
  attached: 'attached', identifying: 'asking the board', preflight: 'checking', uploading: 'uploading', checking: 'checking the slot',
  marking: 'marking for test', resetting: 'resetting', waiting: 'waiting for the board', proving: 'proving', confirming: 'confirming', ended: 'ended',
}

/** Bars on a terminal, in the order of `bays`, lines elsewhere. Always on stderr, so that stdout stays the result's. */
export function progressFor(call: Call, bays: readonly BayView[]): Progress {
  if (!call.stderr.isTTY || call.env['TERM'] === 'dumb') return lines(call)
  const progress = bars(call, bays.length)
  // What was done in a bay before this batch is not its progress.
  for (const bay of bays) progress.show({ ...bay, phase: 'attached', outcome: null, failure: null, bytesDone: 0, bytesPerSecond: 0, secondsLeft: null, waitsUntil: null, seconds: 0 })
  return progress
}

/** The state of one board in a word or two, coloured by how good it is. */
export function stateWords(bay: BayView, paint: Paint): string {
  if (bay.outcome === null) return bay.phase === null ? '' : phaseWords[bay.phase]
  const kind = bay.failure === null || bay.outcome === 'reverted' ? '' : ` (${bay.failure.kind})`
  return outcomePaint(bay.outcome, paint)(`${bay.outcome.toUpperCase()}${kind}`)
}

export function outcomePaint(outcome: NonNullable<BayView['outcome']>, paint: Paint): (text: string) => string {
  if (outcome === 'failed') return paint.bad
  return outcome === 'reverted' || outcome === 'stopped' ? paint.care : paint.good
}

function lines(call: Call): Progress {
  const last = new Map<number, string>()
  // A board that was unplugged has left its bay, but the line about it should still name it.
  const names = new Map<number, string>()
  const noted = new Map<number, string>()
  const plain = paintFor({}, call.env)
  return {
    show(bay) {
      const state = stateWords(bay, plain)
      if (bay.board !== null) names.set(bay.bay, bay.board)
      if (bay.note !== null && noted.get(bay.bay) !== bay.note.says) {
        noted.set(bay.bay, bay.note.says)
        call.tell(`bay ${bay.bay}  ${names.get(bay.bay) ?? '-'}  ${bay.note.says}\n`)
      }
      if (state === '' || last.get(bay.bay) === state) return
      last.set(bay.bay, state)
      const patience = bay.waitsUntil === null ? '' : `, for ${Math.ceil(secondsUntil(bay.waitsUntil))} s at most`
      call.tell(`bay ${bay.bay}  ${names.get(bay.bay) ?? '-'}  ${state}${patience}${bay.outcome !== null && bay.failure !== null ? `: ${bay.failure.says}` : ''}\n`)
    },
    note: (words) => call.tell(`${words}\n`),
    end: () => undefined,
  }
}

function bars(call: Call, expected: number): Progress {
  const paint = paintFor(call.stderr, call.env)
  const rows = new Map<number, { bar: SingleBar; view: BayView }>()
  const views = new Map<number, BayView>()
  const roomFor = Math.max(1, (call.stderr.rows || 24) - spareRows)
  /** What has been said of boards, whichever bay they are in: one line for all alike. */
  const noted = new Set<string>()
  let summary: SingleBar | null = null
  let ended = false
  const multi = new MultiBar({
    stream: call.stderr,
    // The screen's width, or the row would wrap and every redraw would scroll.
    format: (_options, _params, payload: { row?: () => string }) => clipped(payload.row?.() ?? '', (call.stderr.columns || 80) - 1),
    hideCursor: true,
    clearOnComplete: false,
    // Our own interrupt handling stops the runs first; the library's would only leave.
    gracefulExit: false,
    emptyOnZero: true,
    fps: 10,
    autopadding: false,
    forceRedraw: true,
  })
  const crowded = () => {
    // More boards than rows: the single bars go, one row speaks for all.
    for (const { bar } of rows.values()) multi.remove(bar)
    rows.clear()
    summary ??= multi.create(1000, 0, { row: () => summaryRow([...views.values()], paint) })
  }
  if (expected > roomFor) crowded()
  return {
    show(row) {
      if (ended || row.phase === null) return
      const bay = { ...row, board: row.board ?? views.get(row.bay)?.board ?? null }
      views.set(bay.bay, bay)
      if (bay.note !== null && !noted.has(bay.note.says)) {
        noted.add(bay.note.says)
        multi.log(`bay ${bay.bay}, ${bay.board ?? '-'}: ${washed(bay.note.says)}\n`)
      }
      if (summary === null && !rows.has(bay.bay) && rows.size + 1 > roomFor) crowded()
      if (summary !== null) return summary.update(0)
      const known = rows.get(bay.bay)
      if (known !== undefined) {
        known.view = bay
        known.bar.update(Math.round(1000 * shareOf(bay)))
        return
      }
      const drawn: { bar: SingleBar; view: BayView } = { view: bay, bar: multi.create(1000, 0, { row: () => barRow(drawn.view, paint) }) }
      rows.set(bay.bay, drawn)
    },
    note(words) {
      if (!ended) multi.log(`${washed(words)}\n`)
    },
    end() {
      if (ended) return
      ended = true
      multi.update()
      multi.stop()
      call.tell('\n')
    },
  }
}

/** Done share of the upload, 0 to 1. */
function shareOf(bay: BayView): number {
  const phase = phaseShare[bay.phase ?? 'attached']
  if (bay.phase === 'ended' && (bay.outcome === 'failed' || bay.outcome === 'stopped')) return bay.bytesTotal === 0 ? 0 : bay.bytesDone / bay.bytesTotal
  return phase === 1 ? 1 : bay.bytesTotal === 0 ? 0 : Math.min(1, bay.bytesDone / bay.bytesTotal)
}

function barOf(share: number): string {
  const full = Math.round(barChars * share)
  return `${'█'.repeat(full)}${'░'.repeat(barChars - full)}`
}

/** ` 3  PB-0003  ████░░░░  42%   31.2 KiB/s  00:07  uploading`; while a board is waited for, the time until it no longer is. */
export function barRow(bay: BayView, paint: Paint): string {
  const share = shareOf(bay)
  const moving = bay.phase === 'uploading'
  const speed = bay.bytesPerSecond > 0 ? `${sizeWords(bay.bytesPerSecond)}/s` : ''
  const left = bay.waitsUntil !== null ? minutes(secondsUntil(bay.waitsUntil)) : moving && bay.secondsLeft !== null ? minutes(bay.secondsLeft) : `${bay.seconds.toFixed(1)} s`
  return [
    paint.bold(String(bay.bay).padStart(3)),
    washed(bay.board ?? '?').padEnd(10),
    barOf(share),
    `${Math.floor(share * 100)}%`.padStart(4),
    speed.padStart(12),
    left.padStart(7),
    stateWords(bay, paint),
  ].join('  ')
}

function summaryRow(views: readonly BayView[], paint: Paint): string {
  const share = views.reduce((sum, view) => sum + (view.outcome === null ? shareOf(view) : 1), 0) / Math.max(1, views.length)
  const ended = views.filter((view) => view.outcome !== null)
  const good = ended.filter((view) => view.outcome !== 'failed' && view.outcome !== 'reverted' && view.outcome !== 'stopped').length
  const speed = views.reduce((sum, view) => sum + (view.phase === 'uploading' ? view.bytesPerSecond : 0), 0)
  const bad = ended.length - good
  return [
    paint.bold(`${views.length} boards`), barOf(share), `${Math.floor(share * 100)}%`.padStart(4), `${sizeWords(speed)}/s`.padStart(12),
    paint.good(`${good} good`), bad === 0 ? '0 not' : paint.bad(`${bad} not`), `${views.length - ended.length} under way`,
  ].join('  ')
}

const secondsUntil = (time: string): number => Math.max(0, (Date.parse(time) - Date.now()) / 1000)

/** `00:07`. */
function minutes(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds))
  return `${String(Math.floor(whole / 60)).padStart(2, '0')}:${String(whole % 60).padStart(2, '0')}`
}

/** The row cut to the width of the screen; colours are kept whole and closed. */
export function clipped(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let shown = 0
  let result = ''
   
  for (const part of text.split(/(\u001b\[[0-9;]*m)/)) {
    if (part.startsWith('\u001b')) result += part
    else {
      const chars = [...part].slice(0, Math.max(0, width - shown))
      shown += chars.length
      result += chars.join('')
    }
  }
  return result
}
