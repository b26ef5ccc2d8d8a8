// "Connect my first board": what stands between a person and the first answer, found one thing after the other. May the
// port be opened, does anything come out of it, at which rate and in which framing does SMP answer, and what is the board.
// What surprised us: a board whose console is at another rate sends bytes all the same, so "heard something" is no rate.
import type { Clock } from '../base/clock.ts'
import { Failure, failed } from '../base/failure.ts'
import type { DiagnosisView, TriedView } from '../contract/line-views.ts'
import { commonProfile } from '../line/profile.ts'
import { SmpClient } from '../smp/client.ts'
import type { Framing } from '../smp/client.ts'
import { echo } from '../smp/os.ts'
import { askBoard } from './ask.ts'
import type { Port, Ports } from './ports.ts'
import { failureView } from './views.ts'

/** Rates that boards are found at, the usual ones first. Symbols a second. */
export const ratesTried: readonly number[] = [115_200, 921_600, 1_000_000, 460_800, 230_400, 57_600, 38_400, 9_600, 2_000_000]
/** Longer than a firmware takes to answer an echo, shorter than a person waits nine times. */
const echoTimeoutMs = 450
/** Questions at the first rate: a board that has just been plugged in boots first, and hears nothing meanwhile. */
const firstTurnsUsual = 5
/** Ends whatever half a line a try before has left in the board's buffer. */
const newLine = Uint8Array.of(0x0a)
const heardCharsMax = 160
const heardLinesMax = 4

export type DiagnosisWorld = Readonly<{ ports: Ports; clock: Clock; onChange(view: DiagnosisView): void; rates?: readonly number[]; firstTurns?: number }>

/** Finds out about one listed port; never fails, since whatever is wrong is the finding. Takes some 10 s on a silent board. */
export async function diagnosePort(port: Port, { ports, clock, onChange, rates = ratesTried, firstTurns = firstTurnsUsual }: DiagnosisWorld): Promise<DiagnosisView> {
  let view: DiagnosisView = { port: port.path, finding: 'trying', failure: null, remedy: null, tried: [], heard: null, baud: null, framing: null, board: null }
  const show = (change: Partial<DiagnosisView>): DiagnosisView => {
    view = { ...view, ...change }
    onChange(view)
    return view
  }
  show({})
  for (const baud of rates) {
    for (const framing of ['console', 'raw'] as const) {
      const said = await trySpeaking(port, { baud, framing, turns: view.tried.length === 0 ? firstTurns : 1 }, ports, clock)
      // A rate that the driver cannot do is one less to try.
      if (failed(said) && said.kind === 'bad-baud-rate') break
      if (failed(said)) return show(cannotOpen(said, port))
      show({ tried: [...view.tried, said.tried], heard: said.heard ?? view.heard })
      if (said.answers) return show(await meet(port, baud, framing, ports, clock))
    }
  }
  const talks = view.tried.some((each) => each.heardBytes > 0)
  return show(talks
    ? { finding: 'talks', failure: failureView(new Failure('not-smp', `The board behind ${port.path} sends something but does not answer the board protocol (SMP). Its firmware needs MCUmgr on this very port; a board in its bootloader's console or with a shell only talks like this too.`)) }
    : { finding: 'silent', failure: failureView(new Failure('board-silent', `Nothing comes back from ${port.path} at any of the usual rates. Check power, then the wires: the adapter's TX goes to the board's RX, RX to TX, GND to GND, at the board's voltage; and that the firmware has MCUmgr on this port.`)) })
}

type Said = Readonly<{ tried: TriedView; answers: boolean; heard: string | null }>

/** Opens, asks for an echo, listens, closes. Failures: those of opening a port. */
async function trySpeaking(port: Port, { baud, framing, turns }: Readonly<{ baud: number; framing: Framing; turns: number }>, ports: Ports, clock: Clock): Promise<Said | Failure> {
  const link = await ports.open(port.path, { baudRate: baud })
  if (failed(link)) return link
  let heardBytes = 0
  const stopCounting = link.onBytes((bytes) => {
    heardBytes += bytes.length
  })
  const client = new SmpClient(link, clock, { framing })
  const lines: string[] = []
  client.onNoise((line) => {
    const text = line.replace(/[^\x20-\x7e]/g, '·').trim()
    if (text !== '' && lines.length < heardLinesMax) lines.push(text.slice(0, heardCharsMax))
  })
  try {
    let answers = false
    for (let turn = 0; turn < turns && !answers; turn++) {
      if (framing === 'console') await link.write(newLine)
      const answer = await client.request(echo, { text: 'slotwright' }, { timeoutMs: echoTimeoutMs })
      // A refusal is an answer too: a bootloader in serial recovery knows no echo.
      answers = !failed(answer) || answer.kind === 'refused'
    }
    return { tried: { baud, framing, heardBytes }, answers, heard: lines.length === 0 ? null : lines.join('\n') }
  } finally {
    stopCounting()
    client.close()
    await link.close()
  }
}

async function meet(port: Port, baud: number, framing: Framing, ports: Ports, clock: Clock): Promise<Partial<DiagnosisView>> {
  const board = await askBoard(port.path, ports, clock, { ...commonProfile, baudRate: baud, framing })
  return { finding: 'answers', baud, framing, ...(failed(board) ? { failure: failureView(board) } : { board }) }
}

function cannotOpen(failure: Failure, port: Port): Partial<DiagnosisView> {
  const finding = failure.kind === 'no-permission' || failure.kind === 'port-held' ? failure.kind : 'cannot-open'
  return { finding, failure: failureView(failure), remedy: finding === 'no-permission' ? remedyFor(port) : null }
}

/** What lets this person open this device: a rule for its USB maker, or the group that owns serial ports. Linux only. */
export function remedyFor({ usb }: Pick<Port, 'usb'>, platform: NodeJS.Platform = process.platform): string | null {
  if (platform !== 'linux') return null
  const vendor = /^([0-9a-f]{4}):/i.exec(usb ?? '')?.[1]?.toLowerCase()
  if (vendor === undefined) return 'sudo usermod -aG dialout "$USER"'
  const rule = `SUBSYSTEM=="tty", SUBSYSTEMS=="usb", ATTRS{idVendor}=="${vendor}", TAG+="uaccess", ENV{ID_MM_DEVICE_IGNORE}="1"`
  return `echo '${rule}' | sudo tee /etc/udev/rules.d/60-slotwright-${vendor}.rules\nsudo udevadm control --reload && sudo udevadm trigger`
}

const blinkMs = 3_000
const blinkEveryMs = 120

/**
 * Makes the lights of a board's serial adapter flicker: echoes, which change nothing on the board. A board with USB of its
 * own may have no such light; `answered` then still says that the right board was asked.
 */
export async function blinkBoard(port: Port, ports: Ports, clock: Clock): Promise<{ answered: number } | Failure> {
  const link = await ports.open(port.path)
  if (failed(link)) return link
  const client = new SmpClient(link, clock)
  let answered = 0
  try {
    const untilMs = clock.monotonicMs() + blinkMs
    while (clock.monotonicMs() < untilMs) {
      const reply = await client.request(echo, { text: 'x'.repeat(64) }, { timeoutMs: echoTimeoutMs })
      if (failed(reply) && reply.kind === 'unplugged') return reply
      if (!failed(reply)) answered += 1
      await new Promise<void>((resolve) => void clock.after(blinkEveryMs, resolve))
    }
    return { answered }
  } finally {
    client.close()
    await link.close()
  }
}
