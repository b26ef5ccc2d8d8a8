// The parts of a recipe that are lists of their own: self-tests of the new image and each unit's data. Strict shapes with
// a limit on everything; a secret may only come from the table, so that no recipe, view or log ever holds one.
import { z } from 'zod'
import { formatTrouble, serialCharsMax } from '../line/serial-rule.ts'

const pattern = z.string().min(1).max(200)
const timeoutMs = z.number().int().min(100).max(120_000).default(5_000)
const path = z.string().min(1).max(128)

/** `*` in a pattern stands for any run of characters, `?` for one; it covers a whole line. */
export const selfTest = z.discriminatedUnion('test', [
  z.strictObject({ test: z.literal('os-info'), format: z.string().regex(/^[snrvbmpioa]{1,10}$/).default('a'), matches: pattern, timeoutMs }),
  z.strictObject({ test: z.literal('statistic'), group: z.string().min(1).max(64), name: z.string().min(1).max(64), min: z.number(), max: z.number(), timeoutMs }),
  z.strictObject({ test: z.literal('shell'), command: z.array(z.string().min(1).max(128)).min(1).max(16).readonly(), returns: z.number().int().default(0), matches: pattern.nullable().default(null), timeoutMs }),
  z.strictObject({ test: z.literal('console'), matches: pattern, timeoutMs }),
  z.strictObject({ test: z.literal('file'), path, matches: pattern.nullable().default(null), sha256: z.string().regex(/^[0-9a-f]{64}$/).nullable().default(null), timeoutMs })
    .refine((test) => test.matches !== null || test.sha256 !== null, 'say what the file must hold: "matches" or "sha256"'),
  /** A person is asked, after all that a board can tell by itself; only yes is yes. */
  z.strictObject({ test: z.literal('question'), asks: z.string().min(1).max(200), timeoutMs: z.number().int().min(1_000).max(3_600_000).default(120_000) }),
])
export const selfTests = z.array(selfTest).max(32)

export const unitData = z.array(
  z.strictObject({ what: z.enum(['setting', 'file']), name: path, value: z.string().max(4096), secret: z.boolean().default(false) })
    .refine((item) => !item.secret || /^\{[A-Za-z][A-Za-z0-9_ -]{0,63}\}$/.test(item.value), 'a secret comes from the table: its value is one {column} and nothing else'),
).max(32)

/** How the serial numbers look that somebody scans for each unit: a regular expression for the whole text. */
export const serialRule = z.strictObject({
  format: z.string().superRefine((format, issue) => {
    const trouble = formatTrouble(format)
    if (trouble !== null) issue.addIssue({ code: 'custom', message: trouble })
  }),
})
/** What a scanner typed. */
export const serialText = z.string().min(1).max(serialCharsMax)

export type SelfTestView = z.output<typeof selfTest>
export type UnitDataView = z.output<typeof unitData>[number]
