// Waiting for boards. A script starts the practice line and the provisioning side by side, and an operator types first
// and plugs in afterwards, so boards that are not there yet are waited for, for a stated time and with a word about it.
import { pause, realClock } from '../base/clock.ts'
import { Failure, failed } from '../base/failure.ts'
import type { BayView } from '../contract/views.ts'
import { portSources } from '../link/ports.ts'
import type { Call } from './call.ts'
import type { CalledStation } from './station-call.ts'

/** How often a folder that is not there yet is looked for. */
const lookEveryMs = 50

/**
 * Waits until what `--ports` names is there, up to `waitSeconds`; whether it came is for the station to say. Device
 * names are not waited for: a mistyped /dev/ttyACM9 should be told at once. True when the person was told to wait.
 */
export async function waitForPorts(call: Call, ports: string, waitSeconds: number): Promise<boolean> {
  if (/^(\/dev\/|COM\d|\\\\)/i.test(ports)) return false
  const until = realClock.monotonicMs() + waitSeconds * 1000
  let told = false
  while (failed(await portSources(ports)) && realClock.monotonicMs() < until && !call.signal.aborted) {
    if (!told) call.tell(`Waiting up to ${waitSeconds} s for boards at ${ports} …\n`)
    told = true
    await pause(realClock, lookEveryMs, call.signal)
  }
  return told
}

type Wanted = Readonly<{
  /** This many boards, else: at least one. */
  boards: number | null
  waitSeconds: number
  /** As the person named them, for sentences; null for all that is attached. */
  ports: string | null
  /** Whether the person has been told already that boards are waited for. */
  told?: boolean
}>

/**
 * The numbers of the bays to provision, in order, at most `boards` of them. Kinds: `no-boards`, `too-few-boards`, `stopped`.
 */
export async function waitForBays(call: Call, station: CalledStation, wanted: Wanted): Promise<number[] | Failure> {
  const first = await station.bays({})
  if (failed(first)) return first
  let bays = readyBays(first)
  if (enough(bays, wanted)) return chosen(bays, wanted)
  const where = wanted.ports ?? 'any port'
  if (wanted.told !== true) call.tell(`Waiting up to ${wanted.waitSeconds} s for ${wanted.boards === null ? 'boards' : `${wanted.boards} boards`} at ${where} …\n`)
  let off = () => {}
  let timer: NodeJS.Timeout | undefined
  await new Promise<void>((resolve) => {
    timer = setTimeout(resolve, wanted.waitSeconds * 1000)
    call.signal.addEventListener('abort', () => resolve(), { once: true })
    off = station.subscribe((event) => {
      if (event.is === 'bays') bays = readyBays(event.bays)
      else if (event.is === 'bay') bays = readyBays([...bays.filter((bay) => bay.bay !== event.bay.bay), event.bay])
      if (enough(bays, wanted)) resolve()
    })
    if (call.signal.aborted) resolve()
  })
  off()
  clearTimeout(timer)
  if (call.signal.aborted) return new Failure('stopped', 'Stopped while waiting for boards; nothing was done to any.')
  if (enough(bays, wanted)) return chosen(bays, wanted)
  if (bays.length > 0) {
    return new Failure('too-few-boards', `Only ${bays.length} of ${wanted.boards ?? 1} boards appeared at ${where}. Plug in the others, or ask for fewer with --boards.`, { boards: bays.length })
  }
  return new Failure('no-boards', `No board appeared at ${where} within ${wanted.waitSeconds} s. Check cable and power, or name the ports with --ports; slotwright ports lists what is attached.`)
}

const readyBays = (bays: readonly BayView[]): BayView[] => bays.filter((bay) => bay.port !== null)

const enough = (bays: readonly BayView[], wanted: Wanted): boolean => bays.length >= (wanted.boards ?? 1)

function chosen(bays: readonly BayView[], wanted: Wanted): number[] {
  const numbers = bays.map((bay) => bay.bay).sort((a, b) => a - b)
  return wanted.boards === null ? numbers : numbers.slice(0, wanted.boards)
}
