// A board whose SMP has a UART of its own: packets as they are, no chatter between them, and whatever a client that
// speaks console lines says first is skipped.
import { expect, test } from 'vitest'
import { failed } from '../../main/base/failure.ts'
import { utf8 } from '../../main/base/bytes.ts'
import { profiles } from '../../main/practice/profiles.ts'
import { simulatedLink } from '../../main/practice/simulated-link.ts'
import { SmpClient } from '../../main/smp/client.ts'
import type { Framing } from '../../main/smp/client.ts'
import { encodeUpload } from '../../main/smp/frames.ts'
import { echo, parameters } from '../../main/smp/os.ts'
import { upload } from '../../main/smp/upload.ts'
import { imageB, rigWith } from './rig.ts'

async function attached(profile: string, framing: Framing) {
  const rig = await rigWith({ profile: { ...profiles[profile]!, imageCheck: false } })
  const link = simulatedLink(rig.board, { clock: rig.clock, baud: 1_000_000 })
  return { ...rig, link, client: new SmpClient(link, rig.clock, { framing }) }
}

test('a raw board takes a whole image in packets of exactly its buffer and repeats nothing', async () => {
  const { client, clock, board } = await attached('practice-raw', 'raw')
  const image = imageB('ecdsa-p256')
  const frames = encodeUpload(image, { bufferBytes: 384, framing: 'raw' })
  if (failed(frames)) throw new Error(frames.says)
  expect(frames.frame(frames.firstChunkBytes, 1)).toHaveLength(384)
  const done = upload(client, clock, frames, { windowMax: 3 })
  await clock.wind(3000)
  expect(await done).toMatchObject({ bytes: image.length, resent: 0, window: 3 })
  expect(board.slots.secondary.area.read(0, image.length)).toEqual(image)
})

test('a packet one byte over the buffer of a raw board is not answered, and the next one is', async () => {
  const { client, clock } = await attached('practice-raw', 'raw')
  const large = client.request(echo, { text: 'x'.repeat(384 + 1 - 8 - 6) }, { timeoutMs: 500 })
  await clock.wind(600)
  expect(await large).toMatchObject({ kind: 'timeout' })
  const next = client.request(parameters, {}, { timeoutMs: 500 })
  await clock.wind(600)
  expect(await next).toEqual({ bufferBytes: 384, bufferCount: 4 })
})

test('console lines said to a raw board are skipped, and the first raw packet behind them is answered', async () => {
  const { client, link, clock } = await attached('practice-raw', 'raw')
  await link.write(utf8('\x06\x09ABEIAAAAAAAAAQAAoEQ4\n\x04\x14ZZZZ\n'))
  await clock.wind(50)
  const answer = client.request(echo, { text: 'there?' }, { timeoutMs: 500 })
  await clock.wind(600)
  expect(await answer).toEqual({ text: 'there?' })
})

test('a raw board sends nothing by itself, not even at its start', async () => {
  const rig = await rigWith({ profile: profiles['practice-raw']! })
  rig.board.reset()
  await rig.clock.wind(5000)
  expect(rig.board.state).toBe('running')
  expect(rig.take()).toHaveLength(0)
})
