// Patterns in recipes, matched against text that a board wrote: `*` stands for any run of characters, `?` for exactly one,
// everything else for itself. No regular expressions on purpose: a board's text is hostile, and with some of them a
// single line of it could hold the whole station for minutes.

export const patternCharsMax = 200

/** True when the pattern covers the whole text, white space at its ends aside. Takes at most pattern × text steps. */
export function matches(pattern: string, text: string): boolean {
  const subject = text.trim()
  let at = 0
  let from = 0
  let star = -1
  let resume = 0
  while (from < subject.length) {
    if (at < pattern.length && (pattern[at] === '?' || (pattern[at] !== '*' && pattern[at] === subject[from]))) {
      at++
      from++
    } else if (pattern[at] === '*') {
      star = at++
      resume = from
    } else if (star >= 0) {
      at = star + 1
      from = ++resume
    } else {
      return false
    }
  }
  while (pattern[at] === '*') at++
  return at === pattern.length
}
