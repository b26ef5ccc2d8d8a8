// What each of MCUboot's modes changes about a plan: which slot is written, whether a mark goes out, what is refused before
// the first byte because the bootloader would never run it, and what is said where there is no way back.
import { describe, expect, test } from 'vitest'
import { Failure } from '../../main/base/failure.ts'
import { plan } from '../../main/line/plan.ts'
import { largestFor } from '../../main/line/recipe.ts'
import type { BoardSays, Job } from '../../main/line/state.ts'
import type { SwapMode } from '../../main/smp/os.ts'
import { boardWith, freshBoard, jobWith, newHash, oldHash, otherHash, slot, walk } from './making.ts'

const inMode = (mode: SwapMode, board: BoardSays = freshBoard): BoardSays => ({ ...board, mode })

function planned(board: BoardSays, job: Job = jobWith()): string[] | string {
  const made = plan(board, job)
  if (made instanceof Failure) return made.kind
  return 'steps' in made ? made.steps.map((step) => (step.do === 'upload' ? `upload ${step.slot}` : step.do)) : made.is
}

const prove = ['prove', 'prove', 'prove', 'confirm', 'check-confirmed']

describe.each(['direct-xip', 'ram-load'] as const)('%s', (mode) => {
  const job = jobWith({ image: { ramLoad: mode === 'ram-load' } })

  test('an uploaded newer image needs no mark, and goes into whichever slot does not run', () => {
    expect(planned(inMode(mode), job)).toEqual(['upload 1', 'check-slot', 'reset', 'await-return', ...prove])
    expect(planned(inMode(mode, boardWith(slot(1, '1.0.0', oldHash, 'active', 'confirmed'))), job)).toEqual(['upload 0', 'check-slot', 'reset', 'await-return', ...prove])
  })

  test('an image that is not newer would never start and is refused, also when the recipe allows a step back', () => {
    const newer = inMode(mode, boardWith(slot(0, '1.1.0.9', oldHash, 'active', 'confirmed')))
    expect(planned(newer, jobWith({ image: { ramLoad: mode === 'ram-load' }, recipe: { allowDowngrade: true } }))).toBe('not-newer')
  })

  test('another pending image is written over, since nothing protects it', () => {
    const pending = inMode(mode, boardWith(slot(0, '1.0.0', oldHash, 'active', 'confirmed'), slot(1, '2.0.0', otherHash, 'pending', 'permanent')))
    expect(planned(pending, job)).toEqual(['upload 1', 'check-slot', 'reset', 'await-return', ...prove])
  })

  test('a newer image beside the wanted one that runs is erased, with a word before and after, instead of being booted', () => {
    const beside = inMode(mode, boardWith(slot(0, '1.1.0', newHash, 'active', 'confirmed'), slot(1, '2.0.0', otherHash, 'pending', 'permanent')))
    const walked = walk(job, beside)
    expect(walked.steps.map((step) => step.do)).toEqual(['identify', 'erase', 'check-erased', 'identify'])
    expect(walked.record.map((entry) => entry.kind)).toEqual(['run-started', 'slot-erase-intended', 'slot-erased', 'outcome'])
    expect(walked.state.ending.outcome).toBe('unchanged')
  })

  test('a board that keeps the newer image although it was told to erase it is given up', () => {
    const beside = inMode(mode, boardWith(slot(0, '1.1.0', newHash, 'active', 'confirmed'), slot(1, '2.0.0', otherHash, 'pending', 'permanent')))
    const walked = walk(job, beside, (step) => (step.do === 'erase' ? { is: 'stepDone', said: { of: 'nothing' }, tookMs: 1 } : undefined))
    expect(walked.state.ending).toMatchObject({ outcome: 'failed', failure: { kind: 'stuck' } })
    expect(walked.record.map((entry) => entry.kind)).not.toContain('slot-erased')
  })
})

test('direct-xip with a revert is marked and proven like a swap, but takes newer images only', () => {
  expect(planned(inMode('direct-xip-revert'))).toEqual(['upload 1', 'check-slot', 'mark', 'reset', 'await-return', ...prove])
  expect(planned(inMode('direct-xip-revert', boardWith(slot(0, '1.1.0', oldHash, 'active', 'confirmed'))))).toBe('not-newer')
})

test.each(['overwrite-only', 'direct-xip'] as const)('%s: that there is no way back is on record before the first byte, and a recipe may refuse it', (mode) => {
  const walked = walk(jobWith(), inMode(mode), (step, board) => {
    // As these modes do: the new image runs for good after the restart.
    if (step.do !== 'reset') return undefined
    board.slots = [slot(0, '1.1.0', newHash, 'active', 'confirmed')]
    return { is: 'stepDone', said: { of: 'nothing' }, tookMs: 1 }
  })
  const kinds = walked.record.map((entry) => entry.kind)
  expect(kinds.indexOf('preflight-note')).toBeGreaterThan(-1)
  expect(kinds.indexOf('preflight-note')).toBeLessThan(kinds.indexOf('slot-write-intended'))
  expect(walked.state.ending.outcome).toBe('confirmed')
  expect(planned(inMode(mode), jobWith({ recipe: { needsWayBack: true } }))).toBe('no-way-back')
  expect(planned(inMode('swap-offset'), jobWith({ recipe: { needsWayBack: true } }))).toContain('upload 1')
})

test('overwrite-only: a failed proof restarts nothing and says that the new image stays', () => {
  const walked = walk(jobWith(), inMode('overwrite-only'), (step, board) => {
    if (step.do === 'prove' && step.proof === 'echo') return { is: 'stepDone', said: { of: 'echo', sent: 'a', answered: 'b' }, tookMs: 1 }
    if (step.do === 'reset') {
      board.slots = [slot(0, '1.1.0', newHash, 'active', 'confirmed')]
      return { is: 'stepDone', said: { of: 'nothing' }, tookMs: 1 }
    }
    return undefined
  })
  expect(walked.state.ending).toMatchObject({ outcome: 'failed', failure: { kind: 'proof-failed' }, version: '1.1.0' })
  expect(walked.state.ending.says).toContain('no way back')
  expect(walked.steps.filter((step) => step.do === 'reset')).toHaveLength(1)
})

test('an image made for RAM goes to boards that load it there, and no other image does', () => {
  expect(planned(inMode('ram-load'))).toBe('not-for-ram')
  expect(planned(inMode('swap-move'), jobWith({ image: { ramLoad: true } }))).toBe('for-ram')
})

test('the largest image is that of the board\'s own mode', () => {
  const { profile } = jobWith()
  const most = (mode: SwapMode) => largestFor(inMode(mode), profile)
  // 0x69000 slots of 4 KiB sectors, writes of 8 bytes: one trailer sector, and one for the move or the offset.
  expect(most('swap-move')).toBe(0x67000)
  expect(most('swap-offset')).toBe(0x67000)
  expect(most('overwrite-only')).toBe(0x69000 - 16 - 3 * 8)
  expect(most('direct-xip')).toBe(0x69000 - 16 - 3 * 8)
  expect(most('swap-scratch')).toBe(0x69000 - (128 * 3 * 8 + 4 * 8 + 16))
})
