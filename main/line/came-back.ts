// What is said of a board that did not come back from its restart as it should: silent, on the old image, with some of several
// images, or back again by itself.
import { Failure } from '../base/failure.ts'
import { othersRun, partsOf, runsPart } from './parts.ts'
import { activeSlot } from './slots.ts'
import type { ActiveState, Job, SlotSays } from './state.ts'

/** In serial recovery the image is there whole, and the bootloader leaves it. */
export function notStarted(job: Job): Failure {
  return new Failure('not-started', `The bootloader has the whole image and will not start it: the board stays in serial recovery. Most likely it does not trust the key "${job.image.key?.name ?? 'unknown'}". Check which key this board was built with.`)
}

/** It is back on an old image, or with only some of several new ones. */
export function notSwapped(job: Job, slots: readonly SlotSays[]): Failure {
  const runs = activeSlot(slots)?.version ?? 'no image it names'
  const some = partsOf(job).filter((part) => runsPart(part, slots))
  if (some.length > 0) {
    const old = partsOf(job).filter((part) => !runsPart(part, slots)).map(({ number }) => number).join(' and ')
    return new Failure('not-swapped', `The board came back with only some of the new images: image ${old} is still the old one (image 0: ${runs}, ${othersRun(job, slots)}). Run it again; if it stays, check which keys its bootloader trusts for each image.`)
  }
  const thrownAway = !slots.some((slot) => partsOf(job).some(({ image }) => slot.hash === image.hash))
  const whyElse = job.image.encrypted === true ? ', or it has not the key that the image is encrypted for' : ''
  return new Failure('not-swapped', thrownAway
    ? `The board came back on ${runs}: its bootloader threw the new image away. Most likely it does not trust the key "${job.image.key?.name ?? 'unknown'}", or the image does not fit its slot${whyElse}. ${counterWords(job)} Check which key this board was built with.`
    : `The board came back on ${runs} without taking the new image. Check that its bootloader is MCUboot and that nothing else restarted it.`)
}

/** No command tells a board's security counter, so this is only what to look for. */
function counterWords({ image: { securityCounter } }: Job): string {
  return securityCounter === undefined
    ? 'A bootloader that keeps security counters takes no image without one, and this one has none.'
    : `This image's security counter is ${securityCounter}: a bootloader that has had a higher one refuses it, too.`
}

/** Nothing was heard of it for as long as the step waits. */
export function notReturned(state: ActiveState, failure: Failure): Failure {
  const waited = state.step.do === 'await-return' ? Math.round(state.step.timeoutMs / 1000) : 0
  const what = state.at === 'reverting' ? `${state.because.says} It was restarted to go back, and` : 'After the restart the board'
  return new Failure('no-return', `${what} has not answered for ${waited} s.${failure.facts['port'] === 'port-held' ? ' Another program holds its port: close it first.' : ''}`, failure.facts)
}

/** It ran the new image and was found on the old one, or on none, before the confirm. */
export function wentBack(active: SlotSays | null): Failure {
  return active === null
    ? new Failure('nothing-runs', 'The board no longer names a running image. It may be in serial recovery: restart it, or flash it with a programmer.')
    : new Failure('restarted-by-itself', 'The board restarted by itself before the new image was confirmed, and went back to the old one. Look for a watchdog or a weak supply.')
}
