// The other side of the vectors: a whole run against the answers that Zephyr and MCUboot really gave, byte for byte but for
// the sequence number, the echoed text and, since our chunks are longer than the recorded ones, the offsets of an upload. What
// the practice board answers plays no part here.
import { expect, test } from 'vitest'
import { assert, failed } from '../../main/base/failure.ts'
import { concat } from '../../main/base/bytes.ts'
import type { EntryDraft } from '../../main/log/entry.ts'
import { replyLines } from '../../main/practice/reply-lines.ts'
import { runJob } from '../../main/station/runner.ts'
import type { RunEnd } from '../../main/station/runner.ts'
import { encodeUpload } from '../../main/smp/frames.ts'
import { LineDecoder } from '../../main/smp/line.ts'
import type { Link } from '../../main/smp/link.ts'
import { decodeMessage, encodeHeader, encodeIndefinite, replyOp } from '../../main/smp/message.ts'
import type { SmpMessage } from '../../main/smp/message.ts'
import type { Port } from '../../main/station/ports.ts'
import { jobWith } from '../line/making.ts'
import { imageB } from '../practice/rig.ts'
import { exchanges, hex } from '../smp/recorded.ts'
import { WoundClock } from '../smp/wound-clock.ts'

const hashOfB = 'e2bcf8cdf1c5094ab400fde3d2f4d5d2fb59ad1b1cbe364b654d55d1af987f86'
const strangersHash = '0472d7fa8078de73de22e616fa7c771a09acf6590fd23499f5016dc5c3c57480'

/** Names of recorded exchanges: what the server says of its slots at first, and what it answers to each act, in order. */
type Story = Readonly<{
  file?: string
  state: string
  /** The answer to the first chunk; absent: the image is taken. */
  upload?: string
  uploaded?: string
  mark?: readonly [answer: string, state: string]
  resets: readonly string[]
  confirm?: readonly [answer: string, state: string]
  echo?: 'answers' | 'answers-wrongly'
}>

function recorded(file: string, name: string): Uint8Array {
  const exchange = exchanges.find((each) => each.file === file && each.name === name)
  assert(exchange?.responses.length === 1, `${file} has ${name}, answered once`)
  return hex(exchange.responses[0]!.cbor_hex)
}

class RecordedServer implements Link {
  readonly name = '/dev/recorded'
  readonly asked: string[] = []
  readonly #clock: WoundClock
  readonly #story: Story
  readonly #bytes: number
  readonly #decoder = new LineDecoder()
  readonly #listeners = new Set<(bytes: Uint8Array) => void>()
  #state: string
  #resets = 0
  #off = 0

  constructor(clock: WoundClock, story: Story, bytes: number) {
    this.#clock = clock
    this.#story = story
    this.#bytes = bytes
    this.#state = story.state
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (const packet of this.#decoder.push(bytes)) {
      const request = decodeMessage(packet)
      if (failed(request)) throw new Error(request.says)
      const body = this.#answer(request)
      if (body === null) continue
      const header = encodeHeader({ op: replyOp(request.op as 'read' | 'write'), version: 1, group: request.group, seq: request.seq, command: request.command, bodyBytes: body.length })
      this.#clock.after(2, () => {
        for (const listener of [...this.#listeners]) listener(replyLines(concat(header, body)))
      })
    }
  }

  #answer({ op, group, command, body }: SmpMessage): Uint8Array | null {
    const { file = 'update-swap-move', upload, mark, confirm, echo = 'answers' } = this.#story
    const say = (name: string) => {
      this.asked.push(name)
      return recorded(file, name)
    }
    const basics: Record<string, string> = { '0 6': 'v1/mcumgr-params', '0 8': 'query' in body ? 'v1/bootloader-info-mode' : 'v1/bootloader-info', '1 6': 'v1/slot-info' }
    const basic = basics[`${group} ${command}`]
    if (basic !== undefined) return recorded('basics', basic)
    if (group === 0 && command === 0) return encodeIndefinite({ r: echo === 'answers' ? String(body['d']) : 'sensor 2 is silent' })
    if (group === 0 && command === 5) {
      this.#state = this.#story.resets[this.#resets++] ?? this.#state
      return recorded(file, 'test/reset')
    }
    if (group === 1 && command === 1) {
      if (upload !== undefined) return say(upload)
      const off = Number(body['off'])
      if (off === this.#off) this.#off += (body['data'] as Uint8Array).length
      if (this.#off === this.#bytes) this.#state = this.#story.uploaded ?? this.#state
      return encodeIndefinite({ off: this.#off })
    }
    assert(group === 1 && command === 0, 'a run asks nothing else')
    if (op === 'read') return say(this.#state)
    const [answer, after] = (body['confirm'] === true ? confirm : mark) ?? []
    assert(answer !== undefined && after !== undefined, 'the story has this act')
    this.#state = after
    return say(answer)
  }

  onBytes(listener: (bytes: Uint8Array) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  onClosed(): () => void {
    return () => {}
  }

  async close(): Promise<void> {}
}

async function runAgainst(story: Story, image: { hash: string; bytes: Uint8Array; version: [number, number, number, number] }): Promise<{ end: RunEnd; kinds: string[]; asked: string[] }> {
  const clock = new WoundClock()
  const server = new RecordedServer(clock, story, image.bytes.length)
  const port: Port = { path: '/dev/recorded', unit: 'R-1', serial: 'R-1', bay: 1, place: null, maker: null, usb: null, practice: true }
  const [major, minor, revision, build] = image.version
  const job = jobWith({ image: { hash: image.hash, bytes: image.bytes.length, imageBytes: image.bytes.length, version: { major, minor, revision, build } } })
  const kinds: string[] = []
  const end = await clock.settle(runJob({ ...job, unit: 'R-1' }, {
    clock,
    ports: { list: () => [port], onChange: () => () => {}, open: async () => server, addFolder: () => Promise.reject(new Error('no folders')), close: async () => {} },
    record: async (drafts: readonly EntryDraft[]) => {
      kinds.push(...drafts.map(({ kind }) => kind))
      return null
    },
    frames: (bufferBytes, framing) => encodeUpload(image.bytes, { bufferBytes, framing }),
    nonce: () => 'ping',
    askOperator: async () => null,
    spoken: { framing: 'console' },
  }, { onMove: () => {}, onProgress: () => {} }, new AbortController().signal))
  expect(clock.pending).toBe(0)
  return { end, kinds, asked: server.asked }
}

const b = { hash: hashOfB, bytes: imageB('ecdsa-p256'), version: [1, 1, 0, 7] as [number, number, number, number] }
const stranger = { hash: strangersHash, bytes: imageB('ecdsa-p256').subarray(0, 5_663), version: [2, 0, 0, 0] as [number, number, number, number] }
const update: Story = { state: 'start/state', uploaded: 'good/state', mark: ['confirm/test', 'good/state-pending'], resets: ['test/state-after-swap', 'revert/state'], confirm: ['confirm/confirm', 'confirm/state-confirmed'] }

test.each(['update-swap-move', 'update-swap-move-image-check'])('%s: the recorded update is confirmed, with every answer taken for what it was', async (file) => {
  const { end, kinds, asked } = await runAgainst({ ...update, file }, b)
  expect(end.ending).toMatchObject({ outcome: 'confirmed', activeHash: hashOfB, version: '1.1.0.7' })
  expect(kinds).toEqual([
    'run-started', 'slot-write-intended', 'slot-write-done', 'mark-intended', 'marked', 'reset-intended', 'reset', 'booted',
    'proof-passed', 'proof-passed', 'proof-passed', 'confirm-intended', 'confirmed', 'outcome',
  ])
  expect(asked).toEqual(['start/state', 'good/state', 'confirm/test', 'good/state-pending', 'test/state-after-swap', 'test/state-after-swap', 'test/state-after-swap', 'confirm/confirm', 'confirm/state-confirmed'])
})

test('the recorded revert: a firmware that fails its proof is back on 1.0.0 by the recorded word', async () => {
  const { end } = await runAgainst({ ...update, echo: 'answers-wrongly' }, b)
  expect(end.ending).toMatchObject({ outcome: 'reverted', version: '1.0.0', failure: { kind: 'proof-failed' } })
})

test('the stranger\'s image that MCUboot threw away, and the damaged one, are told as not swapped', async () => {
  const strange = await runAgainst({ ...update, uploaded: 'wrongkey/state', mark: ['wrongkey/test', 'wrongkey/test'], resets: ['wrongkey/state-after'] }, stranger)
  expect(strange.end.ending).toMatchObject({ outcome: 'failed', failure: { kind: 'not-swapped' }, version: '1.0.0' })
  const corrupt = await runAgainst({ ...update, uploaded: 'corrupt/state', mark: ['corrupt/test', 'corrupt/test'], resets: ['corrupt/state-after'] }, b)
  expect(corrupt.end.ending).toMatchObject({ outcome: 'failed', failure: { kind: 'not-swapped' } })
})

test('an upload that the server refuses while an image is unconfirmed ends with its own words, and nothing stays open in the log', async () => {
  const { end, kinds } = await runAgainst({ ...update, upload: 'test/upload-while-unconfirmed' }, b)
  expect(end.ending).toMatchObject({ outcome: 'failed', failure: { kind: 'upload-refused', facts: { group: 1, rc: 9 } } })
  expect(kinds).toEqual(['run-started', 'slot-write-intended', 'slot-write-failed', 'outcome'])
})

test('an update that somebody left marked is tried without a byte of the image', async () => {
  const { end, kinds } = await runAgainst({ ...update, state: 'good/state-pending' }, b)
  expect(end.ending.outcome).toBe('confirmed')
  expect(kinds).not.toContain('slot-write-intended')
})

test('a board that is marked to go back for good is led through it, and then to the goal', async () => {
  const { end, kinds } = await runAgainst({ ...update, state: 'perm/state', resets: ['perm/state-after', 'test/state-after-swap'] }, b)
  expect(end.ending.outcome).toBe('confirmed')
  expect(kinds.filter((kind) => kind === 'reset-intended')).toHaveLength(2)
})
