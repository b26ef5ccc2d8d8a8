// The run's machine, walked against a model of MCUboot: first the drawn paths, then everything at once.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Failure } from '../../main/base/failure.ts'
import { begin, next, saidFor, tries } from '../../main/line/machine.ts'
import type { Job, RunEvent, Said, SlotSays, Step } from '../../main/line/state.ts'
import { kinds } from '../../main/log/kinds.ts'
import { ModelBoard, boardWith, freshBoard, jobWith, newHash, oldHash, otherHash, slot, walk } from './making.ts'

const failing = (kind: string): RunEvent => ({ is: 'stepFailed', failure: new Failure(kind, `It is ${kind}.`) })
const saying = (...slots: SlotSays[]): RunEvent => ({ is: 'stepDone', said: { of: 'slots', slots }, tookMs: 1 })
const doing = (steps: readonly Step[]) => steps.map((step) => (step.do === 'prove' ? `prove ${step.proof}` : step.do))

describe('the drawn path', () => {
  test('a fresh board is written, tried, proven and confirmed', () => {
    const { state, steps, record } = walk(jobWith(), freshBoard)
    expect(doing(steps)).toEqual(['identify', 'upload', 'check-slot', 'mark', 'reset', 'await-return', 'prove echo', 'prove active-hash', 'prove version', 'confirm', 'check-confirmed'])
    expect(state.ending).toMatchObject({ outcome: 'confirmed', failure: null, activeHash: newHash, version: '1.1.0' })
    expect(record.map((entry) => entry.kind)).toEqual([
      'run-started', 'slot-write-intended', 'slot-write-done', 'mark-intended', 'marked', 'reset-intended', 'reset', 'booted',
      'proof-passed', 'proof-passed', 'proof-passed', 'confirm-intended', 'confirmed', 'outcome',
    ])
  })

  test('a board that has it already is left alone', () => {
    const { state, steps } = walk(jobWith(), boardWith(slot(0, '1.1.0', newHash, 'active', 'confirmed')))
    expect(doing(steps)).toEqual(['identify'])
    expect(state.ending.outcome).toBe('unchanged')
  })

  test.each([['upload-only', 'uploaded'], ['test-only', 'tested']] as const)('mode %s ends as %s and never confirms', (mode, outcome) => {
    const { state, steps } = walk(jobWith({ recipe: { mode } }), freshBoard)
    expect(state.ending.outcome).toBe(outcome)
    expect(doing(steps)).not.toContain('confirm')
  })

  test('a failed proof brings the old image back, by the board\'s own word', () => {
    const { state, record } = walk(jobWith(), freshBoard, (step) =>
      step.do === 'prove' ? { is: 'stepDone', said: { of: 'echo', sent: 'ping', answered: 'gnip' }, tookMs: 1 } : undefined)
    expect(state.ending).toMatchObject({ outcome: 'reverted', activeHash: oldHash, version: '1.0.0' })
    expect(state.ending.failure?.kind).toBe('proof-failed')
    expect(record.map((entry) => entry.kind)).not.toContain('confirm-intended')
  })

  test('a board that never returns is failed, not waited for forever', () => {
    const { state } = walk(jobWith(), freshBoard, (step) => (step.do === 'await-return' ? failing('timeout') : undefined))
    expect(state.ending).toMatchObject({ outcome: 'failed', activeHash: null, failure: { kind: 'no-return' } })
    expect(state.ending.says).toMatch(/has not answered for \d+ s\.$/)
  })

  test('a board that comes back on the old image without the new one names the key as the likely cause', () => {
    const { state } = walk(jobWith(), freshBoard, (step) => (step.do === 'await-return' ? saying(slot(0, '1.0.0', oldHash, 'active', 'confirmed')) : undefined))
    expect(state.ending).toMatchObject({ outcome: 'failed', failure: { kind: 'not-swapped' } })
    expect(state.ending.says).toContain('line 3')
  })

  test.each([[undefined, 'this one has none'], [3, 'security counter is 3']])('and what its security counter (%s) may have to do with it', (securityCounter, says) => {
    const { state } = walk(jobWith({ image: securityCounter === undefined ? {} : { securityCounter } }), freshBoard, (step) => (step.do === 'await-return' ? saying(slot(0, '1.0.0', oldHash, 'active', 'confirmed')) : undefined))
    expect(state.ending.says).toContain(says)
  })

  test('an unplugged board is failed at once and its open slot write is closed in the log', () => {
    const { state, record } = walk(jobWith(), freshBoard, (step) => (step.do === 'upload' ? failing('unplugged') : undefined))
    expect(state.ending).toMatchObject({ outcome: 'failed', failure: { kind: 'unplugged' }, activeHash: oldHash })
    expect(record.map((entry) => entry.kind)).toEqual(['run-started', 'slot-write-intended', 'slot-write-failed', 'outcome'])
  })

  test('unplugged while on test: the ending says which image the next restart brings', () => {
    const { state } = walk(jobWith(), freshBoard, (step) => (step.do === 'confirm' ? failing('unplugged') : undefined))
    expect(state.ending.says).toContain('1.0.0, which the bootloader will put back')
  })

  test('a stopped run ends as stopped with its open slot write closed', () => {
    const { state, record } = walk(jobWith(), freshBoard, (step) => (step.do === 'upload' ? { is: 'stopped' } : undefined))
    expect(state.ending.outcome).toBe('stopped')
    expect(record.map((entry) => entry.kind)).toContain('slot-write-failed')
  })
})

describe('retries are the run\'s stated choice', () => {
  test('a broken upload is tried again after asking the board anew, and given up in the end', () => {
    const { state, steps } = walk(jobWith(), freshBoard, (step) => (step.do === 'upload' ? failing('timeout') : undefined))
    expect(doing(steps)).toEqual(Array.from({ length: tries.uploadsMax }, () => ['identify', 'upload']).flat())
    expect(state.ending.failure?.kind).toBe('upload-failed')
  })

  test('what the board refuses is not sent again', () => {
    const { steps, state } = walk(jobWith(), freshBoard, (step) => (step.do === 'upload' ? failing('refused') : undefined))
    expect(doing(steps)).toEqual(['identify', 'upload'])
    expect(state.ending.failure?.kind).toBe('upload-refused')
  })

  test('a board that knows no packages is said to know none, not to miss a magic number', () => {
    const refused: RunEvent = { is: 'stepFailed', failure: new Failure('refused', 'The board refuses "image upload".', { reason: 'bad-magic' }) }
    const says = (send: 'image' | 'whole') => walk(jobWith({ recipe: { send } }), freshBoard, (step) => (step.do === 'upload' ? refused : undefined)).state.ending.failure?.says
    expect(says('whole')).toMatch(/takes no firmware packages/)
    expect(says('image')).not.toMatch(/packages/)
  })

  test('a lost answer to mark is cleared up by asking, not by marking blindly again', () => {
    let lost = 0
    const { state, steps } = walk(jobWith(), freshBoard, (step, board) => {
      if (step.do !== 'mark' || lost++ > 0) return undefined
      board.does(step, jobWith())
      return failing('timeout')
    })
    expect(state.ending.outcome).toBe('confirmed')
    expect(doing(steps).filter((step) => step === 'mark')).toHaveLength(1)
  })

  test('a board that restarts by itself after the mark and says it keeps the new image is proven, not called one that had it', () => {
    const { state, steps, record } = walk(jobWith(), freshBoard, (step, board) => {
      if (step.do !== 'mark') return undefined
      board.slots = [slot(0, '1.1.0', newHash, 'active', 'confirmed'), slot(1, '1.0.0', oldHash)]
      return failing('timeout')
    })
    expect(doing(steps).slice(3)).toEqual(['mark', 'identify', 'prove echo', 'prove active-hash', 'prove version', 'confirm', 'check-confirmed'])
    expect(record.map((entry) => entry.kind)).toContain('booted')
    expect(state.ending.outcome).toBe('confirmed')
  })

  describe('an image that lay in the slot before the run, listed by its hash but cut short', () => {
    const cut = boardWith(slot(0, '1.0.0', oldHash, 'active', 'confirmed'), slot(1, '1.1.0', newHash))
    const thrownAway = saying(slot(0, '1.0.0', oldHash, 'active', 'confirmed'))

    test('is thrown away by the bootloader, then written whole and confirmed', () => {
      let returns = 0
      const { state, steps } = walk(jobWith(), cut, (step, board) => {
        if (step.do === 'reset' && returns === 0) return { is: 'stepDone', said: { of: 'nothing' }, tookMs: 1 }
        if (step.do !== 'await-return' || returns++ > 0) return undefined
        board.slots = [slot(0, '1.0.0', oldHash, 'active', 'confirmed')]
        return thrownAway
      })
      expect(doing(steps).slice(0, 10)).toEqual(['identify', 'mark', 'reset', 'await-return', 'identify', 'upload', 'check-slot', 'mark', 'reset', 'await-return'])
      expect(state.ending).toMatchObject({ outcome: 'confirmed', activeHash: newHash })
    })

    test('and thrown away again once it was written whole: then it is the key, and nothing is tried a third time', () => {
      const { state, steps } = walk(jobWith(), cut, (step, board) => {
        if (step.do !== 'await-return') return undefined
        board.slots = [slot(0, '1.0.0', oldHash, 'active', 'confirmed')]
        return thrownAway
      })
      expect(state.ending.failure).toMatchObject({ kind: 'not-swapped', says: expect.stringContaining('does not trust the key') as string })
      expect(doing(steps).filter((step) => step === 'upload')).toHaveLength(1)
    })
  })

  test('a reset that the board did not hear is repeated only once the board has answered as before', () => {
    let deaf = 0
    const { state, steps } = walk(jobWith(), freshBoard, (step) => (step.do === 'reset' && deaf++ === 0 ? failing('timeout') : undefined))
    expect(doing(steps).slice(3, 8)).toEqual(['mark', 'reset', 'await-return', 'reset', 'await-return'])
    expect(state.ending.outcome).toBe('confirmed')
  })

  test('a lost echo is asked again before the image is called bad', () => {
    let lost = 0
    const { state } = walk(jobWith(), freshBoard, (step) => (step.do === 'prove' && lost++ < tries.proofsMax - 1 ? failing('timeout') : undefined))
    expect(state.ending.outcome).toBe('confirmed')
  })

  test('a confirm that does not stick is not called confirmed: the board goes back', () => {
    const { state, record } = walk(jobWith(), freshBoard, (_step, board) => {
      board.obeysConfirm = false
      return undefined
    })
    expect(state.ending).toMatchObject({ outcome: 'reverted', failure: { kind: 'not-confirmed' } })
    expect(record.map((entry) => entry.kind)).not.toContain('confirmed')
  })
})

describe('half-done updates of others', () => {
  test.each([
    ['another image pending', boardWith(slot(0, '1.0.0', oldHash, 'active', 'confirmed'), slot(1, '1.0.5', otherHash, 'pending'))],
    ['another image pending for good', boardWith(slot(0, '1.0.0', oldHash, 'active', 'confirmed'), slot(1, '1.0.5', otherHash, 'pending', 'permanent'))],
    ['another image on test', boardWith(slot(0, '1.0.5', otherHash, 'active'), slot(1, '1.0.0', oldHash, 'confirmed'))],
    ['the wanted image running, another pending', boardWith(slot(0, '1.1.0', newHash, 'active', 'confirmed'), slot(1, '1.0.5', otherHash, 'pending'))],
    ['the wanted image marked and not restarted', boardWith(slot(0, '1.0.0', oldHash, 'active', 'confirmed'), slot(1, '1.1.0', newHash, 'pending'))],
    ['the wanted image on test', boardWith(slot(0, '1.1.0', newHash, 'active'), slot(1, '1.0.0', oldHash, 'confirmed'))],
  ])('the plan finds the way from: %s', (_words, board) => {
    const { state } = walk(jobWith(), board)
    expect(['confirmed', 'unchanged']).toContain(state.ending.outcome)
    expect(state.ending.activeHash).toBe(newHash)
  })

  test('a board that never gets past it is given up with a sentence', () => {
    const board = boardWith(slot(0, '1.0.5', otherHash, 'active'))
    expect(walk(jobWith(), board).state.ending.failure?.kind).toBe('stuck')
  })
})

// Anything at all: a board by MCUboot's rules that now and then lies, fails, or is stopped, so that the walk gets deep.

const anySlot = fc.record({
  image: fc.constantFrom(0, 0, 0, 1), slot: fc.nat(1), version: fc.constantFrom('1.0.0', '1.1.0', '2.0.0', 'x'),
  hash: fc.constantFrom(oldHash, newHash, otherHash, null), bootable: fc.boolean(), pending: fc.boolean(),
  confirmed: fc.boolean(), active: fc.boolean(), permanent: fc.boolean(),
})
const anySlots = fc.array(anySlot, { maxLength: 2 })
const anyFailure = fc.constantFrom('timeout', 'refused', 'garbled', 'unplugged').map((kind) => new Failure(kind, `It is ${kind}.`))
const anyReply = fc.oneof(
  { weight: 12, arbitrary: fc.constant({ is: 'obeys' } as const) },
  { weight: 2, arbitrary: anySlots.map((slots) => ({ is: 'lies', slots, echoes: false }) as const) },
  // The board did it, or did not, and its answer was lost.
  { weight: 2, arbitrary: fc.record({ is: fc.constant('fails' as const), failure: anyFailure, did: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('restarts' as const) }) },
)
const anyStop = fc.option(fc.nat(30), { freq: 5 })
const anyRecipe = fc.record({
  mode: fc.constantFrom('upload-only', 'test-only', 'test-and-confirm'),
  proofs: fc.subarray(['echo', 'active-hash', 'version'] as const), allowDowngrade: fc.boolean(),
})

type Reply = (typeof anyReply) extends fc.Arbitrary<infer R> ? R : never

function eventFor(step: Step, reply: Reply, board: ModelBoard, job: Job): RunEvent {
  if (reply.is === 'restarts') board.restart()
  if (reply.is === 'fails') {
    if (reply.did) board.does(step, job)
    return { is: 'stepFailed', failure: reply.failure }
  }
  board.does(step, job)
  if (reply.is !== 'lies') return { is: 'stepDone', said: board.says(step, freshBoard), tookMs: 1 }
  const of = step.do === 'prove' && step.proof === 'echo' ? 'echo' : saidFor[step.do]
  const said: Record<Said['of'], Said> = {
    board: { of: 'board', board: { ...freshBoard, slots: reply.slots } },
    slots: { of: 'slots', slots: reply.slots },
    echo: { of: 'echo', sent: 'ping', answered: 'pong' },
    measured: { of: 'measured', measured: { of: 'line', line: null } },
    'read-back': { of: 'read-back', same: false },
    nothing: { of: 'nothing' },
  }
  return { is: 'stepDone', said: said[of], tookMs: 1 }
}

test('whatever a board answers, the run ends, every entry fits the log, and nothing is confirmed unproven', () => {
  const reached = new Set<string>()
  fc.assert(fc.property(anyRecipe, anySlots, fc.boolean(), fc.infiniteStream(anyReply), anyStop, (asked, odd, isOdd, replies, stopAt) => {
    const job = jobWith({ recipe: asked })
    const board = new ModelBoard(isOdd ? odd : freshBoard.slots)
    let move = begin(job)
    const written = [...move.record]
    const passed = new Set<string>()
    let ranNew = false
    for (let count = 0; move.state.at !== 'ended'; count++) {
      expect(count).toBeLessThan(200)
      const { step } = move.state
      if (step.do === 'confirm') {
        expect(ranNew, 'confirmed only while the board lists the very hash as running').toBe(true)
        for (const proof of asked.proofs) expect(passed, `confirm waits for ${proof}`).toContain(proof)
      }
      // Intent before act: the entry stands at the end of the very move that orders the step.
      const intents = { upload: 'slot-write-intended', mark: 'mark-intended', reset: 'reset-intended', confirm: 'confirm-intended', erase: 'slot-erase-intended' } as const
      if (step.do in intents) expect(written.at(-1)?.kind).toBe(intents[step.do as keyof typeof intents])
      const event: RunEvent = count === stopAt ? { is: 'stopped' } : eventFor(step, replies.next().value, board, job)
      move = next(move.state, event)
      for (const entry of move.record) if (entry.kind === 'proof-passed') passed.add(entry.data.proof)
      if (event.is === 'stepDone' && (event.said.of === 'board' || event.said.of === 'slots')) {
        const slots = event.said.of === 'board' ? event.said.board.slots : event.said.slots
        ranNew = slots.find((each) => each.image === 0 && each.active)?.hash === newHash
      }
      if (step.do === 'reset' || step.do === 'identify') passed.clear()
      reached.add(`${step.do} ${move.state.at}`)
      written.push(...move.record)
    }
    const { ending } = move.state
    const last = written.at(-1)
    expect(last?.kind).toBe('outcome')
    expect(written.filter((entry) => entry.kind === 'outcome')).toHaveLength(1)
    expect(ending.says.length).toBeGreaterThan(5)
    expect(ending.failure !== null).toBe(['failed', 'reverted'].includes(ending.outcome))
    if (ending.outcome === 'confirmed') expect(written.at(-2)?.kind).toBe('confirmed')
    if (ending.outcome === 'confirmed' || ending.outcome === 'unchanged') expect(ending.activeHash).toBe(newHash)
    if (ending.outcome === 'reverted') expect(ending.activeHash).not.toBe(newHash)
    for (const entry of written) expect(kinds[entry.kind].safeParse(entry.data).error).toBe(undefined)
    const opened = written.filter((entry) => entry.kind === 'slot-write-intended').length
    const closed = written.filter((entry) => entry.kind === 'slot-write-done' || entry.kind === 'slot-write-failed').length
    expect(closed, 'every slot write that was begun is closed by a result').toBe(opened)
    reached.add(ending.outcome)
  }), { numRuns: 3000 })
  for (const outcome of ['confirmed', 'reverted', 'unchanged', 'uploaded', 'tested', 'failed', 'stopped']) expect(reached).toContain(outcome)
})

test('an event after the end is a bug and throws', () => {
  const { state } = walk(jobWith(), freshBoard)
  expect(() => next(state, { is: 'stopped' })).toThrow('after its end')
})
