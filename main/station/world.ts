// What the calls of the contract stand on, and what they are: the words that calls.ts and the files it joins have in common.
import type { Clock } from '../base/clock.ts'
import type { Failure } from '../base/failure.ts'
import type { CheckedArgsOf, MethodName, ResultOf, WindowOnly } from '../contract/api.ts'
import type { AboutView, BatchView, SettingsView, StationEvent } from '../contract/views.ts'
import type { AuditStore } from '../store/audit.ts'
import type { Batch } from './batch.ts'
import type { CheckpointKeeper } from './checkpoints.ts'
import type { Consoles } from './console.ts'
import type { DeskWorld } from './desk.ts'
import type { Door } from './door.ts'
import type { Hooks } from './hooks.ts'
import type { People } from './people.ts'
import type { Logbook } from './logbook.ts'
import type { Ports } from './ports.ts'
import type { Paper } from './reports.ts'
import type { Searches } from './searches.ts'
import type { Questions } from './questions.ts'
import type { Updates } from './updates.ts'

/** What a session answers by itself (session.ts). */
type OfSession = 'session' | 'signIn' | 'signOut' | 'lockStation' | 'changeOwnPin' | 'setIdleLock'

export type Handlers = { readonly [M in Exclude<MethodName, WindowOnly | OfSession>]: (args: CheckedArgsOf<M>) => ResultOf<M> | Failure | Promise<ResultOf<M> | Failure> }

/** What the calls stand on. */
export type World = {
  readonly home: string
  readonly about: AboutView
  readonly nonce: () => string
  readonly clock: Clock
  readonly newId: (kind: 'session' | 'batch' | 'run') => string
  readonly audit: AuditStore
  readonly log: Logbook
  readonly desk: DeskWorld
  readonly ports: Ports
  readonly emit: (event: StationEvent) => void
  readonly people: People
  /** Accounts have changed: every client learns anew who it is taken for. */
  readonly peopleChanged: () => void
  readonly questions: Questions
  /** Line rate that the command line names; it counts before any profile. */
  readonly baudRate: number | null
  settings: SettingsView
  batch: Batch | null
  /** How the last batch was begun, for one more board by the same order. */
  again: ((bay: number) => Promise<BatchView | Failure>) | null
  /** Ports that are being diagnosed, blinked, previewed or listened to now. */
  readonly busyPorts: Set<string>
  readonly consoles: Consoles
  /** The signing of the latest checkpoint. */
  checkpoint: Promise<void>
  readonly keeper: CheckpointKeeper
  readonly searches: Searches
  readonly updates: Updates
  readonly hooks: Hooks
  readonly door: Door
  readonly noticesFile: string | null
  /** Null where nothing can make PDF or print. */
  readonly paper: Paper | null
}
