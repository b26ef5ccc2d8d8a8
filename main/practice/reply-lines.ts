// A reply as Zephyr's console transport cuts it into lines (mcumgr_serial_tx_pkt in
// subsys/mgmt/mcumgr/transport/src/serial_util.c). Same format as everybody's, other cuts: only the first line is full,
// those after it stay a base64 group shorter, and the two CRC bytes never stand apart from the last bytes of data.
import { crc16 } from '../smp/line.ts'

const fullLineBytes = 93
const laterLineBytes = 90
const lineFeed = 0x0a

/** The lines of one packet, each with its LF. */
export function replyLines(packet: Uint8Array): Uint8Array {
  const crc = crc16(packet)
  const stream = new Uint8Array(packet.length + 4)
  stream.set([(packet.length + 2) >> 8, (packet.length + 2) & 0xff])
  stream.set(packet, 2)
  stream.set([crc >> 8, crc & 0xff], packet.length + 2)
  const lines: Buffer[] = []
  for (let at = 0; at < stream.length;) {
    const take = bytesOfLine(stream.length - at, at === 0 ? fullLineBytes : laterLineBytes)
    lines.push(Buffer.from(at === 0 ? [0x06, 0x09] : [0x04, 0x14]))
    lines.push(Buffer.from(Buffer.from(stream.buffer, at, take).toString('base64'), 'latin1'), Buffer.of(lineFeed))
    at += take
  }
  return new Uint8Array(Buffer.concat(lines))
}

/** How much of the rest, which ends with the two CRC bytes, goes into a line of that room. */
function bytesOfLine(rest: number, room: number): number {
  if (rest <= room) return rest
  const data = rest - 2
  const spare = room - data
  // Data would fit, but not with the CRC: one byte is held back, and with it the group it belongs to.
  const take = spare === 0 || spare === 1 ? data - 1 : room
  return take - (take % 3)
}
