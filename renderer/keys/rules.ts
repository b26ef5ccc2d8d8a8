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

/** What is typed of a key that is to be in the ring. */
export type NewKey = { name: string; class: 'production' | 'test'; newPassphrase: string; again: string }

/** Keys of the sentences against it; null where nothing is to be said. An empty name is wrong, and not yet worth a word. */
export type NewKeyWrong = Readonly<{ name: string | null; secret: string | null; holds: boolean }>

export const emptyKey: Readonly<NewKey> = { name: '', class: 'production', newPassphrase: '', again: '' }

export function newKeyWrong(key: NewKey, taken: readonly string[]): NewKeyWrong {
  const name = key.name === '' ? null : keyNameWrong(key.name, taken)
  const secret = passphraseWrong(key.newPassphrase, key.again, key.class)
  return { name, secret, holds: key.name !== '' && name === null && secret === null }
}
