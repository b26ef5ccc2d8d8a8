// One question to one board, without a station: the port is opened, asked and given back.
import { stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { realClock } from '../base/clock.ts'
import { failed } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import type { BoardView } from '../contract/views.ts'
import type { BoardProfile } from '../line/profile.ts'
import { practiceFile } from '../link/sources.ts'
import { askBoard } from '../station/ask.ts'
import { watchPorts } from '../station/attached.ts'

/** What the board behind that port says of itself. Kinds: `no-such-port`, those of opening a port, those of an exchange. */
export async function askBoardAt(port: string, profile: BoardProfile): Promise<BoardView | Failure> {
  // In a practice folder the port's file tells no serial number; the folder does.
  const folder = dirname(resolve(port))
  const isPractice = await stat(join(folder, practiceFile)).then(() => true, () => false)
  const there = await stat(port).then(() => true, () => false)
  const ports = await watchPorts({ from: [isPractice && there ? folder : port], clock: realClock })
  if (failed(ports)) return ports
  try {
    return await askBoard(isPractice ? resolve(port) : port, ports, realClock, profile)
  } finally {
    await ports.close()
  }
}
