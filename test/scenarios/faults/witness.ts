// The one who saw everything: each frame on each cable and each entry of the log, in their order. It holds the station to
// what it promises (intent before act, result after proof) by what went over the wire, not by what the station
// believes: no act on a board without its intent on disk, no result before the board said it, no confirm before the proofs.
import { failed } from '../../../main/base/failure.ts'
import { toHex } from '../../../main/base/bytes.ts'
import type { Entry } from '../../../main/log/entry.ts'
import { LineDecoder } from '../../../main/smp/line.ts'
import { decodeHeader, decodeMessage } from '../../../main/smp/message.ts'
import type { CborMap } from '../../../main/smp/message.ts'
import { imageState } from '../../../main/smp/image.ts'
import { RawDecoder } from '../../../main/smp/raw.ts'
import type { Cable } from './cable.ts'

type Slot = Readonly<{ image: number; slot: number; hash: string | null; pending: boolean; confirmed: boolean; active: boolean }>
type Intent = 'write' | 'mark' | 'reset' | 'confirm'

type Passage = {
  readonly run: string
  readonly unit: string
  readonly cable: Cable
  /** Intents on disk that still allow their act. */
  readonly allowed: Set<Intent>
  /** Slot writes begun and not closed, in the log. */
  openWrites: number
  readonly proofs: Set<string>
  /** Intents of which nothing has come yet, in the log. */
  proposed: Set<Intent>
  /** Hashes of the images that were to be marked. */
  readonly wanted: Set<string>
  ended: boolean
}

type Wire = {
  readonly cable: Cable
  readonly fromStation: (bytes: Uint8Array) => Uint8Array[]
  readonly fromBoard: (bytes: Uint8Array) => Uint8Array[]
  /** What is written over the running image counts for it once it runs. */
  readonly overActive: boolean
  /** Lists of slots that reached the station since the last act on this board, and since this run began. */
  lists: Slot[][]
  all: Slot[][]
  echoSent: string | null
  echoHeard: string | null
  passage: Passage | null
}

const listsMax = 400
const wrongsMax = 20

export type Ended = Readonly<{ run: string; unit: string; cable: Cable; outcome: string; failure: string | null; activeHash: string | null }>

export class Witness {
  readonly wrongs: string[] = []
  /** What was seen, line by line, when somebody wants to read it. */
  onSight: (line: string) => void = () => {}
  /** Runs with an outcome, in order. */
  readonly ended: Ended[] = []
  readonly #wires: Wire[] = []
  readonly #passages = new Map<string, Passage>()
  /** What the present recipe asks before a confirm, and the image of the batch. */
  #proofs: readonly string[] = ['echo', 'active-hash', 'version']

  watch(cable: Cable, { raw = false, overActive = false }: Readonly<{ raw?: boolean; overActive?: boolean }> = {}): void {
    const wire: Wire = {
      cable, fromStation: hearing(raw, 'requests'), fromBoard: hearing(raw, 'replies'), overActive, lists: [], all: [], echoSent: null, echoHeard: null, passage: null,
    }
    this.#wires.push(wire)
    cable.tap = {
      toBoard: (bytes) => {
        for (const packet of wire.fromStation(bytes)) this.#asked(wire, packet)
      },
      toStation: (bytes) => {
        for (const packet of wire.fromBoard(bytes)) this.#answered(wire, packet)
      },
    }
  }

  /** A station's log as it grows. */
  logged(entries: readonly Entry[]): void {
    for (const entry of entries) this.#entry(entry)
  }

  /** A new life: runs of the one before are over for the wire, whatever the log says of them. */
  newLife(): void {
    for (const wire of this.#wires) wire.passage = null
  }

  get openRuns(): string[] {
    return [...this.#passages.values()].filter((passage) => !passage.ended).map((passage) => passage.run)
  }

  wrong(what: string): void {
    this.onSight(`BROKEN ${what}`)
    if (this.wrongs.length < wrongsMax) this.wrongs.push(what)
  }

  #asked(wire: Wire, packet: Uint8Array): void {
    const message = decodeMessage(packet)
    if (failed(message)) return this.wrong(`${wire.cable.path}: the station wrote a packet that does not decode: ${message.says}`)
    const { op, group, command, body } = message
    if (group === 0 && command === 0) {
      wire.echoSent = typeof body['d'] === 'string' ? body['d'] : null
      wire.echoHeard = null
    }
    const act = actOf(op, group, command, body)
    if (act === null) return
    if (act !== 'write') this.onSight(`${wire.cable.path} is told to ${act}`)
    const { passage } = wire
    const who = `${passage?.unit ?? 'no run'} on ${wire.cable.path}`
    if (passage === null || !passage.allowed.has(act)) return this.wrong(`${who}: ${act} without its intent in the log`)
    if (act === 'confirm') {
      const missing = this.#proofs.filter((proof) => !passage.proofs.has(proof))
      if (missing.length > 0) this.wrong(`${who}: confirm before the proofs ${missing.join(', ')}`)
    }
    // One intent, one act; an upload is one act of many frames.
    if (act !== 'write') passage.allowed.delete(act)
    if (act === 'reset') passage.proofs.clear()
    if (act !== 'write') wire.lists = []
  }

  #answered(wire: Wire, packet: Uint8Array): void {
    const header = decodeHeader(packet)
    const message = decodeMessage(packet)
    if (header === null || failed(message)) return
    if (message.group === 0 && message.command === 0 && typeof message.body['r'] === 'string') wire.echoHeard = message.body['r']
    if (message.group !== 1 || message.command !== 0 || !('images' in message.body)) return
    const state = imageState.decode(message.body)
    if (failed(state)) return
    const list = state.slots.map(({ image, slot, hash, pending, confirmed, active }) => ({ image, slot, hash: hash === null ? null : toHex(hash), pending, confirmed, active }))
    this.onSight(`${wire.cable.path} says ${list.map((slot) => `${slot.slot}:${slot.hash?.slice(0, 6) ?? 'none'}${slot.active ? ' active' : ''}${slot.confirmed ? ' confirmed' : ''}${slot.pending ? ' pending' : ''}`).join(', ')}`)
    for (const lists of [wire.lists, wire.all]) {
      lists.push(list)
      if (lists.length > listsMax) lists.shift()
    }
  }

  #entry(entry: Entry): void {
    const { data } = entry
    const text = (field: string) => (typeof data[field] === 'string' ? data[field] : '')
    const run = text('run')
    this.onSight(`log: ${text('unit')} ${entry.kind} ${[text('outcome'), text('failure'), text('says')].filter(Boolean).join(' · ')}`)
    if (entry.kind === 'batch-started') this.#proofs = this.#nextProofs
    if (run === '') return
    if (entry.kind === 'run-started') return this.#begin(run, text('unit'), text('port'))
    const passage = this.#passages.get(run)
    if (passage === undefined) return this.wrong(`the log has ${entry.kind} for ${run}, which never started`)
    if (passage.ended) return this.wrong(`${passage.unit}: ${entry.kind} after its outcome`)
    const wire = this.#wires.find((each) => each.cable === passage.cable)!
    const step = this.#steps[entry.kind]
    step?.(passage, wire, text)
  }

  #nextProofs: readonly string[] = this.#proofs

  /** What the next batch's recipe asks before a confirm. */
  expectProofs(proofs: readonly string[]): void {
    this.#nextProofs = proofs
  }

  /** By who it is, since a port's name may be another board's by the time it is read; twins of one number are told by place, or by name. */
  #wireOf(unit: string, port: string): Wire | undefined {
    const alike = this.#wires.filter(({ cable: { place } }) => unit === place.serial || unit === `${place.serial} at 1-${place.bay}`)
    return alike.find(({ cable: { place } }) => unit !== place.serial && unit.endsWith(` at 1-${place.bay}`)) ?? (alike.length === 1 ? alike[0] : alike.find(({ cable }) => cable.path === port))
  }

  #begin(run: string, unit: string, port: string): void {
    const wire = this.#wireOf(unit, port)
    if (wire === undefined) return this.wrong(`${unit} started on ${port}, where nothing is`)
    if (this.#passages.has(run)) this.wrong(`the run ${run} started twice`)
    if (wire.passage !== null && !wire.passage.ended) this.wrong(`${unit}: two runs at once on ${port}`)
    const passage: Passage = { run, unit, cable: wire.cable, allowed: new Set(), openWrites: 0, proofs: new Set(), proposed: new Set(), wanted: new Set(), ended: false }
    this.#passages.set(run, passage)
    wire.passage = passage
    wire.lists = []
    wire.all = []
  }

  readonly #steps: Readonly<Record<string, (passage: Passage, wire: Wire, text: (field: string) => string) => void>> = {
    'slot-write-intended': (passage) => {
      if (passage.openWrites > 0) this.wrong(`${passage.unit}: a slot write is intended while one is open`)
      passage.openWrites++
      passage.allowed.add('write')
    },
    'slot-write-done': (passage, wire, text) => {
      passage.openWrites--
      passage.allowed.delete('write')
      this.#said(passage, wire, 'slot-write-done', (list) => list.some((slot) => (!slot.active || wire.overActive) && slot.hash === text('imageHash')))
    },
    'slot-erase-intended': (passage) => void passage.allowed.add('write'),
    'slot-erased': (passage) => void passage.allowed.delete('write'),
    'unit-data-intended': (passage) => void passage.allowed.add('write'),
    'unit-data-written': (passage) => void passage.allowed.delete('write'),
    'unit-data-failed': (passage) => void passage.allowed.delete('write'),
    'slot-write-failed': (passage, _wire, text) => {
      if (this.expectWholeUploads && text('failure') === 'upload-failed') this.wrong(`${passage.unit}: the upload broke off, though hardly a frame was lost`)
      passage.openWrites--
      passage.allowed.delete('write')
    },
    'mark-intended': (passage, _wire, text) => {
      passage.wanted.add(text('imageHash'))
      this.#intend(passage, 'mark')
    },
    marked: (passage, wire, text) => {
      passage.proposed.delete('mark')
      this.#said(passage, wire, 'marked', (list) => list.some((slot) => !slot.active && slot.pending && slot.hash === text('imageHash')))
    },
    'reset-intended': (passage) => this.#intend(passage, 'reset'),
    reset: (passage) => void passage.proposed.delete('reset'),
    booted: (passage, wire, text) => {
      passage.proposed.delete('reset')
      // A board that runs what was marked has taken the mark, whether or not it got to say so before.
      if (passage.wanted.has(text('activeHash'))) passage.proposed.delete('mark')
      this.#said(passage, wire, 'booted', (list) => list.some((slot) => slot.active && slot.hash === text('activeHash')))
    },
    'image-runs': (passage, wire, text) => this.#said(passage, wire, 'image-runs', (list) => list.some((slot) => slot.image > 0 && slot.hash === text('activeHash'))),
    'proof-passed': (passage, wire, text) => {
      passage.proofs.add(text('proof'))
      if (text('proof') === 'echo' && (wire.echoSent === null || wire.echoHeard !== wire.echoSent)) this.wrong(`${passage.unit}: the echo was never answered, and passed`)
    },
    'confirm-intended': (passage) => this.#intend(passage, 'confirm'),
    confirmed: (passage, wire, text) => {
      passage.proposed.delete('confirm')
      this.#said(passage, wire, 'confirmed', (list) => list.some((slot) => slot.active && slot.confirmed && slot.hash === text('activeHash')))
    },
    outcome: (passage, wire, text) => this.#end(passage, wire, text),
  }

  #intend(passage: Passage, intent: Intent): void {
    passage.allowed.add(intent)
    passage.proposed.add(intent)
  }

  #said(passage: Passage, wire: Wire, what: string, fits: (list: Slot[]) => boolean): void {
    if (!wire.lists.some(fits)) this.wrong(`${passage.unit}: "${what}" is in the log, and the board has not said so`)
  }

  #end(passage: Passage, wire: Wire, text: (field: string) => string): void {
    passage.ended = true
    const outcome = text('outcome')
    const failure = text('failure') === '' ? null : text('failure')
    const activeHash = text('activeHash') === '' ? null : text('activeHash')
    const good = outcome === 'confirmed' || outcome === 'unchanged' || outcome === 'uploaded' || outcome === 'tested'
    if (passage.openWrites !== 0) this.wrong(`${passage.unit}: ended as ${outcome} with ${passage.openWrites} open slot writes`)
    if (good && passage.proposed.size > 0) this.wrong(`${passage.unit}: ended as ${outcome}, and nothing came of the intents ${[...passage.proposed].join(', ')}`)
    if (good !== (failure === null) && outcome !== 'stopped') this.wrong(`${passage.unit}: ended as ${outcome} with the failure ${failure ?? 'none'}`)
    if (text('says').length < 5) this.wrong(`${passage.unit}: ended as ${outcome} without a sentence`)
    if (activeHash !== null && !wire.all.some((list) => list.some((slot) => slot.active && slot.hash === activeHash))) {
      this.wrong(`${passage.unit}: the log says it runs ${activeHash.slice(0, 8)}, and it never said so`)
    }
    if (good || outcome === 'reverted') this.#said(passage, wire, outcome, (list) => list.some((slot) => slot.active && slot.hash === activeHash))
    this.ended.push({ run: passage.run, unit: passage.unit, cable: passage.cable, outcome, failure, activeHash })
    this.onEnded(this.ended.at(-1)!)
  }

  /** On a mended line a lost frame costs a rewind, never an upload: a run that tries again would hide a rewind that goes wrong. */
  expectWholeUploads = false

  /** Told of each outcome the moment it is in the log. */
  onEnded: (ended: Ended) => void = () => {}
}

/** The packets of what goes by on one side. Raw ones come whole, each in a piece of its own, or not at all. */
function hearing(raw: boolean, hears: 'requests' | 'replies'): (bytes: Uint8Array) => Uint8Array[] {
  const decoder = raw ? new RawDecoder({ hears }) : new LineDecoder()
  return (bytes) => {
    if (raw) decoder.reset()
    return decoder.push(bytes)
  }
}

/** What a request changes on a board; null when it only asks. */
function actOf(op: string, group: number, command: number, body: CborMap): Intent | null {
  if (op !== 'write') return null
  if (group === 0 && command === 5) return 'reset'
  if (group === 1 && command === 1) return 'write'
  if (group === 1 && command === 0) return body['confirm'] === true ? 'confirm' : 'mark'
  // Echo, console echo and parameters leave nothing behind on a board.
  return group === 0 && [0, 1, 6].includes(command) ? null : 'write'
}
