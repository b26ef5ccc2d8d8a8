// The practice board answers what Zephyr's own server answered, byte for byte on the wire. Whatever differs is named
// here, with the reason.
import { describe, expect, test } from 'vitest'
import { recordedRig } from '../../main/practice/profiles.ts'
import { LineDecoder } from '../../main/smp/line.ts'
import { decodeMessage } from '../../main/smp/message.ts'
import { failed } from '../../main/base/failure.ts'
import { exchanges } from '../smp/recorded.ts'
import { rigWith } from './rig.ts'
import { asHex, framesOf, tellStory } from './story.ts'

/** Exchanges compared as decoded bodies only, and why. */
const bodyOnly: Readonly<Record<string, string>> = {
  'v0/os-taskstat': 'the rig lists its threads in the order they were started, we by number',
  'v1/os-taskstat': 'the rig lists its threads in the order they were started, we by number',
  'v0/stat-read': 'its tick counts seconds of the recording',
  'v1/stat-read': 'its tick counts seconds of the recording',
}
/** The frame that cr-only leaves without its LF is answered when the LF comes; the recording had thrown that answer away. */
const answeredTwice = 'frame/leading-newlines'
/** `basics` was recorded on an image that is not among the vectors: its hash is put in place of ours. */
const hashOfBasics = 'a05c41073d8e8a0fadba6d3675a929e2c1e42a02f423c1248adedb85913ecf53'
const hashOfA = '222615ed531b1cb3011c66c6c82128e3abca6d89245f1799dd2fe190dbdfaa99'

function bodies(frames: string): unknown[] {
  return new LineDecoder().push(Uint8Array.from(Buffer.from(frames, 'hex'))).map((packet) => {
    const message = decodeMessage(packet)
    if (failed(message)) throw new Error(message.says)
    const body = JSON.parse(JSON.stringify(message.body).replaceAll(/"ticks":[0-9]+/g, '"ticks":0')) as unknown
    return { ...message, body }
  })
}

function cbor(frames: string): string {
  return new LineDecoder().push(Uint8Array.from(Buffer.from(frames, 'hex'))).map((packet) => asHex(packet)).join(' ')
}

describe.each(['basics', 'update-swap-move', 'update-swap-move-image-check'])('%s', (file) => {
  test('every recorded request gets the recorded answer, or the recorded silence', async () => {
    const rig = await rigWith({ profile: { ...recordedRig, imageCheck: file.endsWith('image-check') } })
    const wrong: string[] = []
    let told = 0
    await tellStory(rig, {
      file,
      heard({ exchange, answered }) {
        told++
        const expected = framesOf(exchange)
        const got = asHex(answered)
        if (got === expected) return
        if (exchange.name in bodyOnly && JSON.stringify(bodies(got)) === JSON.stringify(bodies(expected))) return
        if (file === 'basics' && cbor(got).replaceAll(hashOfA, hashOfBasics) === cbor(expected)) return
        if (exchange.name === answeredTwice && got === expected + expected) return
        wrong.push(`${exchange.name}: got ${cbor(got) || 'silence'} instead of ${cbor(expected) || 'silence'}${cbor(got) === cbor(expected) ? ` in lines ${got} / ${expected}` : ''}`)
      },
    })
    expect(wrong).toEqual([])
    expect(told).toBe(exchanges.filter((exchange) => exchange.file === file).length)
  })
})
