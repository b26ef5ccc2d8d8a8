// A board profile as it is written in a file, sent over the contract and kept in the home: strict shapes, a limit on every
// number. What each field means stands in line/profile.ts, whose type this schema must give.
import { z } from 'zod'
import type { BoardProfile } from '../line/profile.ts'

const waitMsMax = 600_000

const lineSteps = z.array(z.strictObject({ dtr: z.boolean().optional(), rts: z.boolean().optional(), holdMs: z.number().int().min(0).max(10_000) })).max(16).readonly().default([])

/** Also a file's name, so it holds nothing that a folder could mean something by. */
export const profileName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'a profile is named with letters, digits, - and _')

export const objectIdentifier = z.string().max(200).regex(/^[0-2](\.(0|[1-9][0-9]{0,38})){1,31}$/, 'an object identifier is numbers with dots, like 1.3.6.1.4.1.99999.1')

const bytes = (most: number) => z.number().int().min(1).max(most)

export const boardProfile = z.strictObject({
  name: profileName,
  says: z.string().max(400).default(''),
  hardware: objectIdentifier.nullable().default(null),
  slotBytes: bytes(0x1000_0000).nullable().default(null),
  sectorBytes: bytes(0x100_0000).default(4096),
  writeAlign: z.union([z.literal(1), z.literal(2), z.literal(4), z.literal(8), z.literal(16), z.literal(32)]).default(8),
  eraseSectorMs: z.number().min(0).max(60_000).default(85),
  baudRate: z.number().int().min(1200).max(20_000_000).nullable().default(null),
  framing: z.enum(['console', 'raw']).nullable().default(null),
  bufferBytes: z.number().int().min(96).max(0xffff).nullable().default(null),
  bufferCount: z.number().int().min(1).max(255).nullable().default(null),
  inFlightMax: z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4)]).default(4),
  dtr: z.boolean().nullable().default(null),
  rts: z.boolean().nullable().default(null),
  openSteps: lineSteps,
  recovery: z.strictObject({
    by: z.enum(['none', 'boot-mode', 'lines', 'catch']).default('boot-mode'),
    steps: lineSteps,
    withinMs: z.number().int().min(100).max(waitMsMax).default(10_000),
  }).refine(({ by, steps }) => by !== 'lines' || steps.length > 0, 'recovery by lines needs steps: which of DTR and RTS, and for how long').default({ by: 'boot-mode', steps: [], withinMs: 10_000 }),
  quietAfterResetMs: z.number().int().min(0).max(waitMsMax).default(0),
}) satisfies z.ZodType<BoardProfile>

/** `from`: whether it comes with Slotwright or is this station's own. */
export type BoardProfileView = z.output<typeof boardProfile> & Readonly<{ from: 'built-in' | 'station' }>
