// What the outside sees of the fixture and of a board that is met for the first time: the bay map and the diagnosis of one
// port. Plain data, replaced as a whole.
import type { BoardView } from './board-view.ts'
import type { FailureView } from './failure-view.ts'

/** The fixture: bays in rows and columns, and the socket behind each that was taught. */
export type BayMapView = Readonly<{
  /** 0 and 0 while nobody has laid the bays out. */
  rows: number
  columns: number
  bays: readonly Readonly<{
    bay: number
    /** From 0, top left. */
    row: number
    column: number
    /** USB hub path, or the name of the one board that has its place here; null: not taught. */
    place: string | null
  }>[]
}>

/** What a line is led by; null where too little has happened to say. */
export type LineFiguresView = Readonly<{
  /** Median length of the last good runs. */
  cycleSeconds: number | null
  unitsPerHour: number | null
  /** Units that were good at their first run, 0 to 1. */
  firstPassYield: number | null
}>

/** One way a board was spoken to. */
export type TriedView = Readonly<{ baud: number; framing: 'console' | 'raw'; heardBytes: number }>

/** What was found behind one port, from opening it to the board's own word. */
export type DiagnosisView = Readonly<{
  port: string
  /**
   * `trying` while it goes on; `no-permission`, `port-held`, `cannot-open`; `silent`: not a byte at any rate; `talks`:
   * it sends something and does not answer SMP; `answers`.
   */
  finding: 'trying' | 'no-permission' | 'port-held' | 'cannot-open' | 'silent' | 'talks' | 'answers'
  /** The failure behind it in the station's words; null while trying and when it answers. */
  failure: FailureView | null
  /** Commands that give this person access to this very device; null where none are needed or known. */
  remedy: string | null
  tried: readonly TriedView[]
  /** The last lines it sent that were no SMP. */
  heard: string | null
  /** How it answered; null before it did. */
  baud: number | null
  framing: 'console' | 'raw' | null
  board: BoardView | null
}>
