// What may stand behind the program's name when it opens the window. Chromium's own switches pass by unread.

/** The folder of `--home DIR` or `--home=DIR`; null when it is not given. */
export function namedHome(args: readonly string[]): string | null {
  for (const [at, word] of args.entries()) {
    if (word.startsWith('--home=')) return word.slice('--home='.length) || null
    const next = args[at + 1]
    if (word === '--home' && next !== undefined && !next.startsWith('--')) return next
  }
  return null
}
