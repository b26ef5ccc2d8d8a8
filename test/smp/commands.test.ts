// The tables of codes are whole, and no reply body, however strange, gets past the decoders as something it is not.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Failure } from '../../main/base/failure.ts'
import { smpGroup } from '../../main/smp/commands.ts'
import { boardError, errorFromReply, imageCode, isNotSupported, mgmtCode, osCode } from '../../main/smp/errors.ts'
import { eraseSlot, imageState, slotInfo, upload } from '../../main/smp/image.ts'
import type { CborMap, CborValue } from '../../main/smp/message.ts'
import { appInfo, bootloaderMode, bootloaderName, dateTime, echo, parameters, reset, taskStatistics } from '../../main/smp/os.ts'

describe('codes', () => {
  test.each([
    ['plain', null, mgmtCode, 13],
    ['image', smpGroup.image, imageCode, 34],
    ['operating system', smpGroup.os, osCode, 6],
  ] as const)('%s: each has a reason of its own and a sentence that says what to do', (_, group, codes, last) => {
    const listed = Object.values(codes).filter((code) => code > 0 && code <= last)
    expect(listed).toEqual(Array.from({ length: last }, (_, i) => i + 1))
    const errors = listed.map((code) => boardError(group, code))
    expect(new Set(errors.map(({ reason }) => reason)).size).toBe(last)
    for (const { reason, title, next } of errors) {
      expect(reason).not.toBe('unlisted-code')
      expect(title).toMatch(/^[a-z]/)
      expect(next).toMatch(/^[A-Z].*\.$/)
    }
  })

  test('codes nobody knows are told by their number', () => {
    expect(boardError(smpGroup.files, 77).title).toContain('code 77 of group 8')
    expect(boardError(null, 99).title).toContain('99')
    expect(boardError(null, 300)).toMatchObject({ reason: 'user-code' })
  })

  test.each([
    [{}, null],
    [{ rc: 0 }, null],
    [{ err: { group: 1, rc: 0 } }, null],
    [{ rc: 8 }, 'not-supported'],
    [{ err: { group: 1, rc: 30 } }, 'image-too-large'],
    [{ err: { group: 1, rc: 30 }, rc: 0 }, 'image-too-large'],
    [{ rc: 'no' }, 'unlisted-code'],
    [{ err: [] }, 'unlisted-code'],
    [{ err: { group: 1 } }, 'unlisted-code'],
  ] as const)('%j', (body, reason) => {
    const refusal = errorFromReply(body, 'it')
    expect(refusal === null ? null : refusal.facts['reason']).toBe(reason)
  })

  test('only a plain 8 means that the command is missing', () => {
    const of = (body: CborMap) => isNotSupported(errorFromReply(body, 'it')!)
    expect([of({ rc: 8 }), of({ rc: 3 }), of({ err: { group: 1, rc: 8 } })]).toEqual([true, false, false])
  })
})

describe('hostile bodies', () => {
  const leaf = fc.oneof(
    fc.integer(), fc.double(), fc.boolean(), fc.string({ maxLength: 50 }), fc.uint8Array({ maxLength: 70 }), fc.constant(null), fc.bigInt(),
  ) as fc.Arbitrary<CborValue>
  const names = ['r', 'images', 'slots', 'slot', 'size', 'version', 'hash', 'active', 'image', 'off', 'match', 'buf_size', 'buf_count', 'tasks', 'prio', 'output', 'mode', 'datetime', 'toString', '__proto__']
  const { body } = fc.letrec<{ value: CborValue; body: CborMap }>((tie) => ({
    value: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie('value'), { maxLength: 4 }), tie('body')),
    body: fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 10 }),
  }))

  test('each decoder answers with its shape or with garbled, never with an exception', () => {
    const decoders = [echo, parameters, appInfo, bootloaderName, bootloaderMode, taskStatistics, dateTime, imageState, slotInfo, upload, eraseSlot, reset]
    fc.assert(
      fc.property(body, fc.constantFrom(...decoders), (hostile, command) => {
        const reply = command.decode(hostile) as unknown
        if (reply instanceof Failure) expect(reply.kind).toBe('garbled')
        else expect(typeof reply).toBe('object')
        errorFromReply(hostile, command.name)
      }),
      { numRuns: 3000 },
    )
  })

  const slot = { slot: 1, version: '1.0.0', hash: new Uint8Array(32) }
  test.each([
    ['a hash of 31 bytes', { images: [{ ...slot, hash: new Uint8Array(31) }] }],
    ['a version of a thousand characters', { images: [{ ...slot, version: '1'.repeat(1000) }] }],
    ['a slot that is no number', { images: [{ ...slot, slot: 'one' }] }],
    ['a flag that is 1 instead of true', { images: [{ ...slot, active: 1 }] }],
    ['a hundred slots', { images: Array.from({ length: 100 }, (_, i) => ({ ...slot, slot: i })) }],
    ['no list at all', {}],
  ])('an image list with %s is garbled', (_, hostile) => {
    expect(imageState.decode(hostile as CborMap)).toMatchObject({ kind: 'garbled' })
  })

  test('a list without hash, flags and image number is an older build\'s', () => {
    expect(imageState.decode({ images: [{ slot: 0, version: '1.2.3' }] })).toEqual({
      slots: [{ image: 0, slot: 0, version: '1.2.3', hash: null, bootable: false, pending: false, confirmed: false, active: false, permanent: false }],
      splitStatus: null,
    })
  })

  test('slot sizes, and a slot that could not be measured', () => {
    expect(slotInfo.decode({ images: [{ image: 0, slots: [{ slot: 0, size: 430080 }, { slot: 1, rc: 10 }], max_image_size: 421888 }] })).toEqual({
      images: [{ image: 0, slots: [{ slot: 0, sizeBytes: 430080, uploadImage: null }, { slot: 1, sizeBytes: null, uploadImage: null }], maxImageBytes: 421888 }],
    })
  })

  test('text from a board cannot move the cursor of a terminal', () => {
    expect(appInfo.decode({ output: 'Zephyr\u001b[2J\r\u0007' })).toEqual({ output: 'Zephyr·[2J··' })
  })
})
