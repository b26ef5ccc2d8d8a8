// A station's writing hand for the crash test: opens the home, appends without end and prints each acknowledged seq, until
// it is killed. Some appends are single, some are groups, and a checkpoint is signed now and then.
import { writeSync } from 'node:fs'
import { realClock } from '../../main/base/clock.ts'
import { Failure } from '../../main/base/failure.ts'
import { openAuditStore } from '../../main/store/audit.ts'
import { outcomeDraft } from './fixture.ts'

const store = openAuditStore(process.argv[2] ?? '', { station: 'line 1', session: `start ${process.pid}`, clock: realClock })
if (store instanceof Failure) throw new Error(store.says)
for (let i = 0; ; i++) {
  const drafts = Array.from({ length: i % 3 === 0 ? 5 : 1 }, (_, k) => outcomeDraft(`unit-${i}-${k}`, { says: 'x'.repeat(i % 700) }))
  const entries = store.appendAll(drafts)
  if (entries instanceof Failure) throw new Error(entries.says)
  // Synchronous, so that nothing acknowledged is lost with the process's own buffers.
  writeSync(1, `${entries.at(-1)?.seq}\n`)
  if (i % 20 === 19) {
    const signed = await store.checkpoint()
    if (signed instanceof Failure) throw new Error(signed.says)
  }
}
