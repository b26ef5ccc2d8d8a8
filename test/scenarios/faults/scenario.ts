// What befalls one simulated world: drawn from its seed alone, and told in a line, so that a failing seed can be read before
// it is replayed. Troubles strike at a frame on a cable or at a boot of a board rather than at a time, which spreads them
// evenly over whatever a run does.
import { seededNumbers } from '../../../main/practice/faults.ts'
import type { BoardProfile } from '../../../main/practice/profiles.ts'
import type { Noise } from './cable.ts'
import { quietWire } from './cable.ts'
import { lieNames } from './lies.ts'
import type { LieName } from './lies.ts'
import { smallOthers, smallProfile, smallRam } from './stock.ts'
import type { Brought, ImageName } from './stock.ts'

export type Trouble =
  | Readonly<{ is: 'unplug'; atFrame: number; forMs: number }>
  /** Power off and on; the port of a UART bridge stays. */
  | Readonly<{ is: 'power'; atFrame: number; forMs: number }>
  | Readonly<{ is: 'reset-pin'; atFrame: number }>
  | Readonly<{ is: 'silence'; atFrame: number; forMs: number; which: 'in' | 'out' | 'both' }>
  | Readonly<{ is: 'stall'; atFrame: number; forMs: number }>
  /** The power goes before a flash step of the nth boot: swap, its continuation, or the revert. */
  | Readonly<{ is: 'boot-cut'; boot: number; beforeStep: number }>
  | Readonly<{ is: 'hangs' }>
  | Readonly<{ is: 'fails-proof' }>
  | Readonly<{ is: 'lies'; lie: LieName }>

export type BoardPlan = Readonly<{ serial: string; troubles: readonly Trouble[]; noise: Noise }>

export type StationTrouble =
  | Readonly<{ is: 'killed'; atBeat: number }>
  | Readonly<{ is: 'stopped'; atFrame: number }>
  | Readonly<{ is: 'disk-full'; atFrame: number }>
  | Readonly<{ is: 'database-busy'; atFrame: number }>
  | Readonly<{ is: 'key-gone' }>
  | Readonly<{ is: 'log-key-gone'; atFrame: number }>

export type Scenario = Readonly<{
  seed: number
  profile: BoardProfile
  usb: boolean
  baud: number
  boards: readonly BoardPlan[]
  /** An earlier batch, without troubles, that left the boards half-done. */
  before: 'test-only' | 'upload-only' | null
  image: ImageName
  mode: 'test-and-confirm' | 'test-only' | 'upload-only'
  /** What the boards are besides: with two images, or taking the update encrypted. */
  kind: 'plain' | 'two-images' | 'encrypted'
  /** What file brings the update; two images come in their archive. */
  brought: Brought
  /** Self-tests and unit data in the recipe. */
  tests: boolean
  data: boolean
  station: readonly StationTrouble[]
}>

const eraseMs = [0.05, 0.05, 5, 85, 1_500]
/** As often as they are met, about. */
const modes = [
  'swap-move', 'swap-move', 'swap-move', 'swap-scratch', 'swap-scratch', 'swap-offset', 'swap-offset', 'overwrite-only', 'direct-xip', 'direct-xip-revert', 'ram-load', 'single-slot',
] as const
const bauds = [115_200, 921_600, 1_000_000]

export function scenarioOf(seed: number): Scenario {
  const numbers = seededNumbers(seed)
  // The first numbers of neighbouring seeds resemble each other.
  for (let i = 0; i < 8; i++) numbers()
  const draw = (below: number) => Math.floor(numbers() * below)
  const chance = (share: number) => numbers() < share
  const pick = <T>(from: readonly T[]): T => from[draw(from.length)]!
  const profile: BoardProfile = {
    ...smallProfile,
    mode: pick(modes),
    timing: { eraseSectorMs: pick(eraseMs), writeWordUs: chance(0.5) ? 0 : 41 },
    bufferBytes: pick([256, 384, 384, 1024]),
    bufferCount: pick([1, 2, 4, 4]),
    slotInfo: chance(0.8),
    frugalList: chance(0.2),
    legacyRc: chance(0.1),
    emptyEraseFails: chance(0.5),
  }
  const boards = 1 + draw(3)
  const twins = boards > 1 && chance(0.08)
  const noisy = chance(0.4)
  const strength = 0.03 * numbers()
  const noise: Noise = noisy ? { drop: strength * numbers(), garble: strength * numbers(), double: strength * numbers(), late: chance(0.3) ? 0.01 * numbers() : 0 } : quietWire
  const station: StationTrouble[] = []
  if (chance(0.3)) station.push({ is: 'killed', atBeat: 1 + draw(chance(0.2) ? 500 : 120) })
  else if (chance(0.12)) station.push({ is: 'stopped', atFrame: draw(90) })
  else if (chance(0.12)) station.push({ is: 'disk-full', atFrame: draw(90) })
  else if (chance(0.1)) station.push({ is: 'database-busy', atFrame: draw(90) })
  else if (chance(0.05)) station.push({ is: 'key-gone' })
  if (chance(0.05)) station.push({ is: 'log-key-gone', atFrame: draw(90) })
  const swaps = profile.mode.startsWith('swap-') || profile.mode === 'overwrite-only'
  const kind = !swaps ? 'plain' : chance(0.16) ? 'two-images' : chance(0.14) ? 'encrypted' : 'plain'
  const brought = kind === 'plain' ? drawBrought(profile.mode, numbers()) : 'file'
  const raw = kind !== 'two-images' && profile.mode !== 'single-slot' && chance(0.12)
  const [tests, data] = [profile.mode !== 'single-slot' && chance(0.15), chance(0.12)]
  const built: BoardProfile = {
    ...profile,
    ...(raw ? { framing: 'raw' } as const : {}),
    ...(profile.mode === 'ram-load' ? { ram: smallRam } : {}),
    ...(profile.mode === 'single-slot' ? { recovery: { receiveBytes: 512, listsHash: chance(0.5), tellsParameters: chance(0.5) } } : {}),
    ...(brought === 'unwrap' || brought === 'in-place' ? { packages: brought } as const : {}),
    ...(kind === 'encrypted' ? { keyBytes: 16 } as const : {}),
    // A list of four slots is longer than most boards' replies.
    ...(kind === 'two-images' ? { others: smallOthers, bufferBytes: 1024, flash: { ...profile.flash, sizeBytes: 0x12000 } } : {}),
  }
  return {
    seed,
    profile: built,
    usb: chance(0.35),
    baud: pick(bauds),
    boards: Array.from({ length: boards }, (_, i) => ({
      serial: `PB-${String(twins ? 1 : i + 1).padStart(4, '0')}`,
      // Raw packets carry no checksum: what is changed on the wire nobody can see, and lies are told in console lines.
      troubles: drawTroubles(draw, chance, pick).filter((trouble) => !raw || trouble.is !== 'lies'),
      noise: raw ? { ...noise, garble: 0 } : noise,
    })),
    // What is laid out for one slot needs that slot free.
    before: chance(0.12) && brought !== 'in-place' ? pick(['test-only', 'upload-only'] as const) : null,
    image: chance(0.06) ? 'strange' : 'update',
    mode: chance(0.78) ? 'test-and-confirm' : pick(['test-only', 'upload-only'] as const),
    kind, brought, tests, data,
    station,
  }
}

function drawBrought(mode: BoardProfile['mode'], number: number): Brought {
  if (number < 0.1) return 'package'
  if (number < 0.16) return 'archive'
  if (mode === 'swap-move' && number < 0.34) return 'unwrap'
  if (mode === 'direct-xip-revert' && number < 0.45) return 'in-place'
  return (mode === 'direct-xip' || mode === 'direct-xip-revert') && number < 0.7 ? 'slots' : 'file'
}

function drawTroubles(draw: (below: number) => number, chance: (share: number) => boolean, pick: <T>(from: readonly T[]) => T): Trouble[] {
  const troubles: Trouble[] = []
  if (chance(0.35)) return troubles
  if (chance(0.06)) troubles.push({ is: 'lies', lie: pick(lieNames) })
  const firmware = draw(6)
  if (firmware === 0) troubles.push({ is: 'hangs' })
  if (firmware === 1) troubles.push({ is: 'fails-proof' })
  const cuts = chance(0.45) ? 1 + draw(3) : 0
  for (let i = 0; i < cuts; i++) troubles.push({ is: 'boot-cut', boot: 1 + draw(4), beforeStep: 1 + draw(chance(0.3) ? 20 : 120) })
  const strikes = draw(3)
  for (let i = 0; i < strikes; i++) {
    const atFrame = draw(100)
    const kind = draw(6)
    if (kind === 0) troubles.push({ is: 'unplug', atFrame, forMs: 200 + draw(15_000) })
    if (kind === 1) troubles.push({ is: 'power', atFrame, forMs: 10 + draw(3_000) })
    if (kind === 2) troubles.push({ is: 'reset-pin', atFrame })
    if (kind === 3) troubles.push({ is: 'silence', atFrame, forMs: 300 + draw(20_000), which: pick(['in', 'out', 'both'] as const) })
    if (kind === 4) troubles.push({ is: 'stall', atFrame, forMs: 300 + draw(12_000) })
    if (kind === 5) troubles.push({ is: 'unplug', atFrame, forMs: 3_600_000 })
  }
  return troubles
}

/** The scenario in one line. */
export function told(scenario: Scenario): string {
  const { profile, usb, baud, boards, before, image, mode, station } = scenario
  const say = (each: object) => Object.values(each).join(' ')
  const how = `${profile.mode}${scenario.kind === 'plain' ? '' : ` ${scenario.kind}`}${scenario.brought === 'file' ? '' : ` by ${scenario.brought}`}${profile.framing === 'raw' ? ' raw' : ''}${scenario.tests ? ' with self-tests' : ''}${scenario.data ? ' with data' : ''}, erase ${profile.timing.eraseSectorMs} ms, ${profile.bufferCount} × ${profile.bufferBytes}, ${baud}${usb ? ', usb' : ''}`
  const what = `${image} ${mode}${before === null ? '' : ` after ${before}`}`
  const wire = boards[0]?.noise === quietWire ? 'quiet' : `noise ${Object.values(boards[0]?.noise ?? {}).map((share) => Number(share).toFixed(3)).join('/')}`
  return `${what}; ${how}; ${wire}; station: ${station.map(say).join(', ') || 'well'}; ${boards.map((board) => `${board.serial}: ${board.troubles.map(say).join(', ') || 'well'}`).join('; ')}`
}
