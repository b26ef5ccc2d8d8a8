// Public keys from whatever people have: PEM "PUBLIC KEY" or "RSA PUBLIC KEY", a certificate (RFC 5280; its key is taken,
// its signature is not judged), bare DER, or a private key's file that is not encrypted.
import { concat } from '../base/bytes.ts'
import { Failure, attempt, failed, must, refuse } from '../base/failure.ts'
import { childrenOf, derTag, readWholeDer } from '../image/der.ts'
import { publicKeyFromSpki, rsaFromEncoded } from '../image/publickey.ts'
import type { AnyPublicKey } from '../image/publickey.ts'
import { keyFromPkcs8, readKeyPem } from './filekey.ts'
import { PEM_BYTES_MAX, readPem } from './pem.ts'

/** The public key in a file's bytes. With an encrypted private key the passphrase is needed, as imgtool needs it. */
export async function readPublicKey(bytes: Uint8Array, passphrase?: string): Promise<AnyPublicKey | Failure> {
  if (bytes.length === 0) return new Failure('not-a-key', 'The key file is empty.')
  if (bytes.length > PEM_BYTES_MAX) return new Failure('not-a-key', `This is not a key file: it has ${bytes.length} bytes, and a key has a few thousand at most.`, { bytes: bytes.length })
  if (bytes[0] === derTag.sequence) return readPublicDer(bytes)
  return readPublicKeyPem(new TextDecoder('latin1').decode(bytes), passphrase)
}

/** The same from PEM text. */
export async function readPublicKeyPem(text: string, passphrase?: string): Promise<AnyPublicKey | Failure> {
  const blocks = readPem(text)
  if (failed(blocks)) return blocks
  if (blocks.some(({ label }) => label.endsWith('PRIVATE KEY'))) {
    const key = await readKeyPem(text, passphrase)
    if (failed(key)) return key
    key.wipe()
    return key.publicKey
  }
  const block = blocks.find(({ label }) => ['PUBLIC KEY', 'RSA PUBLIC KEY', 'CERTIFICATE'].includes(label))
  if (block === undefined) return new Failure('not-a-key', 'This is not a key file: a public key begins with "-----BEGIN PUBLIC KEY-----".')
  return readPublicDer(block.der)
}

/** SubjectPublicKeyInfo, PKCS#1 RSAPublicKey, a certificate, or plain PKCS#8, told apart by their shape. */
export function readPublicDer(der: Uint8Array): AnyPublicKey | Failure {
  const key = attempt(() => {
    const parts = childrenOf(readWholeDer(der, derTag.sequence))
    const [first, second, third] = parts
    if (parts.length === 2 && first?.tag === derTag.integer) return rsaFromEncoded(der)
    if (parts.length === 2 && second?.tag === derTag.bits) return must(publicKeyFromSpki(der))
    if (first?.tag === derTag.sequence && third?.tag === derTag.bits) {
      // TBSCertificate: [0] version, serial, algorithm, issuer, validity, subject, key, …
      const fields = childrenOf(first)
      const spki = fields[fields[0]?.tag === 0xa0 ? 6 : 5]
      if (spki?.tag !== derTag.sequence) refuse('not-a-key', 'The certificate does not read: it is damaged.')
      return must(publicKeyFromSpki(concat(spki.whole)))
    }
    const privateKey = must(keyFromPkcs8(der))
    privateKey.wipe()
    return privateKey.publicKey
  })
  return failed(key) && key.kind === 'not-der' ? new Failure('not-a-key', 'This is not a key: its ASN.1 does not read as one.') : key
}
