// The clients of one station together: each hears what it may know, and all learn at once when accounts change.
import { z } from 'zod'
import { failed } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import { outcomeNames } from '../contract/views.ts'
import type { StationEvent } from '../contract/views.ts'
import { readSetting, writeSetting } from '../store/settings.ts'
import type { Handlers, World } from './calls.ts'
import { Session } from './session.ts'
import type { SessionOptions, SessionWorld } from './session.ts'

const idleSetting = 'idle-lock'
const idleSchema = z.number().int().min(0).max(720)
/** Minutes, until an administrator says otherwise. */
const idleMinutesAtFirst = 10

export type Sessions = Readonly<{ open(options: SessionOptions): Session; tell(event: StationEvent): void; changed(): void; close(): void }>

/** Fails as the disk does. */
export function openSessions(world: World, handlers: Handlers): Sessions | Failure {
  const { audit, people, log, clock, desk } = world
  const stored = readSetting<number>(audit.database, idleSetting, idleSchema, idleMinutesAtFirst)
  if (failed(stored)) return stored
  let idle = stored
  const open = new Set<Session>()
  const changed = () => {
    for (const session of [...open]) session.tellSession()
  }
  const shared: SessionWorld = {
    people, log, clock, handlers,
    idleMinutes: () => idle,
    setIdleMinutes(minutes) {
      if (minutes === idle) return null
      const noted = log.recordAct({ kind: 'settings', data: { name: idleSetting, before: String(idle), after: String(minutes) } }, 'administrator')
      if (failed(noted)) return noted
      const written = writeSetting(audit.database, idleSetting, minutes)
      if (failed(written)) return written
      idle = minutes
      changed()
      return null
    },
    batch() {
      const { batch } = world
      if (batch === null || batch.isOver) return null
      const { boards, counts } = batch.view()
      return { boards, done: outcomeNames.reduce((sum, name) => sum + counts[name], 0) }
    },
    // A PIN typed for a token was that person's, and so was a firmware key's passphrase: the next one types it again.
    left: async () => {
      desk.firmwareKeys?.lock()
      await desk.tokens?.lock(null)
    },
    closed: (session) => void open.delete(session),
  }
  return {
    open(options) {
      const session = new Session(shared, options)
      open.add(session)
      return session
    },
    tell(event) {
      for (const session of [...open]) session.tell(event)
    },
    changed,
    close() {
      for (const session of [...open]) session.close()
    },
  }
}
