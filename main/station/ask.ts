// Asks one board, outside any run, what it says of itself.
import type { Clock } from '../base/clock.ts'
import type { Failure } from '../base/failure.ts'
import { failed } from '../base/failure.ts'
import type { BoardView } from '../contract/views.ts'
import { commonProfile } from '../line/profile.ts'
import type { BoardProfile } from '../line/profile.ts'
import { appInfo } from '../smp/os.ts'
import { Conversation } from './conversation.ts'
import { portHow } from './ports.ts'
import type { Port, Ports } from './ports.ts'
import { identify } from './steps.ts'

const appInfoTimeoutMs = 2_000

/** Opens the port, asks, gives it back. Failures: those of opening a port and of an exchange. */
export async function askBoard(path: string, ports: Ports, clock: Clock, profile: BoardProfile = commonProfile): Promise<BoardView | Failure> {
  const port = ports.list().find((each) => each.path === path) ?? strangerAt(path)
  const talk = new Conversation(port.unit, { list: () => [port], onChange: () => () => {}, open: (at, how) => ports.open(at, how) }, clock, profile.framing ?? 'console', portHow(profile))
  const stop = new AbortController()
  try {
    const said = await identify(talk, stop.signal, profile)
    if (failed(said)) return said
    const application = await talk.ask(appInfo, { format: 'srv' }, { timeoutMs: appInfoTimeoutMs })
    const { board } = said
    return {
      port: path,
      board: port.serial,
      bufferBytes: board.bufferBytes,
      bufferCount: board.bufferCount,
      bootloader: board.bootloader,
      recovery: board.recovery === true,
      mode: board.mode === 'unknown' ? null : board.mode,
      application: failed(application) ? null : application.output,
      framing: talk.framing,
      slots: board.slots.map((slot) => ({ ...slot, bytes: board.slotBytes.find((place) => place.image === slot.image && place.slot === slot.slot)?.bytes ?? null })),
    }
  } finally {
    await talk.hangUp()
  }
}

/** A port that nobody lists may still be named: a device node in a container, or a link. */
function strangerAt(path: string): Port {
  return { path, unit: path, serial: null, bay: null, place: null, maker: null, usb: null, practice: false }
}
