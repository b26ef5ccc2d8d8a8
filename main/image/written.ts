// Options of `sign` as people write them, on a command line or at the desk, and how they become what the image is built
// from: versions and TLV values are still text, and `auto` still asks the firmware. Files have been read before, since this
// room reads none.
import { fromHex, utf8 } from '../base/bytes.ts'
import type { Failure } from '../base/failure.ts'
import { attemptAsync, must, refuse } from '../base/failure.ts'
import type { SignOptions } from './options.ts'
import type { TlvEntry } from './tlv.ts'
import { parseVersion } from './version.ts'

/** As `SignOptions`; what is spelled out here is what a person still has as text. */
export type WrittenOptions = Omit<SignOptions, 'version' | 'headerBytes' | 'dependencies' | 'customTlvs'> & Readonly<{
  version: string
  /** `auto`: as the firmware's vector table says, `padHeader` included. */
  headerBytes: number | 'auto'
  dependencies?: readonly Readonly<{ image: number; version: string }>[] | undefined
  /** A value is a file's bytes, or text, which is hex where it begins with 0x. */
  customTlvs?: readonly Readonly<{ type: number; value: string | Uint8Array }>[] | undefined
}>

/** Kinds: `bad-version`, `bad-option`, and `no-vector-table` of `auto`. What the values mean together is `checkOptions`' business. */
export async function readOptions(written: WrittenOptions, firmware: Uint8Array): Promise<SignOptions | Failure> {
  return attemptAsync(async () => {
    const { version, headerBytes, padHeader, dependencies, customTlvs, ...rest } = written
    return {
      ...rest,
      version: must(parseVersion(version)),
      ...(headerBytes === 'auto' ? await roomIn(firmware) : { headerBytes, padHeader }),
      dependencies: dependencies?.map((one) => ({ image: one.image, version: must(parseVersion(one.version)) })),
      customTlvs: customTlvs?.map(entryOf),
    } satisfies SignOptions
  })
}

/** `-H auto`: what the vector table says. */
async function roomIn(firmware: Uint8Array): Promise<Pick<SignOptions, 'headerBytes' | 'padHeader'>> {
  const { headerRoom } = await import('./vectortable.ts')
  const { headerBytes, padHeader } = must(headerRoom(firmware))
  return { headerBytes, padHeader }
}

function entryOf({ type, value }: Readonly<{ type: number; value: string | Uint8Array }>): TlvEntry {
  if (typeof value !== 'string') return { type, value }
  if (!value.startsWith('0x')) return { type, value: utf8(value) }
  return { type, value: fromHex(value.slice(2)) ?? refuse('bad-option', `--custom-tlv ${value.slice(0, 40)} is not an even number of hex digits.`, { option: 'custom-tlv' }) }
}
