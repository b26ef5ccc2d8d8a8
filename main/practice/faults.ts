// Faults of practice boards, told in a line like `3:fails-proof,5:unplug@40%,random@10%`. A fault belongs to a bay, is
// wished for before a run or during it, and the board or its cable carries it out. Random ones come from the seed, so
// that the same line fails in the same way again.
import type { Failure} from '../base/failure.ts';
import { attempt, refuse } from '../base/failure.ts'

/** The new firmware never answers; it takes a power cycle or reset to revert. */
export type HangsFault = Readonly<{ is: 'hangs' }>
/** The new firmware answers echo wrongly; the old one is healthy. */
export type FailsProofFault = Readonly<{ is: 'fails-proof' }>
/** The cable comes off once that share (0..1) of an upload is in. */
export type UnplugFault = Readonly<{ is: 'unplug'; atShare: number }>
/** The power goes before the Nth flash step of the next boot that swaps, and comes back by itself. */
export type PowerCutFault = Readonly<{ is: 'power-cut'; beforeStep: number }>

export type Fault = HangsFault | FailsProofFault | UnplugFault | PowerCutFault

export type FaultPlan = ReadonlyMap<number, Fault>

const faultsMax = 1024
const stepMax = 1_000_000
const grammar = 'Write faults as BAY:FAULT, separated by commas: 3:hangs, 3:fails-proof, 3:unplug@40%, 3:power-cut@25, *:hangs for every bay, or random@10%.'

/**
 * The fault of each bay, 1 to `boards`. The last word on a bay holds. Failure kind `bad-faults` says which word is wrong
 * and how to write it.
 */
export function parseFaults(text: string, boards: number, seed: number): FaultPlan | Failure<'bad-faults'> {
  const plan = attempt(() => {
    const faults = new Map<number, Fault>()
    const words = text.split(',').map((word) => word.trim()).filter((word) => word !== '')
    if (words.length > faultsMax) refuse('bad-faults', `There are more than ${faultsMax} faults in the list.`)
    for (const word of words) {
      const random = /^random@([0-9]{1,3})%$/.exec(word)
      if (random) strew(faults, boards, percent(word, random[1]), seed)
      else for (const bay of baysOf(word, boards)) faults.set(bay, faultOf(word))
    }
    return faults
  })
  return plan as FaultPlan | Failure<'bad-faults'>
}

function baysOf(word: string, boards: number): number[] {
  const bay = /^(\*|[0-9]{1,5}):/.exec(word)?.[1]
  if (bay === undefined) refuse('bad-faults', `The fault "${word}" names no bay. ${grammar}`)
  if (bay === '*') return Array.from({ length: boards }, (_, index) => index + 1)
  const number = Number(bay)
  if (number < 1 || number > boards) refuse('bad-faults', `The fault "${word}" is for bay ${number}, but the bays are 1 to ${boards}.`)
  return [number]
}

function faultOf(word: string): Fault {
  const [name, argument, ...more] = word.slice(word.indexOf(':') + 1).split('@')
  if (more.length > 0) refuse('bad-faults', `The fault "${word}" has two arguments. ${grammar}`)
  if (name === 'hangs' || name === 'fails-proof') {
    if (argument !== undefined) refuse('bad-faults', `The fault "${word}" takes no argument. ${grammar}`)
    return { is: name }
  }
  if (name === 'unplug') {
    const share = /^([0-9]{1,3})%$/.exec(argument ?? '50%')?.[1]
    return { is: 'unplug', atShare: percent(word, share) }
  }
  if (name === 'power-cut') {
    const step = /^[0-9]{1,7}$/.test(argument ?? '') ? Number(argument) : 0
    if (step < 1 || step > stepMax) refuse('bad-faults', `The fault "${word}" needs the number of a flash step, 1 to ${stepMax}, as in 3:power-cut@25.`)
    return { is: 'power-cut', beforeStep: step }
  }
  return refuse('bad-faults', `There is no fault called "${name}". ${grammar}`)
}

function percent(word: string, digits: string | undefined): number {
  const value = digits === undefined ? -1 : Number(digits)
  if (value < 0 || value > 100) refuse('bad-faults', `The fault "${word}" needs a percentage from 0% to 100%.`)
  return value / 100
}

/** Gives each bay one of the faults with that chance. */
function strew(faults: Map<number, Fault>, boards: number, chance: number, seed: number): void {
  const draw = seededNumbers(seed)
  for (let bay = 1; bay <= boards; bay++) {
    const hit = draw() < chance
    const which = Math.floor(draw() * 4)
    const where = draw()
    if (!hit) continue
    if (which === 0) faults.set(bay, { is: 'hangs' })
    else if (which === 1) faults.set(bay, { is: 'fails-proof' })
    else if (which === 2) faults.set(bay, { is: 'unplug', atShare: where })
    else faults.set(bay, { is: 'power-cut', beforeStep: 1 + Math.floor(where * 200) })
  }
}

/** Numbers in [0, 1) that follow from the seed (mulberry32). */
export function seededNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
}
