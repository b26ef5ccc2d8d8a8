// What is attached, for `ports`: the link room's lists, as plain rows.
import { failed } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import type { PortView } from '../contract/views.ts'
import { expandPorts } from '../link/ports.ts'
import { systemSource } from '../link/sources.ts'
import type { AttachedPort } from '../link/sources.ts'

/** The ports somebody named (a practice folder, a port, a pattern), or all of the system's. */
export async function portsAt(text: string | null): Promise<PortView[] | Failure> {
  const ports = text === null ? await systemSource().list() : await expandPorts(text)
  return failed(ports) ? ports : ports.map(viewOf)
}

function viewOf(port: AttachedPort): PortView {
  const { path, serial, bay, manufacturer, vendorId, productId, practice } = port
  return { port: path, serial, bay, maker: manufacturer, usb: vendorId === null ? null : `${vendorId}:${productId ?? '????'}`, practice }
}
