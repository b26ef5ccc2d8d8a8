// One line of a verdict: what was checked, and what came of it.

/** `holds` was checked and is so; `broken` was checked and is not; `note` is what the reader should know. */
export type Finding = Readonly<{ is: 'holds' | 'broken' | 'note'; about: string; says: string }>
