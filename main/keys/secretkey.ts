// A symmetric key at rest: the same PBES2 encryption as a private key's (pbes2.ts), around a PKCS#8 PrivateKeyInfo whose
// algorithm is AES itself (2.16.840.1.101.3.4.1), as Java's key stores keep secret keys in PKCS#12. No RFC gives AES keys a
// file of their own; openssl's asn1parse reads it, its pkcs8 decrypts it and then knows no such key.
import { concat } from '../base/bytes.ts'
import { Failure, attempt, failed } from '../base/failure.ts'
import { childrenOf, derTag, readOid, readSmallInteger, readWholeDer, writeDer, writeInteger, writeOid } from '../image/der.ts'
import { checkLength, decryptKey, encryptKey } from './pbes2.ts'
import { readPem, writePem } from './pem.ts'

const aes = '2.16.840.1.101.3.4.1'
const label = 'ENCRYPTED PRIVATE KEY'

export function isAesKey(key: Uint8Array): boolean {
  return key.length === 16 || key.length === 32
}

/** PEM of the key (16 or 32 bytes), encrypted. Kind `weak-passphrase`. */
export async function sealSecretKey(key: Uint8Array, passphrase: string): Promise<string | Failure> {
  const weak = checkLength(passphrase)
  if (weak !== null) return weak
  const inner = writeDer(derTag.sequence, writeInteger(0), writeDer(derTag.sequence, writeOid(aes)), writeDer(derTag.octets, key))
  const sealed = await encryptKey(inner, passphrase)
  inner.fill(0)
  return writePem(label, sealed)
}

/** Whether a text is a sealed key of some kind, by its first line. */
export function isSealed(text: string): boolean {
  return text.trimStart().startsWith(`-----BEGIN ${label}-----`)
}

/** The key; the caller wipes it. Kinds: `not-a-key`, and those of `decryptKey`. */
export async function openSecretKey(pem: string, passphrase: string): Promise<Uint8Array | Failure> {
  const blocks = readPem(pem)
  const block = failed(blocks) ? undefined : blocks.find((one) => one.label === label)
  if (block === undefined) return notAKey()
  const opened = await decryptKey(block.der, passphrase)
  if (failed(opened)) return opened.kind === 'not-der' ? notAKey() : opened
  const key = attempt(() => {
    const [version, algorithm, octets] = childrenOf(readWholeDer(opened, derTag.sequence))
    const [name] = algorithm === undefined ? [] : childrenOf(algorithm)
    const holds = readSmallInteger(version) === 0 && algorithm?.tag === derTag.sequence && readOid(name) === aes && octets?.tag === derTag.octets && isAesKey(octets.content)
    return holds ? concat(octets.content) : notAKey()
  })
  opened.fill(0)
  return failed(key) ? notAKey() : key
}

function notAKey(): Failure {
  return new Failure('not-a-key', 'This file holds no AES key of a station: it is damaged, or the key of another kind.')
}
