// Taking off what may lie around the firmware in a package (RFC 4108 §2: compression, then encryption), as a bootloader that
// unpacks does it and as firmware built beside it does to list what was uploaded. The bounds are the slot's: a package that
// would grow beyond it is refused before it does.
import { createHash } from 'node:crypto'
import { inflateSync } from 'node:zlib'
import { toHex } from '../base/bytes.ts'
import { Failure, attempt, failed } from '../base/failure.ts'
import type { Inflate, NamedSecret } from '../cms/layers.ts'
import { readPackage, unwrapFirmware } from '../cms/package.ts'
import type { OpenWorld } from '../cms/package.ts'

/** What a board needs to take packages that are not plain. */
export type LayersWorld = Required<Pick<OpenWorld, 'decrypt' | 'inflate'>>

/** Its firmware keys serve as wrapping keys alike. `roomBytes` is the most that anything in the slot could become. */
export function layersOf(keys: readonly NamedSecret[], roomBytes: number): LayersWorld {
  const inflate: Inflate = (bytes, bytesMax) => {
    try {
      return new Uint8Array(inflateSync(bytes, { maxOutputLength: Math.min(bytesMax, roomBytes) }))
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : ''
      if (code !== 'ERR_BUFFER_TOO_LARGE' && !code.startsWith('Z_')) throw error
      return new Failure('not-inflated', code === 'ERR_BUFFER_TOO_LARGE' ? 'it would become larger than the slot.' : 'the data are damaged.')
    }
  }
  return { decrypt: { firmwareKeys: keys, wrappingKeys: keys }, inflate }
}

/** The firmware in a package's bytes, nothing proven by that; null where it does not come out. */
export type TakeOut = (packageBytes: Uint8Array) => Uint8Array | null

/** Remembers the last package, by its hash: a server lists its slots at every turn. */
export function takeOutWith(world: LayersWorld): TakeOut {
  let last: Readonly<{ hash: string; firmware: Uint8Array | null }> | null = null
  return (packageBytes) => {
    const hash = toHex(createHash('sha256').update(packageBytes).digest())
    if (last?.hash === hash) return last.firmware
    const firmware = attempt(() => {
      const read = readPackage(packageBytes)
      return unwrapFirmware(read, read.attributes.known, world).firmware
    })
    last = { hash, firmware: failed(firmware) ? null : firmware }
    return last.firmware
  }
}
