// `board`: what one board says of itself, asked over its port. It is only asked, never changed, and nothing is logged, so
// this works beside a running station; a port that the station holds says so.
import type { Command } from 'commander'
import { failed } from '../../base/failure.ts'
import type { BoardView } from '../../contract/views.ts'
import { askBoardAt } from '../ask.ts'
import type { Act, Call } from '../call.ts'
import { wholeNumber } from '../numbers.ts'
import { columns, sizeWords } from '../terminal.ts'

export function declare(command: Command, act: Act): void {
  command
    .argument('<port>', 'serial port, like /dev/ttyACM0 or /tmp/line/ttyP0')
    .option('--baud <rate>', 'line rate of a real port', wholeNumber(1200, 10_000_000), 115_200)
    .action(act<{ baud: number }>(async (call, [port = ''], flags) => {
      const board = await askBoardAt(port, flags.baud)
      return failed(board) ? board : { document: board, words: boardWords(call, board) }
    }))
}

function boardWords(call: Call, board: BoardView): string {
  const { paint } = call
  const active = board.slots.find((slot) => slot.active)
  const about = columns([
    ['board', board.board ?? 'does not tell its serial number'],
    ['runs', active === undefined ? 'nothing it would name' : `${active.version}${active.confirmed ? '' : paint.care(' on test, not confirmed')}`],
    ['bootloader', [board.bootloader, board.mode].filter((word) => word !== null).join(', ') || 'does not tell'],
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
