// The home's own practice key, where `practice` did not make it yet: signing with it is a first use too.
import { failed } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import type { KeyEntry } from '../keys/keyring.ts'
import { OpenFiles } from '../station/files.ts'
import { Logbook } from '../station/logbook.ts'
import { practiceKey } from '../station/practice.ts'
import type { Call } from './call.ts'
import { openLog, whoActs } from './record.ts'
import { ringOf } from './ring.ts'

/** Makes and logs the key when the ring has none of that name. Kinds: of the ring and of `openLog`. */
export async function makePracticeKey(call: Call): Promise<KeyEntry | Failure> {
  const log = await openLog(call)
  if (failed(log)) return log
  try {
    return await practiceKey({ keyring: ringOf(call), files: new OpenFiles(), log: new Logbook(log, whoActs(call).person) })
  } finally {
    log.close()
  }
}
