// Boards with several images (MCUboot, BOOT_IMAGE_NUMBER above 1): all are written before any is marked, one restart tries
// them, every one is proven, every one is confirmed, and there is one outcome. And files that bring an image for each slot.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Failure } from '../../main/base/failure.ts'
import { plan } from '../../main/line/plan.ts'
import type { ImageFacts, Job, SlotSays } from '../../main/line/state.ts'
import { boardWith, image, jobWith, newHash, oldHash, otherHash, slot, walk } from './making.ts'

const radioOld = '0a'.repeat(32)
const radioNew = '0b'.repeat(32)
const radio: ImageFacts = { ...image, fileName: 'radio.bin', bytes: 40_000, imageBytes: 40_000, fileSha256: 'ab'.repeat(32), hash: radioNew, version: { major: 3, minor: 1, revision: 0, build: 0 } }
const both = (changes: Parameters<typeof jobWith>[0] = {}) => jobWith({ ...changes, others: [{ number: 1, image: radio }] })
const as = (number: number, each: SlotSays): SlotSays => ({ ...each, image: number })
const fresh = boardWith(slot(0, '1.0.0', oldHash, 'active', 'confirmed'), as(1, slot(0, '3.0.0', radioOld, 'active', 'confirmed')))

const planned = (board: Parameters<typeof plan>[0], job: Job = both()): string[] | string => {
  const made = plan(board, job)
  if (made instanceof Failure) return made.kind
  const name = (step: Parameters<typeof Object.values>[0] & { do: string; image?: number }) => (step.image === undefined ? step.do : `${step.do} ${step.image}`)
  return 'steps' in made ? made.steps.map(name) : made.is
}

test('all are written before any is marked, one restart tries them, all are confirmed, the application last', () => {
  const { state, steps, record } = walk(both(), fresh)
  expect(steps.map((step) => step.do)).toEqual([
    'identify', 'upload', 'check-slot', 'upload', 'check-slot', 'mark', 'mark', 'reset', 'await-return', 'prove', 'prove', 'prove', 'confirm', 'confirm', 'check-confirmed',
  ])
  expect(steps.flatMap((step) => (step.do === 'confirm' ? [step.hash] : []))).toEqual([radioNew, null])
  expect(state.ending).toMatchObject({ outcome: 'confirmed', activeHash: newHash })
  expect(state.ending.says).toContain('3.1.0 as image 1')
  expect(record.filter((entry) => entry.kind === 'slot-write-done').map((entry) => entry.data)).toMatchObject([{ image: 0, slotHash: newHash }, { image: 1, slotHash: radioNew }])
  expect(record.filter((entry) => entry.kind === 'image-runs').at(-1)?.data).toMatchObject({ image: 1, activeHash: radioNew, confirmed: true })
  expect(record.filter((entry) => entry.kind === 'outcome')).toHaveLength(1)
})

test('an older server that calls only the application active is read all the same', () => {
  const quiet = boardWith(slot(0, '1.0.0', oldHash, 'active', 'confirmed'), as(1, slot(0, '3.1.0', radioNew, 'confirmed')))
  expect(planned(quiet)).toEqual(['upload 0', 'check-slot 0', 'mark 0', 'reset', 'await-return', 'prove', 'prove', 'prove', 'confirm', 'confirm', 'check-confirmed'])
})

test('an image that is there already is not sent again, and a board that has both is left alone', () => {
  expect(planned(boardWith(slot(0, '1.1.0', newHash, 'active', 'confirmed'), as(1, slot(0, '3.0.0', radioOld, 'active', 'confirmed'))))).toEqual(expect.arrayContaining(['upload 1']))
  expect(planned(boardWith(slot(0, '1.1.0', newHash, 'active', 'confirmed'), as(1, slot(0, '3.1.0', radioNew, 'active', 'confirmed'))))).toBe('unchanged')
})

test('one on test without the other is taken back first: they are tried together or not at all', () => {
  const half = boardWith(slot(0, '1.1.0', newHash, 'active'), slot(1, '1.0.0', oldHash, 'confirmed'), as(1, slot(0, '3.0.0', radioOld, 'active', 'confirmed')))
  expect(planned(half)).toEqual(['reset', 'await-return'])
  expect(walk(both(), half).state.ending.outcome).toBe('confirmed')
})

test('a half-done update of the other image is cleared before anything is sent', () => {
  const pending = boardWith(slot(0, '1.0.0', oldHash, 'active', 'confirmed'), as(1, slot(0, '3.0.0', radioOld, 'active', 'confirmed')), as(1, slot(1, '3.0.5', otherHash, 'pending')))
  expect(planned(pending)).toEqual(['reset', 'await-return'])
  expect(walk(both(), pending).state.ending.outcome).toBe('confirmed')
})

test('a bootloader that swaps only one of them is no success, and the sentence names the image', () => {
  const { state } = walk(both(), fresh, (step, board) => {
    if (step.do !== 'reset') return undefined
    board.slots = [slot(0, '1.1.0', newHash, 'active'), slot(1, '1.0.0', oldHash, 'confirmed'), as(1, slot(0, '3.0.0', radioOld, 'active', 'confirmed'))]
    return { is: 'stepDone', said: { of: 'nothing' }, tookMs: 1 }
  })
  expect(state.ending).toMatchObject({ outcome: 'failed', failure: { kind: 'not-swapped' } })
  expect(state.ending.says).toContain('image 1 is still the old one')
})

test('a proof that fails takes every one of them back', () => {
  const { state } = walk(both(), fresh, (step) => (step.do === 'prove' && step.proof === 'echo' ? { is: 'stepDone', said: { of: 'echo', sent: 'a', answered: 'b' }, tookMs: 1 } : undefined))
  expect(state.ending).toMatchObject({ outcome: 'reverted', activeHash: oldHash })
})

test('an image that stays although its proof failed is not called reverted', () => {
  const { state } = walk(both(), fresh, (step, board) => {
    if (step.do === 'prove' && step.proof === 'echo') return { is: 'stepDone', said: { of: 'echo', sent: 'a', answered: 'b' }, tookMs: 1 }
    if (step.do !== 'reset' || step.purpose !== 'revert') return undefined
    board.slots = [slot(0, '1.0.0', oldHash, 'active', 'confirmed'), as(1, slot(0, '3.1.0', radioNew, 'active'))]
    return { is: 'stepDone', said: { of: 'nothing' }, tookMs: 1 }
  })
  expect(state.ending).toMatchObject({ outcome: 'failed', failure: { kind: 'not-reverted' } })
})

test('one confirm that does not stick is tried again, and then everything goes back', () => {
  const { state, steps } = walk(both(), fresh, (step) => (step.do === 'confirm' && step.hash === radioNew ? { is: 'stepDone', said: { of: 'nothing' }, tookMs: 1 } : undefined))
  expect(steps.filter((step) => step.do === 'confirm').length).toBeGreaterThan(2)
  expect(state.ending.outcome).not.toBe('confirmed')
})

describe('dependencies', () => {
  const needs = (least: number) => both({ image: { dependencies: [{ image: 1, version: { major: 3, minor: least, revision: 0, build: 0 } }] } })
  const alone = (least: number) => jobWith({ image: { dependencies: [{ image: 1, version: { major: 3, minor: least, revision: 0, build: 0 } }] } })

  test('that the file itself meets are met', () => {
    expect(planned(fresh, needs(1))).toContain('upload 0')
  })

  test('that nothing meets are said before the first byte', () => {
    expect(planned(fresh, needs(2))).toBe('dependency-unmet')
    expect(planned(fresh, alone(1))).toBe('dependency-unmet')
    expect(planned(fresh, alone(0))).toContain('upload 0')
  })

  test('on a board with one image are not looked at, as its bootloader does not', () => {
    expect(planned(boardWith(slot(0, '1.0.0', oldHash, 'active', 'confirmed')), alone(9))).toContain('upload 0')
  })

  test('on an image that a board with several does not have are not met', () => {
    const third = jobWith({ image: { dependencies: [{ image: 2, version: { major: 0, minor: 0, revision: 1, build: 0 } }] } })
    expect(planned(fresh, third)).toBe('dependency-unmet')
  })
})

test('an image for a number that the board does not list is refused, since nobody could prove it', () => {
  expect(planned(boardWith(slot(0, '1.0.0', oldHash, 'active', 'confirmed')))).toBe('image-not-listed')
})

describe('a network core that is listed by its upgrade slot alone (nRF5340)', () => {
  const inMode = (slots: SlotSays[], slotBytes: ReturnType<typeof boardWith>['slotBytes'] = [0, 1].flatMap((place) => [{ image: 0, slot: place, bytes: 0x69000 }, { image: 1, slot: place, bytes: 0x40000 }])) => ({ ...boardWith(...slots), mode: 'overwrite-only' as const, slotBytes })
  const old = slot(0, '1.0.0', oldHash, 'active', 'confirmed')
  const app = slot(0, '1.1.0', newHash, 'active', 'confirmed')
  const waiting = as(1, slot(1, '3.1.0', radioNew))
  /** MCUboot overwrites both, and hands image 1 over to where nobody sees it. */
  const obeys = (step: Parameters<NonNullable<Parameters<typeof walk>[2]>>[0], board: { slots: SlotSays[] }) => {
    if (step.do !== 'reset') return undefined
    board.slots = [app]
    return { is: 'stepDone', said: { of: 'nothing' }, tookMs: 1 } as const
  }

  test('it is written, marked and tried with the application, and that nobody will see it run is said before', () => {
    const { state, steps, record } = walk(both(), inMode([old]), obeys)
    expect(steps.map((step) => step.do)).toEqual(['identify', 'upload', 'check-slot', 'upload', 'check-slot', 'mark', 'mark', 'reset', 'await-return', 'prove', 'prove', 'prove', 'confirm', 'check-confirmed'])
    expect(state.ending).toMatchObject({ outcome: 'confirmed', activeHash: newHash })
    expect(state.ending.says).toContain('never lists as running')
    const notes = record.filter(({ kind }) => kind === 'preflight-note').map(({ data }) => 'note' in data && data.note)
    expect(notes).toEqual(['no-way-back', 'not-listed'])
    expect(record.findIndex(({ kind }) => kind === 'preflight-note')).toBeLessThan(record.findIndex(({ kind }) => kind === 'slot-write-intended'))
    expect(record.filter(({ kind }) => kind === 'image-runs')).toEqual([])
  })

  test('a bootloader that leaves it in its slot has not taken it, and that is no success', () => {
    const { state } = walk(both(), inMode([old]), (step, board) => {
      if (step.do !== 'reset') return undefined
      board.slots = [app, { ...waiting, pending: true }]
      return { is: 'stepDone', said: { of: 'nothing' }, tookMs: 1 }
    })
    expect(state.ending).toMatchObject({ outcome: 'failed', failure: { kind: 'not-swapped' } })
  })

  test('an application that is there already does not stand for a network core that nobody can see', () => {
    expect(planned(inMode([app]))).toEqual(['upload 1', 'check-slot 1', 'mark 1', 'reset', 'await-return', 'prove', 'prove', 'prove', 'confirm', 'check-confirmed'])
    expect(planned(inMode([slot(0, '1.1.0', newHash, 'active')]))).toEqual(expect.arrayContaining(['upload 1', 'confirm']))
    expect(planned(inMode([app, waiting]))).toEqual(['mark 1', 'reset', 'await-return', 'prove', 'prove', 'prove', 'confirm', 'check-confirmed'])
  })

  test('a board that tells its slots and has none for it is refused; one that does not tell is found out before anything is marked', () => {
    expect(planned(inMode([old], [{ image: 0, slot: 0, bytes: 0x69000 }, { image: 0, slot: 1, bytes: 0x69000 }]))).toBe('image-not-listed')
    const { state, steps } = walk(both(), inMode([old], []), (step, board) => {
      if (step.do !== 'upload') return undefined
      // A server for one image takes any number for it.
      board.slots = [old, slot(1, '1.1.0', step.image === 0 ? newHash : radioNew)]
      return { is: 'stepDone', said: { of: 'nothing' }, tookMs: 1 }
    })
    expect(state.ending).toMatchObject({ outcome: 'failed', failure: { kind: 'image-not-listed' }, activeHash: oldHash })
    expect(steps.some((step) => step.do === 'mark' || step.do === 'reset')).toBe(false)
  })

  test('whatever such a board lists, the run ends, and a slot that still holds the image is never called confirmed', () => {
    const anySlot = fc.record({
      image: fc.nat(1), slot: fc.constant(1), version: fc.constantFrom('1.1.0', '3.0.0', '3.1.0'), hash: fc.constantFrom(newHash, radioOld, radioNew, null),
      bootable: fc.boolean(), pending: fc.boolean(), confirmed: fc.boolean(), active: fc.constant(false), permanent: fc.boolean(),
    })
    fc.assert(fc.property(fc.uniqueArray(anySlot, { maxLength: 2, selector: (each) => each.image }), fc.constantFrom(old, app, slot(0, '1.1.0', newHash, 'active')), fc.boolean(), fc.constantFrom('test-and-confirm', 'test-only', 'upload-only'), (slots, runs, takes, mode) => {
      let kept: readonly SlotSays[] = []
      const { state } = walk(both({ recipe: { mode, allowDowngrade: true } }), inMode([runs, ...slots]), (step, board) => {
        kept = board.slots
        if (step.do !== 'reset') return undefined
        board.slots = takes ? [app] : [app, ...board.slots.filter((each) => each.image === 1)]
        return { is: 'stepDone', said: { of: 'nothing' }, tookMs: 1 }
      })
      if (state.ending.outcome === 'confirmed' || state.ending.outcome === 'unchanged') expect(kept.filter((each) => each.image === 1 && each.hash === radioNew)).toEqual([])
    }), { numRuns: 500 })
  })
})

test('serial recovery takes one image only', () => {
  expect(planned({ ...boardWith(slot(0, '1.0.0', oldHash, 'confirmed')), recovery: true })).toBe('one-image-only')
})

test('each image is measured against its own slots', () => {
  const tight = { ...fresh, slotBytes: [0, 1].flatMap((place) => [{ image: 0, slot: place, bytes: 0x69000 }, { image: 1, slot: place, bytes: 0x8000 }]) }
  expect(planned(tight)).toBe('image-too-large')
})

describe('compressed and encrypted', () => {
  const packed = { hash: otherHash, runsHash: newHash, compressed: true } as const

  test('a compressed image is refused where the bootloader swaps, and proven by its unpacked hash where it overwrites', () => {
    expect(planned(boardWith(slot(0, '1.0.0', oldHash, 'active', 'confirmed')), jobWith({ image: packed }))).toBe('compressed')
    const over = { ...boardWith(slot(0, '1.0.0', oldHash, 'active', 'confirmed')), mode: 'overwrite-only' as const }
    const { state } = walk(jobWith({ image: packed }), over, (step, board) => {
      if (step.do !== 'reset') return undefined
      board.slots = [slot(0, '1.1.0', newHash, 'active', 'confirmed')]
      return { is: 'stepDone', said: { of: 'nothing' }, tookMs: 1 }
    })
    expect(state.ending).toMatchObject({ outcome: 'confirmed', activeHash: newHash })
    expect(planned({ ...boardWith(slot(0, '1.1.0', newHash, 'active', 'confirmed')), mode: 'overwrite-only' }, jobWith({ image: packed }))).toBe('unchanged')
  })

  test('an encrypted image that the bootloader throws away is said to lack its key, among the likely reasons', () => {
    const { state } = walk(jobWith({ image: { encrypted: true } }), boardWith(slot(0, '1.0.0', oldHash, 'active', 'confirmed')), (step, board) => {
      if (step.do !== 'reset') return undefined
      board.slots = [slot(0, '1.0.0', oldHash, 'active', 'confirmed')]
      return { is: 'stepDone', said: { of: 'nothing' }, tookMs: 1 }
    })
    expect(state.ending.says).toContain('encrypted')
  })
})

describe('one image for each slot of a direct-xip board', () => {
  const high: ImageFacts = { ...image, hash: otherHash, fileSha256: 'cd'.repeat(32) }
  const job = jobWith({ variants: [{ slot: 0, image }, { slot: 1, image: high }] })
  const inMode = (...slots: SlotSays[]) => ({ ...boardWith(...slots), mode: 'direct-xip' as const })
  const sent = (board: Parameters<typeof plan>[0]) => {
    const made = plan(board, job)
    return !(made instanceof Failure) && made.is === 'update' ? made.steps.flatMap((step) => (step.do === 'upload' ? [`${step.slot} ${step.fileSha256.slice(0, 2)}`] : [])) : made
  }

  test('the one for the free slot is sent', () => {
    expect(sent(inMode(slot(0, '1.0.0', oldHash, 'active', 'confirmed')))).toEqual(['1 cd'])
    expect(sent(inMode(slot(1, '1.0.0', oldHash, 'active', 'confirmed')))).toEqual(['0 ee'])
  })

  test('a board that runs either of them has the update', () => {
    expect(plan(inMode(slot(1, '1.1.0', otherHash, 'active', 'confirmed')), job)).toEqual({ is: 'unchanged' })
    expect(plan(inMode(slot(0, '1.1.0', newHash, 'active', 'confirmed')), job)).toEqual({ is: 'unchanged' })
  })

  test('what was sent is what is proven', () => {
    const start = inMode(slot(0, '1.0.0', oldHash, 'active', 'confirmed'))
    const { state } = walk(job, start, (step, board) => {
      if (step.do === 'upload') board.slots = [...board.slots, slot(1, '1.1.0', step.fileSha256 === high.fileSha256 ? otherHash : newHash, 'pending', 'permanent')]
      if (step.do === 'reset') board.slots = [slot(0, '1.0.0', oldHash), slot(1, '1.1.0', otherHash, 'active', 'confirmed')]
      return step.do === 'upload' || step.do === 'reset' ? { is: 'stepDone', said: { of: 'nothing' }, tookMs: 1 } : undefined
    })
    expect(state.ending).toMatchObject({ outcome: 'confirmed', activeHash: otherHash })
  })
})

test('from any list of two images the run ends, and confirmed means that every image is', () => {
  const anySlot = fc.record({
    image: fc.nat(1), slot: fc.nat(1), version: fc.constantFrom('1.0.0', '1.1.0', '3.0.0', '3.1.0'), hash: fc.constantFrom(oldHash, newHash, radioOld, radioNew, null),
    bootable: fc.boolean(), pending: fc.boolean(), confirmed: fc.boolean(), active: fc.boolean(), permanent: fc.boolean(),
  })
  fc.assert(fc.property(fc.uniqueArray(anySlot, { maxLength: 4, selector: (each) => `${each.image}/${each.slot}` }), fc.constantFrom('test-and-confirm', 'test-only', 'upload-only'), (slots, mode) => {
    let kept: readonly SlotSays[] = []
    const { state } = walk(both({ recipe: { mode, allowDowngrade: true } }), boardWith(...slots), (_step, board) => {
      kept = board.slots
      return undefined
    })
    if (state.ending.outcome !== 'confirmed') return
    for (const [number, hash] of [[0, newHash], [1, radioNew]] as const) {
      const runs = kept.find((each) => each.image === number && each.active) ?? kept.find((each) => each.image === number && each.slot === 0)
      expect(runs).toMatchObject({ hash, confirmed: true })
    }
  }), { numRuns: 2000 })
})
