// `ports`: what is attached, without touching any board. It needs no home and no log, so it works beside a running window.
import type { Command } from 'commander'
import { failed } from '../../base/failure.ts'
import { portsAt } from '../attached.ts'
import type { Act } from '../call.ts'
import { columns } from '../terminal.ts'

export function declare(command: Command, act: Act): void {
  command
    .option('--ports <dir-or-glob>', 'folder of a practice line, or a pattern of ports (default: all that is attached)')
    .action(act<{ ports?: string }>(async (call, _args, flags) => {
      const ports = await portsAt(flags.ports ?? null)
      if (failed(ports)) return ports
      const rows = ports.map((port) => [
        port.port, port.bay === null ? '-' : String(port.bay), port.serial ?? '-', port.usb ?? (port.practice ? 'practice' : '-'), port.maker ?? '',
      ])
      return {
        document: { ports },
        words: ports.length === 0 ? 'No serial port is attached. Practice boards are one command away: slotwright practice --boards 8 --dir /tmp/line'
          : columns([['port', 'bay', 'serial', 'usb', 'maker'].map(call.paint.dim), ...rows]),
      }
    }))
}
