// The run itself, as a pure machine: where it stands and what happened in, where it stands now and what to log out. No
// timer, no port. Every step that changes a board is recorded as an intent in the move that orders it and as a result in
// the move that follows the board's own word. Retries are counted here, against `tries`, and
// nearly all are the same one: ask the board again and plan anew, never from memory.
// What surprised us: a reset must never be repeated blindly. A board that is swapping keeps the request in its receive
// buffer, obeys it after the boot and so reverts the very image under test.
import { assert, Failure } from '../base/failure.ts'
import { notReturned, notStarted, notSwapped, wentBack } from './came-back.ts'
import { ending, endingFailed } from './ending.ts'
import { again, boardIn, boardOf, end, endFailed, endStopped, enter, isRefusal, known, named, onward, openWrite, prepend, slotsIn } from './moves.ts'
import { noWayBackOf, wayBackNote } from './modes.ts'
import { judge, testName, withoutSecrets } from './selftest.ts'
import { itemName } from './unit-data.ts'
import { fitted, isKept, keepsAll, notListed, othersRun, partOf, partsOf, runsAll, runsHashOf, runsPart, unlistedNote } from './parts.ts'
import { plan, resetSteps } from './plan.ts'
import { awayFor, entersWithoutFirmware } from './profile.ts'
import * as record from './record.ts'
import { activeSlot, sameSlots, waitingSlot, listedVersion } from './slots.ts'
import type { EntryDraft } from '../log/entry.ts'
import type { ActiveState, BoardSays, Job, Move, RunEvent, RunState, Said, SlotSays, Step, StepName, Tally } from './state.ts'

/** Ceilings of everything a run may try more than once. */
export const tries = { asksMax: 4, uploadsMax: 3, resetsMax: 2, clearingsMax: 4, proofsMax: 3, confirmsMax: 3 } as const

/** Questions without an answer after which a board counts as silent. */
const silentAsks = 2
/** BOOT_SERIAL_WAIT_FOR_DFU waits half a second by default; the restart comes 250 ms after its answer. */
const quietForBootloaderMs = 2_500

const none: Tally = { orders: 0, writes: 0, asks: 0, uploads: 0, resets: 0, clearings: 0, proofs: 0, confirms: 0 }

/** The first move of a run: note that it began, ask the board who it is. */
export function begin(job: Job): Move {
  return { state: { at: 'asking', job, tally: { ...none, asks: 1 }, step: { do: 'identify' }, board: null }, record: [record.started(job)] }
}

/**
 * What follows from an event. A `stepDone` must carry the answer that the step asks for (see `saidFor`); anything else is
 * a bug of the runner and throws, as does any event after the end.
 */
export function next(state: RunState, event: RunEvent): Move {
  assert(state.at !== 'ended', `a run takes no ${event.is} after its end`)
  if (event.is === 'stopped') return endStopped(state)
  if (event.is === 'stepFailed') return event.failure.kind === 'unplugged' ? unplugged(state, event.failure) : whenFailed[state.step.do](state, event.failure)
  return whenDone[state.step.do](state, event.said, event.tookMs)
}

/** Which kind of answer ends each step. */
export const saidFor = {
  identify: 'board',
  'enter-recovery': 'nothing',
  erase: 'nothing',
  'check-erased': 'slots',
  upload: 'nothing',
  'check-slot': 'slots',
  mark: 'slots',
  reset: 'nothing',
  'await-return': 'slots',
  'write-data': 'read-back',
  'self-test': 'measured',
  prove: 'slots',
  confirm: 'nothing',
  'check-confirmed': 'slots',
} as const satisfies Record<StepName, Said['of']>

type WhenDone = (state: ActiveState, said: Said, tookMs: number) => Move
type WhenFailed = (state: ActiveState, failure: Failure) => Move

const whenDone: Record<StepName, WhenDone> = {
  identify: (state, said) => identified(state, boardIn(said)),
  'enter-recovery': askAfresh,
  erase: (state) => onward(state, boardOf(state)),
  'check-erased': (state, said) => checkErased(state, slotsIn(said)),
  upload: uploaded,
  'check-slot': checkSlot,
  mark: checkMark,
  reset: (state) => awaitReturn(state, true),
  'await-return': (state, said) => returned(state, slotsIn(said)),
  'write-data': (state, said) => dataWritten(state, said),
  'self-test': (state, said) => tested(state, said),
  prove: judgeProof,
  confirm: (state) => onward(state, boardOf(state)),
  'check-confirmed': (state, said) => checkConfirmed(state, slotsIn(said)),
}

const whenFailed: Record<StepName, WhenFailed> = {
  identify: unanswered,
  'enter-recovery': (state, failure) => endFailed(state, named('no-recovery', 'The board could not be brought into serial recovery', failure)),
  erase: (state, failure) => (isRefusal(failure) ? endFailed(state, named('erase-refused', 'The board does not give up the image in its other slot', failure)) : askAgain(state, failure)),
  'check-erased': askAgain,
  upload: uploadFailed,
  'check-slot': askAgain,
  mark: (state, failure) => (isRefusal(failure) ? endFailed(state, named('mark-refused', 'The board will not mark the new image for its next boot', failure)) : askAgain(state, failure)),
  reset: (state, failure) => (isRefusal(failure) ? endFailed(state, named('reset-refused', 'The board will not restart', failure)) : awaitReturn(state, false)),
  'await-return': (state, failure) => endFailed(state, notReturned(state, failure)),
  'write-data': dataUnwritten,
  'self-test': testUnanswered,
  prove: proofUnanswered,
  confirm: (state, failure) => (isRefusal(failure) ? revert(state, named('confirm-refused', 'The board will not confirm the new image', failure)) : onward(state, boardOf(state))),
  'check-confirmed': (state, failure) => again(state, 'asks', tries.asksMax) ?? endFailed(state, named('no-answer', 'The board was told to confirm and has not answered since', failure)),
}

// Asking and planning

/**
 * A board that is found running the image on test got there unseen: it restarted by itself, or before this run. That is
 * noted by the board's own word, or the log would show a proof of something that never booted.
 */
function identified(state: ActiveState, board: BoardSays): Move {
  const fits = fitted(state.job, board)
  const job = fits instanceof Failure ? state.job : fits
  const move = planFor({ ...state, job }, board)
  const unseen = partsOf(job).some((part) => runsPart(part, board.slots) && activeSlot(board.slots, part.number)?.confirmed === false)
  return unseen ? prepend(record.booted(job, board.slots), move) : move
}

function planFor(state: ActiveState, board: BoardSays): Move {
  const { job, tally } = state
  const planned = plan(board, job, tally.orders > 0)
  if (planned instanceof Failure) return end(job, endingFailed(job, board.slots, planned), [record.preflightRefused(job, planned)])
  switch (planned.is) {
    case 'unchanged':
      return end(job, ending(job, 'unchanged', board.slots))
    case 'arrived':
      return prepend(record.booted(job, board.slots), enter({ at: 'updating', job, board, tally: { ...tally, resets: 0, proofs: 0 } }, planned.steps))
    case 'clear': {
      if (tally.clearings >= tries.clearingsMax) {
        return endFailed({ ...state, at: 'asking', board }, new Failure('stuck', `The board does not get past a half-done update: ${planned.why.says}. Restart it by hand, or flash it with a programmer.`))
      }
      return enter({ at: 'clearing', job, board, tally: { ...tally, clearings: tally.clearings + 1, resets: 0 } }, planned.steps, [], planned.why.says)
    }
    case 'update':
      return enter({ at: 'updating', job, board, tally: { ...tally, resets: 0, proofs: 0 } }, planned.steps, [...record.wayBack(job, wayBackNote(board)?.says ?? null), ...record.unlisted(job, unlistedNote(job)), ...markedBefore(job, board)])
  }
}

/** Marks that the board says are there already; they are results of somebody's act, and nobody else tells of them. */
function markedBefore(job: Job, board: BoardSays): EntryDraft[] {
  return partsOf(job).flatMap(({ number, image }) => {
    const waiting = waitingSlot(board.slots, number)
    return waiting?.pending === true && waiting.hash === image.hash ? [record.marked(job, image)] : []
  })
}

function checkErased(state: ActiveState, slots: readonly SlotSays[]): Move {
  const { job, step } = state
  assert(step.do === 'check-erased', 'a slot is looked at after its erase')
  const there = slots.find(({ image, slot }) => image === step.image && slot === step.slot)
  if (there !== undefined) {
    return endFailed({ ...state, ...known(state, slots) }, new Failure('stuck', `The board was told to erase slot ${step.slot} and still lists ${there.version} in it. Flash it with a programmer.`))
  }
  return prepend(record.erased(job, step.image, step.slot), askAgain({ ...state, tally: { ...state.tally, asks: 0 } }, new Failure('cleared', 'The other slot was erased.')))
}

/** The one retry for all doubts before the boot: ask the board and plan anew. */
function askAgain(state: ActiveState, why: Failure): Move {
  const { job, tally } = state
  if (tally.asks >= tries.asksMax) return endFailed(state, named('no-answer', `The board did not answer, asked ${tally.asks} times`, why))
  return { state: { at: 'asking', job, tally: { ...tally, asks: tally.asks + 1 }, step: { do: 'identify' }, board: state.board }, record: openWrite(state, why) }
}

/** Silence may be flash at work at first; where the profile knows a way past the firmware, it is taken then. */
function unanswered(state: ActiveState, failure: Failure): Move {
  const { job, tally } = state
  if (failure.kind !== 'timeout' && failure.kind !== 'garbled') return endFailed(state, failure)
  if (!entersWithoutFirmware(job.profile) || tally.asks < silentAsks || tally.clearings >= tries.clearingsMax) return askAgain(state, failure)
  return { state: { at: 'asking', job, tally: { ...tally, clearings: tally.clearings + 1 }, step: { do: 'enter-recovery' }, board: null }, record: openWrite(state, failure) }
}

/** The bootloader answers now; what the firmware said of the board no longer holds. */
function askAfresh(state: ActiveState): Move {
  const { job, tally } = state
  return { state: { at: 'asking', job, tally: { ...tally, asks: 1 }, step: { do: 'identify' }, board: null }, record: [record.resetDone(job, 'recover')] }
}

// Writing the slot

function uploadFailed(state: ActiveState, failure: Failure): Move {
  const { send = 'image' } = state.job.recipe
  // Firmware that knows no packages misses MCUboot's magic; its own words for that would send people after the wrong thing.
  if (send !== 'image' && failure.facts['reason'] === 'bad-magic') {
    return endFailed(state, new Failure('upload-refused', 'This board takes no firmware packages as they are, only images. Let the recipe send the image in the package, or check that the board\'s bootloader is built for packages.', failure.facts))
  }
  if (isRefusal(failure)) return endFailed(state, named('upload-refused', 'The board does not take the image', failure))
  return uploadAgain(state, named('upload-failed', 'The upload broke off', failure))
}

function uploadAgain(state: ActiveState, why: Failure): Move {
  const uploads = state.tally.uploads + 1
  return uploads >= tries.uploadsMax ? endFailed(state, why) : askAgain({ ...state, tally: { ...state.tally, uploads, asks: 0 } }, why)
}

function uploaded(state: ActiveState, _said: Said, tookMs: number): Move {
  assert(state.at !== 'asking', 'an upload belongs to a plan')
  // The look at the slot, now or after a restart, tells how long the upload took.
  const { step: done } = state
  const rest = state.rest.map((step) => (step.do === 'check-slot' && done.do === 'upload' && step.image === done.image ? { ...step, uploadMs: tookMs } : step))
  return onward({ ...state, rest }, boardOf(state))
}

function checkSlot(state: ActiveState, said: Said): Move {
  const { job, step } = state
  assert(step.do === 'check-slot', 'a slot is checked when asked for')
  const slots = slotsIn(said)
  const recovered = boardOf(state).recovery === true
  // The bootloader lists only what verifies, often without a hash; that the image is the one sent is seen once it runs.
  if (recovered && state.at !== 'asking' && state.rest.some((next) => next.do === 'await-return')) return checkRecovered(state, slots)
  const image = partOf(job, step.image)
  const running = activeSlot(slots, step.image)
  const written = slots.find((slot) => slot.image === step.image && (recovered ? slot === running : slot !== running && !slot.active) && slot.hash === (recovered ? runsHashOf(image) : image.hash))
  if (written === undefined) {
    // A server built for one image takes any number for that one; what it has now is unmarked and harms nothing.
    if (partsOf(job).some(({ number, unlisted }) => number === step.image && unlisted === true) && !slots.some((slot) => slot.image === step.image)) return endFailed({ ...state, ...known(state, slots) }, notListed(step.image))
    const other = waitingSlot(slots, step.image)
    if (other === null && image.unpackedBytes !== undefined) return endFailed({ ...state, ...known(state, slots) }, new Failure('not-unpacked', 'The package lies in the board\'s slot, and the board lists no image in it: it lacks the firmware key, or its bootloader does not unpack packages. Give the board its key, or let the recipe send the image in the package.'))
    const holds = other === null ? 'nothing it can read' : `${other.version} (${other.hash?.slice(0, 12) ?? 'no hash'}…)`
    return uploadAgain({ ...state, ...known(state, slots) }, new Failure('slot-mismatch', `After the upload the board's slot holds ${holds} instead of the image that was sent. Check cable and baud rate; if it stays, the board's flash may be worn.`))
  }
  return prepend(record.slotWriteDone(job, { number: step.image, image }, written.slot, step.uploadMs), onward({ ...state, tally: { ...state.tally, writes: Math.min(state.tally.writes + 1, partsOf(job).length) } }, known(state, slots).board))
}

function checkRecovered(state: ActiveState, slots: readonly SlotSays[]): Move {
  const { image } = state.job
  const fits = slots.some((slot) => slot.image === 0 && slot.slot === 0 && (slot.hash === null ? slot.version === listedVersion(image.version) : slot.hash === image.hash))
  return fits ? onward(state, known(state, slots).board) : endFailed({ ...state, ...known(state, slots) }, notStarted(state.job))
}

function checkMark(state: ActiveState, said: Said): Move {
  const { step, job } = state
  assert(step.do === 'mark', 'a mark is looked at when it was made')
  const slots = slotsIn(said)
  const waiting = waitingSlot(slots, step.image)
  const { board } = known(state, slots)
  const image = partOf(job, step.image)
  if (waiting?.hash === image.hash && waiting.pending) return prepend(record.marked(job, image), onward(state, board))
  return endFailed({ ...state, board }, new Failure('mark-not-taken', 'The board took the order to boot the new image, but does not list it as pending. Restart the board and run it again.'))
}

// Through the reset

function awaitReturn(state: ActiveState, heard: boolean): Move {
  const before = boardOf(state)
  assert(state.at !== 'asking', 'a reset belongs to a plan')
  const [wait, ...rest] = state.rest
  assert(wait?.do === 'await-return', 'a reset is followed by the wait for the return')
  const away = awayFor(state.job.profile, state.job.image.imageBytes, wait.timeoutMs)
  const step: Step = { ...wait, before: before.slots, heard, timeoutMs: away.timeoutMs, quietMs: Math.max(away.quietMs, wait.quietMs ?? 0) }
  return { state: { ...state, board: { ...before, slots: [] }, step, rest }, record: heard ? [record.resetDone(state.job, wait.purpose)] : [] }
}

function returned(state: ActiveState, slots: readonly SlotSays[]): Move {
  const { step, job } = state
  assert(step.do === 'await-return' && state.at !== 'asking', 'only a board that was reset returns')
  const now = { ...state, ...known(state, slots) }
  const unchanged = sameSlots(step.before, slots)
  if (unchanged && !step.heard && state.tally.resets < tries.resetsMax) {
    return enter({ ...now, tally: { ...state.tally, resets: state.tally.resets + 1 } }, [...resetSteps(step.purpose, now.board, job.image.imageBytes), ...state.rest])
  }
  if (keptInBootloader(step, slots) && now.board.recovery !== true && state.tally.resets < tries.resetsMax) {
    const again = resetSteps(step.purpose, now.board, job.image.imageBytes).map((each): Step => (each.do === 'await-return' ? { ...each, quietMs: quietForBootloaderMs } : each))
    return enter({ ...now, tally: { ...state.tally, resets: state.tally.resets + 1 } }, [...again, ...state.rest])
  }
  const booted = record.booted(job, slots)
  return prepend(booted, unchanged && !step.heard ? endFailed(now, new Failure('not-reset', 'The board answers, but did not restart when told to. Switch its power off and on.')) : judgeReturn(now, slots, unchanged))
}

/**
 * The firmware answered before and nothing runs now: most likely the bootloader waits for an upload after each restart and
 * took the station's question for one. It answers, so telling it to restart again is not blind; then it is left alone.
 */
function keptInBootloader({ purpose, before }: Extract<Step, { do: 'await-return' }>, slots: readonly SlotSays[]): boolean {
  return purpose !== 'recover' && activeSlot(before) !== null && activeSlot(slots) === null
}

function judgeReturn(state: Exclude<ActiveState, { at: 'asking' }>, slots: readonly SlotSays[], unchanged: boolean): Move {
  const { job, board, step } = state
  const active = activeSlot(slots)
  if (state.at === 'reverting') {
    // What was confirmed before stays; what ran on test must be gone.
    const before = step.do === 'await-return' ? step.before : []
    const stays = runsAll(job, slots) || partsOf(job).some((part) => runsPart(part, slots) && activeSlot(before, part.number)?.confirmed !== true)
    if (active !== null && !stays) return end(job, ending(job, 'reverted', slots, state.because))
    return endFailed(state, new Failure('not-reverted', `${state.because.says} The board was restarted and still runs the new image. Flash it with a programmer.`, state.because.facts))
  }
  if (state.at === 'clearing') {
    if (!unchanged) return askAgain({ ...state, tally: { ...state.tally, asks: 0 } }, new Failure('cleared', 'The board was restarted past an earlier update.'))
    return endFailed(state, new Failure('stuck', 'The board was restarted to get past a half-done update and stands as before. Flash it with a programmer.'))
  }
  if (runsAll(job, slots)) return onward(state, board)
  if (board.recovery === true && active === null) {
    return endFailed(state, notStarted(job))
  }
  // A list shows an image by its hash before its last bytes are there. One that lay in the slot when this run began, and that the
  // bootloader threw away, may only have been cut short: it is written whole, once, before anybody's key is doubted.
  const lost = partsOf(job).some((part) => !runsPart(part, slots) && waitingSlot(slots, part.number)?.hash !== part.image.hash)
  const parts = partsOf(job).length
  if (lost && state.tally.writes < parts) return askAgain({ ...state, tally: { ...none, orders: 1, writes: parts } }, new Failure('cleared', 'The bootloader threw away an image that lay in the slot before this run.'))
  return endFailed(state, notSwapped(job, slots))
}

// Proofs, confirm, revert

function judgeProof(state: ActiveState, said: Said): Move {
  const { step, job } = state
  assert(step.do === 'prove', 'only a proof is judged')
  if (said.of === 'echo') {
    return said.answered === said.sent ? passed(state, step.proof, 'answers echo', boardOf(state))
      : disproved(state, new Failure('proof-failed', `The new image answers an echo wrongly. Give the board's serial number and this run to the firmware's maker.`, { proof: step.proof }))
  }
  const slots = slotsIn(said)
  const { board } = known(state, slots)
  const active = activeSlot(slots)
  // Whatever the proof asks: it counts for the very image that was sent, or for none.
  if (active === null || !runsAll(job, slots)) {
    const why = wentBack(active)
    return prepend(record.proofFailed(job, step.proof, why), active === null ? endFailed({ ...state, board }, why) : end(job, ending(job, 'reverted', slots, why)))
  }
  const wanted = listedVersion(job.image.version)
  const odd = partsOf(job).find(({ number, image, unlisted }) => {
    const reported = activeSlot(slots, number)
    return reported === null ? unlisted !== true : reported.version !== listedVersion(image.version)
  })
  if (step.proof === 'active-hash') return passed(state, step.proof, `reports hash ${runsHashOf(job.image).slice(0, 12)}…${job.others?.some(({ unlisted }) => unlisted !== true) === true ? ' and those of its other images' : ''}`, board)
  if (odd === undefined) return passed(state, step.proof, `reports version ${wanted}${job.others === undefined ? '' : `, ${othersRun(job, slots)}`}`, board)
  return disproved({ ...state, board }, new Failure('proof-failed', `The board should report version ${listedVersion(odd.image.version)} as image ${odd.number} and reports ${activeSlot(slots, odd.number)?.version ?? 'none'}. Check that firmware and image belong together.`, { proof: step.proof }))
}

function tested(state: ActiveState, said: Said): Move {
  const { step } = state
  assert(step.do === 'self-test' && said.of === 'measured', 'a self-test brings what was measured')
  const { holds } = judge(step.test, said.measured)
  const items = state.job.unitData instanceof Failure ? [] : state.job.unitData ?? []
  const { says } = judge(step.test, withoutSecrets(said.measured, items.filter(({ secret }) => secret).map(({ value }) => value)))
  if (holds) return passed(state, testName(step.test), says, boardOf(state))
  return disproved(state, new Failure('self-test-failed', `The new image fails the self-test ${testName(step.test)}: it ${says}. Look at the board; if several boards do this, stop the batch and tell the firmware's maker.`, { proof: testName(step.test) }))
}

function testUnanswered(state: ActiveState, failure: Failure): Move {
  assert(state.step.do === 'self-test', 'only a self-test goes unanswered here')
  const proof = testName(state.step.test)
  const retry = isRefusal(failure) ? null : again(state, 'proofs', tries.proofsMax - 1)
  return retry ?? disproved(state, new Failure('self-test-failed', `The new image cannot do the self-test ${proof}: ${failure.says}`, { ...failure.facts, proof }))
}

// Unit data

function dataWritten(state: ActiveState, said: Said): Move {
  const { step, job } = state
  assert(step.do === 'write-data' && said.of === 'read-back', 'unit data are read back')
  if (!said.same) return dataLost(state, new Failure('unit-data-differs', `The board does not give back the ${itemName(step.item)} as it was given. It may be too long for this firmware, or its storage is worn.`))
  return prepend(record.unitDataWritten(job, step.item), onward({ ...state, tally: { ...state.tally, proofs: 0 } }, boardOf(state)))
}

function dataUnwritten(state: ActiveState, failure: Failure): Move {
  assert(state.step.do === 'write-data', 'only unit data go unwritten here')
  const retry = isRefusal(failure) ? null : again(state, 'proofs', tries.proofsMax - 1)
  return retry ?? dataLost(state, named('unit-data-refused', `The board does not take the ${itemName(state.step.item)}`, failure))
}

/** An image on test goes back; one that is confirmed already stays, and the run fails. */
function dataLost(state: ActiveState, why: Failure): Move {
  assert(state.step.do === 'write-data', 'unit data are lost where they are written')
  const noted = record.unitDataFailed(state.job, state.step.item, why)
  return prepend(noted, activeSlot(boardOf(state).slots)?.confirmed === true ? endFailed(state, why) : revert(state, why))
}

function passed(state: ActiveState, proof: string, says: string, board: BoardSays): Move {
  return prepend(record.proofPassed(state.job, proof, says), onward({ ...state, tally: { ...state.tally, proofs: 0 } }, board))
}

function disproved(state: ActiveState, why: Failure): Move {
  return prepend(record.proofFailed(state.job, String(why.facts['proof']), why), revert(state, why))
}

function proofUnanswered(state: ActiveState, failure: Failure): Move {
  assert(state.step.do === 'prove', 'only a proof goes unanswered here')
  const { proof } = state.step
  if (isRefusal(failure)) return disproved(state, new Failure('proof-failed', `The new image fails its proof "${proof}": ${failure.says}`, { ...failure.facts, proof }))
  return again(state, 'proofs', tries.proofsMax - 1)
    ?? disproved(state, new Failure('proof-failed', `The new image does not answer the proof "${proof}", asked ${tries.proofsMax} times. Give the board's serial number and this run to the firmware's maker.`, { ...failure.facts, proof }))
}

function checkConfirmed(state: ActiveState, slots: readonly SlotSays[]): Move {
  const { job } = state
  const active = activeSlot(slots)
  const { board } = known(state, slots)
  if (active !== null && keepsAll(job, slots)) return prepend(record.confirmed(job, slots), end(job, ending(job, 'confirmed', slots)))
  if (active !== null && !runsPart({ number: 0, image: job.image }, slots)) {
    return end(job, ending(job, 'reverted', slots, wentBack(active)))
  }
  if (state.tally.confirms + 1 < tries.confirmsMax && active !== null) {
    return enter({ ...state, board, at: 'updating', tally: { ...state.tally, confirms: state.tally.confirms + 1 } }, [...unconfirmed(job, slots), { do: 'check-confirmed' }])
  }
  return revert({ ...state, board }, new Failure('not-confirmed', 'The board accepts the confirm but does not keep it. Its flash may be write-protected or worn.'))
}

/** The confirms once more that did not take, the application's last. */
function unconfirmed(job: Job, slots: readonly SlotSays[]): Step[] {
  const open = partsOf(job).filter((part) => !isKept(part, slots))
  return [...open].reverse().map(({ number, image }): Step => ({ do: 'confirm', hash: number === 0 ? null : runsHashOf(image) }))
}

/** The new image is not to stay: restart the board unconfirmed, so that its bootloader puts the old one back. */
function revert(state: ActiveState, because: Failure): Move {
  const board = boardOf(state)
  const noWayBack = noWayBackOf(board)
  if (noWayBack !== null || partsOf(state.job).every((part) => isKept(part, board.slots))) {
    return endFailed(state, new Failure(because.kind, `${because.says} There is no way back for this board: ${noWayBack ?? 'the new image is confirmed already'}.`, because.facts))
  }
  return enter({ at: 'reverting', job: state.job, tally: { ...state.tally, resets: 0 }, board, because }, resetSteps('revert', board, state.job.image.imageBytes))
}

function unplugged(state: ActiveState, failure: Failure): Move {
  const { do: doing } = state.step
  // A board that resets takes its USB port with it, often before its reply is out.
  if (doing === 'reset') return awaitReturn(state, false)
  if (doing === 'await-return') return whenFailed['await-return'](state, failure)
  const why = new Failure('unplugged', 'The board was unplugged while it was being worked on.', { ...failure.facts, during: doing })
  return endFailed(state, why)
}
