// Whatever comes over the wire, a board neither throws nor stops answering, and its running image is left alone.
import fc from 'fast-check'
import { encode } from 'cborg'
import { expect, test } from 'vitest'
import { concat } from '../../main/base/bytes.ts'
import { encodeLines } from '../../main/smp/line.ts'
import { encodeHeader } from '../../main/smp/message.ts'
import { rigWith } from './rig.ts'
import type { Rig } from './rig.ts'

async function stillWell(rig: Rig): Promise<void> {
  // A line feed first: whatever line was begun ends here.
  rig.board.receive(Uint8Array.of(0x0a))
  await rig.clock.wind(2000)
  expect((await rig.ask({ group: 0, command: 0, body: { d: 'well?' } }))?.body).toEqual({ r: 'well?' })
  expect(rig.board.running?.version).toBe('1.0.0')
}

test('random bytes, cut anywhere', async () => {
  const rig = await rigWith()
  await fc.assert(fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 20 }), async (pieces) => {
    for (const piece of pieces) rig.board.receive(piece)
    await stillWell(rig)
  }), { numRuns: 100 })
})

const value = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, fc.integer(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n }), fc.boolean(), fc.constant(null), fc.string({ maxLength: 20 }),
    fc.uint8Array({ maxLength: 64 }), fc.array(tie('value'), { maxLength: 3 }), fc.dictionary(fc.string({ maxLength: 6 }), tie('value'), { maxKeys: 3 })),
})).value

const key = fc.oneof(fc.constantFrom('d', 'off', 'len', 'data', 'sha', 'hash', 'confirm', 'slot', 'upgrade', 'image', 'format', 'query', 'name', '__proto__', 'constructor'), fc.string({ maxLength: 8 }))

test('well-framed requests with every kind of body, to every group and command', async () => {
  const rig = await rigWith()
  const body = fc.oneof(fc.uint8Array({ maxLength: 80 }), fc.array(fc.tuple(key, value), { maxLength: 5 }).map((pairs) => encode(new Map(pairs as [string, unknown][]))))
  await fc.assert(fc.asyncProperty(
    fc.record({ op: fc.integer({ min: 0, max: 7 }), version: fc.integer({ min: 0, max: 3 }), group: fc.oneof(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 0xffff })), command: fc.integer({ min: 0, max: 10 }), stated: fc.option(fc.integer({ min: 0, max: 0xffff })) }),
    body,
    async ({ op, version, group, command, stated }, bytes) => {
      const header = encodeHeader({ op: 'read', version, group, command, seq: 9, bodyBytes: stated ?? bytes.length })
      header[0] = (header[0]! & ~7) | op
      // Forms of nonsense that would legitimately reset the board or start an upload are part of it.
      rig.board.receive(encodeLines(concat(header, bytes)))
      await rig.clock.wind(0)
      await stillWell(rig)
    },
  ), { numRuns: 400 })
})
