// imgtool's `sign` options as the desk asks for them. Keys and TLV values that lie in files are named by the id of a file that
// a dialog opened; `-k`, `--fix-sig` and the paths are arguments of their own rows in api.ts. What goes together, and with
// which key, the image room says.
import { z } from 'zod'

export const fileId = z.string().regex(/^f[0-9]{1,9}$/)

const u32 = z.number().int().min(0).max(0xffff_ffff)
const version = z.string().min(1).max(40)

/** `value` is text, or hex behind 0x; longer ones come from a file. */
const customTlv = z.union([
  z.strictObject({ type: z.number().int().min(0).max(0xffff), value: z.string().max(4096) }),
  z.strictObject({ type: z.number().int().min(0).max(0xffff), file: fileId }),
])

const encryption = z.strictObject({
  /** The board's public key. */
  keyFile: fileId,
  keyBits: z.union([z.literal(128), z.literal(256)]).optional(),
  hmacSha: z.enum(['auto', '256', '512']).optional(),
  clear: z.boolean().optional(),
  saveEncTlv: z.boolean().optional(),
})

export const signOptions = z.strictObject({
  version,
  headerBytes: z.union([z.literal('auto'), z.number().int().min(32).max(0x10000)]).default(0x200),
  padHeader: z.boolean().default(true),
  slotBytes: z.number().int().min(1).max(0x1000_0000).default(0x69000),
  align: z.union([z.literal(1), z.literal(2), z.literal(4), z.literal(8), z.literal(16), z.literal(32)]).default(4),
  pad: z.boolean().default(false),
  confirm: z.boolean().default(false),
  securityCounter: z.union([z.literal('auto'), u32]).nullable().default(null),
  test: z.boolean().optional(),
  maxAlign: z.union([z.literal(8), z.literal(16), z.literal(32)]).optional(),
  maxSectors: z.number().int().min(1).max(65_536).optional(),
  overwriteOnly: z.boolean().optional(),
  endian: z.enum(['little', 'big']).optional(),
  erasedValue: z.union([z.literal(0), z.literal(0xff)]).optional(),
  loadAddress: u32.optional(),
  romFixed: u32.optional(),
  /** Of an Intel HEX output; otherwise where the firmware's own file put it. */
  hexAddress: u32.optional(),
  nonBootable: z.boolean().optional(),
  dependencies: z.array(z.strictObject({ image: z.number().int().min(0).max(255), version })).max(32).optional(),
  bootRecord: z.string().min(1).max(48).optional(),
  vid: z.string().min(1).max(253).optional(),
  cid: z.string().min(1).max(253).optional(),
  customTlvs: z.array(customTlv).max(32).optional(),
  sha: z.enum(['auto', '256', '384', '512']).optional(),
  pure: z.boolean().optional(),
  publicKeyFormat: z.enum(['hash', 'full']).optional(),
  padSig: z.boolean().optional(),
  compression: z.enum(['disabled', 'lzma2', 'lzma2armthumb']).optional(),
  encrypt: encryption.optional(),
})

/** Checked, with defaults filled in. */
export type AskedOptions = z.output<typeof signOptions>
