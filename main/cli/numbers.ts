// Numbers as people type them on a command line: decimal, or with 0x, 0o, 0b as imgtool takes them (Python's int(text, 0)).
// A wrong number is wrong usage (exit 2), so these throw commander's own error.
import { InvalidArgumentError } from 'commander'

/** A reader for whole numbers within [least, most]. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|[0-9]+)$/.test(text.trim()) ? Number(text.trim()) : Number.NaN
    if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('It must be a whole number, such as 8 or 0x200.')
    if (value < least || value > most) throw new InvalidArgumentError(`It must lie between ${least} and ${most}.`)
    return value
  }
}

/** A reader for one word of a list. */
export function oneOf<T extends string>(words: readonly T[]): (text: string) => T {
  return (text) => {
    const found = words.find((word) => word === text)
    if (found === undefined) throw new InvalidArgumentError(`It must be one of ${words.join(', ')}.`)
    return found
  }
}

/** Stands between the two words of an option of two words; no argument of a process can contain it. */
export const pairMark = '\u0000'

/** Options of two words, which commander does not know: `--custom-tlv TAG VALUE` becomes one word with a mark inside. */
export function joinPairs(words: readonly string[]): string[] {
  const joined: string[] = []
  for (let at = 0; at < words.length; at++) {
    const [word = '', tag, value] = words.slice(at, at + 3)
    if (word === '--') return [...joined, ...words.slice(at)]
    if ((word === '--custom-tlv' || word === '--custom-tlv-file') && tag !== undefined && value !== undefined) {
      joined.push(`${word}=${tag}${pairMark}${value}`)
      at += 2
    } else joined.push(word)
  }
  return joined
}

/** A reader for what is appended to a name in C or Rust. */
export function nameSuffix(text: string): string {
  if (!/^[A-Za-z0-9_]{1,64}$/.test(text)) throw new InvalidArgumentError('It goes into a C or Rust name: letters, digits and _ only.')
  return text
}
