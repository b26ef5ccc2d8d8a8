// Which ports become bays by themselves, in the window and for the factory's own systems: USB devices and practice boards. A
// computer's own UART is more often a console or a modem than a board, and a start must never write to it unnamed; the
// command line takes any port by name.
import type { Ports } from './ports.ts'

/** The same ports without those that are neither USB nor practice. */
export function usbOnly(ports: Ports): Ports {
  return {
    list: () => ports.list().filter((port) => port.practice || port.usb !== null),
    onChange: (listener) => ports.onChange(listener),
    open: (path, how, unit) => ports.open(path, how, unit),
    addFolder: (folder) => ports.addFolder(folder),
    close: () => ports.close(),
  }
}
