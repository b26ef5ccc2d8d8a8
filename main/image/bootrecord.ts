// The BOOT_RECORD TLV: a CBOR map for PSA attestation (Arm PSA Attestation API 1.0; imgtool boot_record.py). The
// measurement value stands last and is zero, because the loader writes the image hash over it.
import { encode } from 'cborg'
import { concat } from '../base/bytes.ts'
import type { HashName } from '../base/signer.ts'
import type { ImageVersion } from './version.ts'

const property = { type: 1, measurement: 2, version: 4, signer: 5, description: 6 } as const

/** The record's bytes. The order of the five keys is part of the format, so the map's head is written here. */
export function bootRecord(softwareType: string, version: ImageVersion, hash: HashName, signerId: Uint8Array): Uint8Array {
  const digestBytes = { sha256: 32, sha384: 48, sha512: 64 }[hash]
  const properties: readonly (readonly [number, string | Uint8Array])[] = [
    [property.type, softwareType],
    [property.version, `${version.major}.${version.minor}.${version.revision}`],
    [property.signer, signerId],
    [property.description, hash.toUpperCase()],
    [property.measurement, new Uint8Array(digestBytes)],
  ]
  return concat(Uint8Array.of(0xa0 | properties.length), ...properties.flatMap(([name, value]) => [encode(name), encode(value)]))
}
