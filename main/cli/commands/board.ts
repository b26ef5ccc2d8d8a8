// `board`: what one board says of itself, asked over its port. It is only asked, never changed, and nothing is logged, so
// this works beside a running station; a port that the station holds says so. With --save-profile its answers become a
// board profile of this station, which is.
import type { Command } from 'commander'
import { failed } from '../../base/failure.ts'
import type { Failure } from '../../base/failure.ts'
import type { BoardView } from '../../contract/views.ts'
import { askBoardAt } from '../ask.ts'
import { findProfile, profileFrom } from '../../station/profiles.ts'
import type { Act, Answer, Call } from '../call.ts'
import { homeFolder } from '../home.ts'
import { wholeNumber } from '../numbers.ts'
import { withStation } from '../station-call.ts'
import { columns, sizeWords } from '../terminal.ts'

export function declare(command: Command, act: Act): void {
  command
    .argument('<port>', 'serial port, like /dev/ttyACM0 or /tmp/line/ttyP0')
    .option('--baud <rate>', 'line rate of a real port (default: the profile\'s, else 115200)', wholeNumber(1200, 10_000_000))
    .option('--profile <name>', 'board profile to ask it by')
    .option('--save-profile <name>', 'keep what it says as a board profile of this station')
    .action(act<Flags>(ask))
}

type Flags = Readonly<{ baud?: number; profile?: string; saveProfile?: string }>

async function ask(call: Call, [port = '']: readonly string[], flags: Flags): Promise<Answer | Failure> {
  const found = await findProfile(homeFolder(call), flags.profile ?? null)
  if (failed(found)) return found
  const profile = flags.baud === undefined ? found : { ...found, baudRate: flags.baud }
  const board = await askBoardAt(port, profile)
  if (failed(board)) return board
  const { saveProfile } = flags
  if (saveProfile === undefined) return { document: board, words: boardWords(call, board) }
  return await withStation(call, { ports: [], keys: [] }, async (station) => {
    const kept = await station.saveProfile({ profile: profileFrom(board, saveProfile, profile) })
    return failed(kept) ? kept : { document: kept, words: `${boardWords(call, board)}\n\nKept as the board profile "${kept.name}"; \`slotwright profile show ${kept.name}\` prints it.` }
  })
}

function boardWords(call: Call, board: BoardView): string {
  const { paint } = call
  const active = board.slots.find((slot) => slot.active)
  const about = columns([
    ['board', board.board ?? 'does not tell its serial number'],
    ['runs', active === undefined ? (board.recovery ? 'no firmware: its bootloader waits for an image' : 'nothing it would name') : `${active.version}${active.confirmed ? '' : paint.care(' on test, not confirmed')}`],
    ['bootloader', board.recovery ? 'MCUboot, in serial recovery' : [board.bootloader, board.mode].filter((word) => word !== null).join(', ') || 'does not tell'],
    ...(board.application === null ? [] : [['application', board.application]]),
    ['buffer', board.bufferBytes === null ? 'does not tell' : `${board.bufferCount ?? '?'} × ${board.bufferBytes} bytes`],
  ].map(([name = '', value = '']) => [paint.dim(name), value]))
  const slots = columns([
    ['slot', 'version', 'hash', 'state', 'size'].map(paint.dim),
    ...board.slots.map((slot) => [
      `${slot.image}.${slot.slot}`, slot.version, slot.hash === null ? '-' : `${slot.hash.slice(0, 16)}…`,
      (['active', 'confirmed', 'pending', 'permanent', 'bootable'] as const).filter((flag) => slot[flag]).join(' '),
      slot.bytes === null ? '' : sizeWords(slot.bytes),
    ]),
  ])
  return [paint.bold(board.port), about, '', slots].join('\n')
}
