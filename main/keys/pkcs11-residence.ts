// Whether a private key can leave its token, in words. The token's own attributes are the proof (PKCS#11 v2.40 section 4.9):
// SENSITIVE and EXTRACTABLE say what may happen from now on, ALWAYS_SENSITIVE, NEVER_EXTRACTABLE and LOCAL what may have
// happened before. A token could lie; these words go as far as its word does.
import type { Residence } from './pkcs11-words.ts'

export type ResidenceVerdict = Readonly<{
  /** `bound`: made in the token and never able to leave it; `held`: cannot leave it now, but may be elsewhere too; `loose`: can leave it; `untold`. */
  verdict: 'bound' | 'held' | 'loose' | 'untold'
  says: string
  /** Whether a production key like this deserves a warning. */
  warns: boolean
}>

/** Judges what a token says of a key. */
export function judgeResidence({ sensitive, extractable, alwaysSensitive, neverExtractable, local }: Residence): ResidenceVerdict {
  if (extractable === true) {
    return { verdict: 'loose', warns: true, says: sensitive === true ? 'This key can leave its token: it may be exported, wrapped with another key (CKA_EXTRACTABLE is set).' : 'This key can leave its token, even in the clear (CKA_EXTRACTABLE is set and CKA_SENSITIVE is not).' }
  }
  if (sensitive === false) return { verdict: 'loose', warns: true, says: 'This key can be read out of its token in the clear (CKA_SENSITIVE is not set).' }
  if (sensitive === null || extractable === null) return { verdict: 'untold', warns: true, says: 'The token does not say whether this key can leave it.' }
  if (alwaysSensitive === true && neverExtractable === true && local === true) {
    return { verdict: 'bound', warns: false, says: 'This key was made in its token and has never been able to leave it.' }
  }
  const why = local === false ? 'it was made elsewhere and brought in' : neverExtractable === false ? 'it could leave it once' : alwaysSensitive === false ? 'it could be read once' : 'the token does not say where it was made'
  return { verdict: 'held', warns: true, says: `This key cannot leave its token now, but copies may exist: ${why}.` }
}
