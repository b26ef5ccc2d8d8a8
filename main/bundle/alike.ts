// Names that a person cannot tell apart: a unit "SN-A1" with a Cyrillic А, one with an invisible letter in it, one that turns
// the writing round. To the log they are different names, and so they stay; who reads a report must be told. A small part of
// Unicode's table of confusables (UTS #39): the letters of other scripts that look like Latin ones in capitals or small, which
// is what serial numbers are made of. What looks alike within plain ASCII (0 and O) is left alone: every factory has both.

/** Letters that look like the Latin one before them. */
const lookalikes = [
  'AАΑ', 'BВΒ', 'CСϹ', 'EЕΕ', 'HНΗ', 'IІΙӀ', 'JЈ', 'KКΚ', 'MМΜ', 'NΝ', 'OОΟՕ', 'PРΡ', 'QԚ', 'SЅՏ', 'TТΤ', 'UՍ', 'WԜ', 'XХΧ', 'YУΥҮ', 'ZΖ',
  'aаɑα', 'cсϲ', 'dԁ', 'eеҽ', 'gɡ', 'hһ', 'iіıι', 'jј', 'lӏ', 'nո', 'oоοօ', 'pрρ', 'qԛ', 'sѕ', 'uսυ', 'vνѵ', 'wԝ', 'xхχ', 'yуγ', '3ЗӠ', '6б', '-‐‑‒–—−', '.․', '/⁄∕',
] as const

const latinOf = new Map(lookalikes.flatMap((row) => {
  const [latin = '', ...others] = row
  return others.map((letter) => [letter, latin] as const)
}))

const invisible = /[\p{Cf}\p{Cc}\u115f\u1160\u3164\uffa0\ufe00-\ufe0f]/u
const invisibles = new RegExp(invisible.source, 'gu')
const plain = /^[\x20-\x7e]*$/

/** What a name looks like, in Latin letters where it has such. */
export function looksLike(name: string): string {
  return [...name.normalize('NFKC').replace(invisibles, '')].map((letter) => latinOf.get(letter) ?? letter).join('').trim()
}

/** A name with what cannot be seen, or is not what it seems, written as code points: `SN-[U+0410]1`. */
export function spelt(name: string): string {
  return [...name].map((letter) => (plain.test(letter) ? letter : `[U+${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`)).join('')
}

/** Groups of names that look the same, and single ones with letters that cannot be seen; each group's names spelt out. */
export function alikeAmong(names: Iterable<string>): string[][] {
  const all = new Set(names)
  const odd = [...all].filter((name) => !plain.test(name))
  if (odd.length === 0) return []
  const groups = new Map<string, Set<string>>(odd.map((name) => [looksLike(name), new Set<string>()]))
  for (const name of all) groups.get(looksLike(name))?.add(name)
  return [...groups.values()].map((group) => [...group]).filter((group) => group.length > 1 || group.some((name) => invisible.test(name))).map((group) => group.map(spelt))
}
