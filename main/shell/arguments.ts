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

/** What `--auditor PATH` or `--auditor=PATH` names: a home, a database file or an audit bundle; null when it is not given. */
export function namedAuditor(args: readonly string[]): string | null {
  for (const [at, word] of args.entries()) {
    if (word.startsWith('--auditor=')) return word.slice('--auditor='.length) || null
    const next = args[at + 1]
    if (word === '--auditor' && next !== undefined && !next.startsWith('--')) return next
  }
  return null
}
