// Into MCUboot's serial recovery without the firmware's help (BOOT_SERIAL_WAIT_FOR_DFU, BOOT_SERIAL_ENTRANCE_GPIO): the
// port's lines restart the board with its recovery pin held, or the board is restarted and asked again and again so that
// one question falls into the moment in which its bootloader listens. Done when the bootloader answers.
// What surprised us: the console echo tells the two apart. MCUboot obeys it; no Zephyr firmware knows it, and refuses.
import { pause } from '../base/clock.ts'
import { Failure, failed } from '../base/failure.ts'
import type { BoardSays, Said } from '../line/state.ts'
import type { BoardProfile } from '../line/profile.ts'
import { consoleEcho, reset } from '../smp/os.ts'
import type { Conversation } from './conversation.ts'

/** A bootloader listens for half a second by default; questions are a quarter of that apart at most. */
const askEveryMs = 60
/** Pause after an answer that came from the firmware, which has not restarted yet, and while the port is away. */
const notYetMs = 20
const resetTimeoutMs = 1_000

/** What entering needs to know; `board` is null where the firmware does not answer. */
export type EntryAid = Readonly<{ profile: BoardProfile; board: BoardSays | null }>

/** Failure kinds: `no-lines`, `timeout` (nothing in recovery answered in time), `stopped`, those of opening a port. */
export async function enterRecovery(talk: Conversation, { profile, board }: EntryAid, signal: AbortSignal): Promise<Said | Failure> {
  const { recovery } = profile
  const { clock } = talk
  const started = clock.monotonicMs()
  const left = () => recovery.withinMs - (clock.monotonicMs() - started)
  const opened = await reach(talk, left(), signal)
  if (failed(opened)) return opened
  for (const { holdMs, ...lines } of recovery.steps) {
    const set = await talk.setLines(lines)
    // A USB board's port goes with the reset that its lines have just brought about.
    if (failed(set) && set.kind !== 'unplugged') return set
    await pause(clock, holdMs, signal)
  }
  // The firmware answers and nothing else restarts it: it is told to, and caught on its way back.
  if (recovery.steps.length === 0 && board !== null) {
    const told = await talk.ask(reset, {}, { timeoutMs: resetTimeoutMs, signal })
    if (failed(told) && told.kind === 'refused') return told
  }
  while (left() > 0 && !signal.aborted) {
    const answer = await question(talk, left(), signal)
    if (!failed(answer)) return { of: 'nothing' }
    if (answer.kind !== 'timeout') await pause(clock, notYetMs, signal)
  }
  if (signal.aborted) return new Failure('stopped', 'The way into serial recovery was stopped.')
  const byHand = recovery.steps.length === 0 && board === null ? 'Press the board\'s reset button, or take its power away and give it back, while the station asks' : 'Check the board profile: how DTR and RTS are wired, and that its bootloader has serial recovery'
  return new Failure('timeout', `no bootloader answered within ${recovery.withinMs / 1000} s. ${byHand}.`, { waitedMs: recovery.withinMs })
}

async function question(talk: Conversation, leftMs: number, signal: AbortSignal): Promise<unknown> {
  const opened = await reach(talk, leftMs, signal)
  return failed(opened) ? opened : await talk.ask(consoleEcho, { on: false }, { timeoutMs: askEveryMs, signal })
}

/** The open line, waited for while the port is away. */
async function reach(talk: Conversation, leftMs: number, signal: AbortSignal): Promise<unknown> {
  const deadline = new AbortController()
  const cancel = talk.clock.after(Math.max(0, leftMs), () => deadline.abort())
  try {
    return await talk.client(AbortSignal.any([deadline.signal, signal]))
  } finally {
    cancel()
  }
}
