// Two images side by side: every field of their reports that differs, by a path a person can read. Offsets are left out
// of the comparison, since one longer TLV would move all that follow.
import type { ImageReport, TlvReport } from './inspect.ts'

export type Difference = Readonly<{ what: string; left: string; right: string }>

const scalars = ['version', 'imageBytes', 'fileBytes', 'endian', 'bootable', 'encrypted', 'compressed', 'pure', 'keyHash', 'securityCounter'] as const
const headerFields = ['headerBytes', 'payloadBytes', 'protectedTlvBytes', 'loadAddress'] as const

const show = (value: unknown): string => (value === null || value === undefined ? '—' : typeof value === 'string' ? value : JSON.stringify(value))

/** What differs; empty when the two say the same. Equal reports with different payloads differ in their hash. */
export function compareImages(left: ImageReport, right: ImageReport): Difference[] {
  const found: Difference[] = []
  const add = (what: string, a: unknown, b: unknown) => {
    if (show(a) !== show(b)) found.push({ what, left: show(a), right: show(b) })
  }
  for (const field of scalars) add(field, left[field], right[field])
  for (const field of headerFields) add(`header ${field}`, left.header[field], right.header[field])
  add('flags', left.header.flagNames.join(' ') || 'none', right.header.flagNames.join(' ') || 'none')
  add('hash', left.hash?.claimed, right.hash?.claimed)
  add('hash check', left.hash?.check, right.hash?.check)
  add('signature', left.signature?.name, right.signature?.name)
  add('signature check', left.signature?.check, right.signature?.check)
  add('after the image', left.rest.is, right.rest.is)
  add('swap', left.trailer?.swap, right.trailer?.swap)
  const keys = new Set([...left.tlvs, ...right.tlvs].map(tlvKey))
  for (const key of keys) {
    const values = (report: ImageReport) => report.tlvs.filter((tlv) => tlvKey(tlv) === key).map((tlv) => tlv.means?.says ?? tlv.hex).join(', ') || null
    add(`TLV ${key}`, values(left), values(right))
  }
  return found
}

function tlvKey(tlv: TlvReport): string {
  return `${tlv.name === 'UNKNOWN' ? `0x${tlv.type.toString(16)}` : tlv.name}${tlv.area === 'protected' ? ' (protected)' : ''}`
}
