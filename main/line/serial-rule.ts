// The rule for the serial numbers a scanner types: which look right, and which were given to a unit before. The format is a
// regular expression in the recipe; it comes from a person, so forms that can take for ever on a short text are refused.
import { Failure } from '../base/failure.ts'

/** Longest serial number a unit may have. */
export const serialCharsMax = 64
export const serialFormatCharsMax = 120

/** Ways to read one text that a format may have at most; each is a walk over 64 characters. */
const waysMax = 100_000

/** What is wrong with a format, or null. Quantified groups and back references are what can take for ever, and so are many choices one behind the other (`a{0,9}a{0,9}a{0,9}…`). */
export function formatTrouble(format: string): string | null {
  if (format.length === 0 || format.length > serialFormatCharsMax) return `a format has 1 to ${serialFormatCharsMax} characters`
  // Letters that mean themselves, and classes, choose nothing.
  const bare = format.replace(/\\(?:[pPu]\{[^}]*\}|.)/gsu, (escape) => (/^\\[1-9k]$/.test(escape) ? escape : 'x')).replace(/\[[^\]]*\]/g, 'x').replace(/\(\?(?:[:=!]|<[=!]|<[^>]*>)/g, '(')
  if (/\)[*+{]/.test(bare)) return 'a format may not repeat a group; write the repetition inside'
  if (/\\[1-9k]/.test(bare)) return 'a format may not refer back to a group'
  if ((bare.match(/[*+]|\{\d+,\}/g) ?? []).length > 2) return 'a format may have at most two open repetitions (* or +); give numbers instead'
  if (waysOf(bare) > waysMax) return 'a format may not leave so much open: give exact numbers ({8} in place of {1,8}), and fewer parts that may be left out'
  try {
    new RegExp(`^(?:${format})$`, 'u')
    return null
  } catch {
    return 'the format is no regular expression'
  }
}

/** The product of all choices: a bound on the ways in which a text can be tried. */
function waysOf(bare: string): number {
  let ways = 1
  for (const [, open, from, comma, to] of bare.matchAll(/([*+?])|\{(\d+)(?:(,)(\d*))?\}/g)) {
    if (open !== undefined) ways *= open === '?' ? 2 : serialCharsMax + 1
    else if (comma !== undefined) ways *= Math.max(1, (to === '' || to === undefined ? serialCharsMax : Math.min(Number(to), serialCharsMax)) - Number(from) + 1)
  }
  return ways * 2 ** (bare.match(/\|/g) ?? []).length
}

/** Null: the serial number may be used. Kinds `serial-format`, `serial-used`; `usedBy` is the unit that has it. */
export function checkSerial(serial: string, format: string, usedBy: string | null, unit: string | null): Failure | null {
  if (serial.length > serialCharsMax || !/^[\x20-\x7e]+$/.test(serial) || !new RegExp(`^(?:${format})$`, 'u').test(serial)) {
    return new Failure('serial-format', `"${serial.slice(0, serialCharsMax)}" is no serial number of this product (it must look like ${format}). Scan the label on the unit.`)
  }
  if (usedBy !== null && usedBy !== unit) {
    return new Failure('serial-used', `The serial number ${serial} was given to another unit already (${usedBy}). Scan the right label; if two units bear this number, put both aside.`, { serial, unit: usedBy.slice(0, 128) })
  }
  return null
}
