// VID and CID: UUIDs as imgtool's --vid/--cid take them (image.py parse_uuid): written out with or without dashes, or a
// name hashed into a version-5 UUID (RFC 9562 §5.5), the vendor in the DNS namespace, the class in the vendor's.
import { createHash } from 'node:crypto'
import { concat, fromHex, utf8 } from '../base/bytes.ts'
import { Failure } from '../base/failure.ts'

const dnsNamespace = fromHex('6ba7b8109dad11d180b400c04fd430c8') ?? new Uint8Array(0)
const nameBytesMax = 255

/** The vendor's 16 bytes. */
export function vendorId(text: string): Uint8Array | Failure<'bad-option'> {
  return uuidOf(text, dnsNamespace, 'vid')
}

/** The class's 16 bytes; a name needs the vendor as its namespace. */
export function classId(text: string, vendor: Uint8Array | null): Uint8Array | Failure<'bad-option'> {
  return uuidOf(text, vendor, 'cid')
}

function uuidOf(text: string, namespace: Uint8Array | null, option: string): Uint8Array | Failure<'bad-option'> {
  if (/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(text)) return fromHex(text.replaceAll('-', '')) ?? new Uint8Array(16)
  if (/^[0-9a-f]{32}$/i.test(text)) return fromHex(text) ?? new Uint8Array(16)
  const name = utf8(text)
  if (text === '' || name.length > nameBytesMax || /\p{C}|(?! )\p{Z}/u.test(text)) {
    return new Failure('bad-option', `--${option} takes a UUID or a name of up to ${nameBytesMax} printable characters.`, { option })
  }
  if (namespace === null) {
    return new Failure('bad-option', '--cid as a name needs --vid too, since the class is named within its vendor. Give --vid, or --cid as a UUID.', { option })
  }
  const uuid = new Uint8Array(createHash('sha1').update(concat(namespace, name)).digest()).slice(0, 16)
  uuid[6] = ((uuid[6] ?? 0) & 0x0f) | 0x50
  uuid[8] = ((uuid[8] ?? 0) & 0x3f) | 0x80
  return uuid
}
