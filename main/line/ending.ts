// How a run ended, in words: the outcome, what the board runs by its own last word, and what it will do at its next
// restart when it was left half-way. A unit that somebody carries away must not surprise anyone.
import type { Failure } from '../base/failure.ts'
import { runsAll } from './parts.ts'
import { activeSlot, listedVersion, nextBoot } from './slots.ts'
import type { Ending, Job, Outcome, SlotSays } from './state.ts'

/** An ending with the sentence that belongs to it; `slots` is the board's last word, empty when it has none. */
export function ending(job: Job, outcome: Outcome, slots: readonly SlotSays[], failure: Failure | null = null): Ending {
  const active = activeSlot(slots)
  const wanted = goalVersions(job)
  const runs = active?.version ?? 'an image it did not name'
  const sentences: Record<Outcome, string> = {
    confirmed: `Runs ${wanted}, proven and confirmed.`,
    unchanged: `Had ${wanted} already, confirmed; nothing was sent.`,
    uploaded: runsAll(job, slots) ? (active?.confirmed === true ? `Runs ${wanted}.` : `Runs ${wanted} already, on test.`) : `${wanted} lies in its upgrade slot; it still runs ${runs}.`,
    tested: active?.confirmed === true ? `Runs ${wanted}, proven; this board keeps it without a confirm.` : `Runs ${wanted}, proven and not confirmed.`,
    reverted: `${failure?.says ?? ''} It runs ${runs} again.`.trim(),
    failed: failure?.says ?? 'The run failed.',
    stopped: active === null ? 'Stopped while the board had not said how it stands.' : `Stopped; it runs ${runs}.`,
  }
  const then = nextBoot(slots)
  return {
    outcome,
    failure,
    says: [sentences[outcome], then].filter((sentence) => sentence !== '').join(' '),
    activeHash: active?.hash ?? null,
    version: active?.version ?? null,
  }
}

/** The versions that the job brings, by number where there are several. */
function goalVersions(job: Job): string {
  const others = (job.others ?? []).map(({ number, image, unlisted }) => `${listedVersion(image.version)} as image ${number}${unlisted === true ? ' (which this board never lists as running)' : ''}`)
  return [listedVersion(job.image.version), ...others].join(' and ')
}

/** The ending of a run that failed. */
export function endingFailed(job: Job, slots: readonly SlotSays[], failure: Failure): Ending {
  return ending(job, 'failed', slots, failure)
}
