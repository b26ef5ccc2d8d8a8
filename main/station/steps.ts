// One function for each step of a run: what it asks the board, and what the board said, as the machine wants it. No
// judgement here and no retry; a deadline for everything. Commands and their quirks are in the smp room.
// What surprised us: the reset is 250 ms after its reply, and until then the board answers as if nothing were coming.
import { fromHex, toHex } from '../base/bytes.ts'
import { pause } from '../base/clock.ts'
import { assert, Failure, failed } from '../base/failure.ts'
import { sameSlots } from '../line/slots.ts'
import type { BoardSays, Said, SlotSays, Step, StepName } from '../line/state.ts'
import type { Framing } from '../smp/client.ts'
import type { SmpCommand } from '../smp/commands.ts'
import type { UploadFrames } from '../smp/frames.ts'
import { eraseSlot, imageState, setImageState, slotInfo } from '../smp/image.ts'
import type { SlotState } from '../smp/image.ts'
import { commonProfile } from '../line/profile.ts'
import type { BoardProfile } from '../line/profile.ts'
import { bootloaderMode, bootloaderName, consoleEcho, echo, parameters, reset } from '../smp/os.ts'
import type { BoardParameters } from '../smp/os.ts'
import { firstReplyTimeoutMs, upload, uploadWindow } from '../smp/upload.ts'
import type { Conversation } from './conversation.ts'
import { enterRecovery } from './recovery.ts'
import { measure } from './self-tests.ts'
import type { AskOperator } from './self-tests.ts'
import { writeItem } from './unit-data.ts'

/** Deadline of an ordinary question. Writing a trailer may erase a flash page first. */
const askTimeoutMs = 3_000
/** Deadline of the very first question in one framing: a board that does not understand it is asked in the other. */
const greetTimeoutMs = 1_000
/** Deadline of one probe while a board is away, and the pause after an answer that came before the reset. */
const probeTimeoutMs = 500
const probePauseMs = 100
/** Probes unanswered in a row that show that the board was away. */
const silentProbesMin = 2
/** What the oldest servers take (MCUMGR_TRANSPORT_NETBUF_SIZE before parameters existed). */
const bufferBytesDefault = 256
/** What a bootloader in recovery takes that does not tell: half of what MCUboot has by default (BOOT_SERIAL_MAX_RECEIVE_SIZE 1024). */
const recoveryBytesDefault = 512
/** Slot size assumed for the first chunk's deadline when nobody tells: 1 MiB of flash to erase. */
const slotBytesDefault = 0x10_0000

/** What a step needs beside the board. */
export type StepAid = Readonly<{
  /** The frames of one of the job's images for a buffer size; encoded once for all boards of a batch. */
  frames(bufferBytes: number, framing: Framing, file: Readonly<{ image: number; fileSha256: string }>): UploadFrames | Failure
  /** A text no board can know beforehand. */
  nonce(): string
  onProgress(ackedBytes: number): void
  /** What `identify` heard last; null before it. */
  board: BoardSays | null
  profile: BoardProfile
  askOperator: AskOperator
}>

type CarryOut<S> = (step: S, talk: Conversation, aid: StepAid, signal: AbortSignal) => Promise<Said | Failure>

const table: { [N in StepName]: CarryOut<Extract<Step, { do: N }>> } = {
  identify: (_step, talk, aid, signal) => identify(talk, signal, aid.profile),
  'enter-recovery': (_step, talk, aid, signal) => enterRecovery(talk, aid, signal),
  erase: async (step, talk, aid, signal) => nothingOr(await talk.ask(eraseSlot, { slot: slotNumber(step) }, { timeoutMs: firstReplyTimeoutMs(slotBytesOf(step, aid), aid.profile), signal })),
  'check-erased': (_step, talk, _aid, signal) => askSlots(talk, signal),
  upload: (step, talk, aid, signal) => sendImage(step, talk, aid, signal),
  'check-slot': (_step, talk, _aid, signal) => askSlots(talk, signal),
  mark: (step, talk, _aid, signal) => mark(step.hash, talk, signal),
  reset: async (step, talk, _aid, signal) => nothingOr(await talk.ask(reset, step.purpose === 'recover' ? { bootMode: 'recovery' } : {}, { timeoutMs: askTimeoutMs, signal })),
  'await-return': awaitReturn,
  'write-data': async (step, talk, aid, signal) => {
    const same = await writeItem(step.item, talk, aid.board?.bufferBytes ?? bufferBytesDefault, signal)
    return failed(same) ? same : { of: 'read-back', same }
  },
  'self-test': async (step, talk, aid, signal) => {
    const measured = await measure(step.test, talk, (asks, timeoutMs, until) => aid.askOperator(asks, timeoutMs, until), signal)
    return failed(measured) ? measured : { of: 'measured', measured }
  },
  prove: (step, talk, aid, signal) => (step.proof === 'echo' ? proveEcho(talk, aid, signal) : askSlots(talk, signal)),
  // Without a hash, on purpose: that confirms what runs. With the hash of an image that has just been swapped out
  // again it would mark it for good, unproven.
  confirm: async (step, talk, _aid, signal) => nothingOr(await talk.ask(setImageState, { ...(step.hash === null ? {} : { hash: bytesOfHash(step.hash) }), confirm: true }, { timeoutMs: askTimeoutMs, signal })),
  'check-confirmed': (_step, talk, _aid, signal) => askSlots(talk, signal),
}

/** Carries a step out and brings back what the board said, or why it did not. */
export function carryOut(step: Step, talk: Conversation, aid: StepAid, signal: AbortSignal): Promise<Said | Failure> {
  return (table[step.do] as CarryOut<Step>)(step, talk, aid, signal)
}

/** Asks everything a board tells of itself; what its firmware does not know stays null. Also behind `askBoard`. */
export async function identify(talk: Conversation, signal: AbortSignal, profile: BoardProfile = commonProfile): Promise<{ of: 'board'; board: BoardSays } | Failure> {
  const client = await within(talk, askTimeoutMs, signal, (until) => talk.client(until))
  if (failed(client)) return client
  const size = await greet(talk, signal, profile)
  if (failed(size)) return size
  const name = await askIfKnown(talk, bootloaderName, signal)
  if (failed(name)) return name
  // The bootloader does not name itself in serial recovery, but obeys the console echo, which no Zephyr firmware knows.
  const quiet = name === null ? await talk.ask(consoleEcho, { on: false }, { timeoutMs: askTimeoutMs, signal }) : null
  if (quiet !== null && failed(quiet) && quiet.kind !== 'refused') return quiet
  const recovery = quiet !== null && !failed(quiet)
  const mode = await askIfKnown(talk, bootloaderMode, signal)
  if (failed(mode)) return mode
  const places = await askIfKnown(talk, slotInfo, signal)
  if (failed(places)) return places
  const state = await talk.ask(imageState, {}, { timeoutMs: askTimeoutMs, signal })
  if (failed(state)) return state
  return {
    of: 'board',
    board: {
      recovery,
      bufferBytes: size?.bufferBytes ?? profile.bufferBytes ?? (recovery ? recoveryBytesDefault : null),
      bufferCount: size?.bufferCount ?? profile.bufferCount,
      bootloader: name?.bootloader ?? null,
      mode: mode?.mode ?? 'unknown',
      noDowngrade: mode?.noDowngrade ?? false,
      slots: state.slots.map(slotSays),
      slotBytes: (places?.images ?? []).flatMap(({ image, slots }) =>
        slots.flatMap(({ slot, sizeBytes }) => (sizeBytes === null ? [] : [{ image, slot, bytes: sizeBytes }]))),
      maxImageBytes: places?.images.find(({ image }) => image === 0)?.maxImageBytes ?? null,
    },
  }
}

export function slotSays(slot: SlotState): SlotSays {
  return { ...slot, hash: slot.hash === null ? null : toHex(slot.hash) }
}

/**
 * The first question, which also finds out whether the board speaks console lines or raw packets. One that answers
 * neither may be busy (a slot's erase takes seconds) and has the whole deadline in the framing it began with.
 */
export async function greet(talk: Conversation, signal: AbortSignal, profile: BoardProfile): Promise<BoardParameters | null | Failure> {
  if (profile.framing !== null) {
    talk.speak(profile.framing)
    return await askIfKnown(talk, parameters, signal)
  }
  const first = talk.framing
  const second: Framing = first === 'console' ? 'raw' : 'console'
  for (const framing of [first, second]) {
    talk.speak(framing)
    const heard = await askIfKnown(talk, parameters, signal, greetTimeoutMs)
    if (!failed(heard) || heard.kind !== 'timeout') return heard
  }
  talk.speak(first)
  return await askIfKnown(talk, parameters, signal)
}

/** Null when the board knows no such command or will not answer it. */
async function askIfKnown<Reply>(talk: Conversation, command: SmpCommand<Readonly<Record<never, never>>, Reply>, signal: AbortSignal, timeoutMs = askTimeoutMs): Promise<Reply | null | Failure> {
  const reply = await talk.ask(command, {}, { timeoutMs, signal })
  return failed(reply) && reply.kind === 'refused' ? null : reply
}

async function askSlots(talk: Conversation, signal: AbortSignal, timeoutMs = askTimeoutMs): Promise<{ of: 'slots'; slots: SlotSays[] } | Failure> {
  const state = await talk.ask(imageState, {}, { timeoutMs, signal })
  return failed(state) ? state : { of: 'slots', slots: state.slots.map(slotSays) }
}

/**
 * Uploads into the slot that does not run. A slot may refuse although nothing can be read in it: an overwrite whose end
 * was cut off leaves a mark without an image behind. Erasing it is allowed then, and clears it.
 */
async function sendImage(step: Extract<Step, { do: 'upload' }>, talk: Conversation, aid: StepAid, signal: AbortSignal): Promise<Said | Failure> {
  const client = await talk.client(signal)
  if (failed(client)) return client
  const frames = aid.frames(aid.board?.bufferBytes ?? bufferBytesDefault, client.framing, step)
  if (failed(frames)) return frames
  const timeoutMs = firstReplyTimeoutMs(slotBytesOf(step, aid), aid.profile)
  const send = () => {
    // All boards then number their frames alike and write the very same buffers.
    client.alignSequence(0)
    return upload(client, talk.clock, frames, {
      windowMax: Math.min(aid.profile.inFlightMax, uploadWindow(aid.board?.bufferCount ?? 1)), firstReplyTimeoutMs: timeoutMs, signal, onProgress: (bytes) => aid.onProgress(bytes),
    })
  }
  const sent = await send()
  const nothingThere = aid.board?.slots.every(({ image, active }) => image !== step.image || active) === true
  if (!failed(sent) || sent.facts['reason'] !== 'no-free-slot' || !nothingThere) return nothingOr(sent)
  const erased = await talk.ask(eraseSlot, { slot: slotNumber(step) }, { timeoutMs, signal })
  return failed(erased) ? sent : nothingOr(await send())
}

function slotBytesOf(place: Readonly<{ image: number; slot: number }>, { board }: StepAid): number {
  return board?.slotBytes.find(({ image, slot }) => image === place.image && slot === place.slot)?.bytes ?? slotBytesDefault
}

function bytesOfHash(hex: string): Uint8Array {
  const hash = fromHex(hex)
  assert(hash !== null, 'an image hash is hex')
  return hash
}

/** Slots of all images count through in an erase (img_mgmt.c). */
function slotNumber({ image, slot }: Readonly<{ image: number; slot: number }>): number {
  return image * 2 + slot
}

/** The reply to the mark lists the slots too, but what counts is what a second look finds. */
async function mark(hashHex: string, talk: Conversation, signal: AbortSignal): Promise<Said | Failure> {
  const reply = await talk.ask(setImageState, { hash: bytesOfHash(hashHex), confirm: false }, { timeoutMs: askTimeoutMs, signal })
  return failed(reply) ? reply : await askSlots(talk, signal)
}

async function proveEcho(talk: Conversation, aid: StepAid, signal: AbortSignal): Promise<Said | Failure> {
  const sent = aid.nonce()
  const reply = await talk.ask(echo, { text: sent }, { timeoutMs: askTimeoutMs, signal })
  return failed(reply) ? reply : { of: 'echo', sent, answered: reply.text }
}

/**
 * Probes until the board lists its slots differently from before the reset, which no board does without having been
 * through it. A board that was away (silent, or its port gone) and lists the same is back too: it did not swap.
 */
async function awaitReturn(step: Extract<Step, { do: 'await-return' }>, talk: Conversation, _aid: StepAid, signal: AbortSignal): Promise<Said | Failure> {
  const { clock } = talk
  const started = clock.monotonicMs()
  const waited = () => clock.monotonicMs() - started
  // The old image's lines are none of the new one's.
  talk.forgetLines()
  if (step.quietMs !== undefined && step.quietMs > 0) await pause(clock, step.quietMs, signal)
  let silent = 0
  let trouble: Failure | null = null
  while (waited() < step.timeoutMs) {
    if (signal.aborted) return new Failure('stopped', 'The wait for the board was stopped.')
    const client = await within(talk, step.timeoutMs - waited(), signal, (until) => talk.client(until))
    if (failed(client)) {
      silent = silentProbesMin
      trouble = client
      // Just back, its port may not be ready to be opened; the pause keeps this from spinning.
      await pause(clock, probePauseMs, signal)
      continue
    }
    const answer = await askSlots(talk, signal, probeTimeoutMs)
    if (failed(answer)) {
      silent += 1
      if (answer.kind === 'unplugged') silent = silentProbesMin
      if (answer.kind !== 'timeout') await pause(clock, probePauseMs, signal)
      continue
    }
    const wasAway = silent >= silentProbesMin
    if (!sameSlots(step.before, answer.slots) || wasAway || waited() >= step.patienceMs) return answer
    silent = 0
    talk.forgetLines()
    await pause(clock, probePauseMs, signal)
  }
  return signal.aborted ? new Failure('stopped', 'The wait for the board was stopped.') : new Failure('timeout', `The board ${talk.unit} has not answered since its restart.`, {
    waitedMs: Math.round(waited()), ...(trouble === null ? {} : { port: trouble.kind }),
  })
}

/** Does work that ends with the signal or after that time, whichever comes first; no timer stays behind. */
async function within<T>(talk: Conversation, timeoutMs: number, signal: AbortSignal, work: (until: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = new AbortController()
  const cancel = talk.clock.after(Math.max(0, timeoutMs), () => deadline.abort())
  try {
    return await work(AbortSignal.any([deadline.signal, signal]))
  } finally {
    cancel()
  }
}

function nothingOr(answer: unknown): Said | Failure {
  return answer instanceof Failure ? answer : { of: 'nothing' }
}
