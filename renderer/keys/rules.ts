// What the key forms ask of the typist, as keys of words. The station checks the same and more.

/** Key of the sentence against this name, or null. */
export function keyNameWrong(name: string, taken: readonly string[]): string | null {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) return 'keys.nameWrong'
  return taken.includes(name) ? 'keys.nameTaken' : null
}

/** Key of the sentence against this passphrase and its repetition, or null. */
export function passphraseWrong(passphrase: string, again: string, use: 'production' | 'test'): string | null {
  if (passphrase === '' && again === '' && use === 'production') return 'keys.needPassphrase'
  return passphrase === again ? null : 'keys.differs'
}
