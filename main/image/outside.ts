// A signature made elsewhere, as signers hand it out. imgtool's --fix-sig wants base64 in one line; `openssl dgst` writes bare
// bytes, `base64` breaks its lines, and most HSMs answer r‖s, some in hex. Each is told by its length for this kind of key, and
// a wrong guess costs nothing: no signature is embedded that does not verify over the image.
import { Failure, attempt, failed } from '../base/failure.ts'
import type { KeyAlgorithm, PublicKey } from '../base/signer.ts'
import { childrenOf, derTag, readDer, writeDer, writeInteger } from './der.ts'

/** Bytes of r‖s, or of the one form that RSA and Ed25519 have. */
const plainBytes: Readonly<Record<KeyAlgorithm, number>> = { ed25519: 64, 'ecdsa-p256': 64, 'ecdsa-p384': 96, 'rsa-2048': 256, 'rsa-3072': 384 }
/** imgtool's --pad-sig appends zeros for loaders before MCUboot 1.5. */
const padBytesMax = 2

/** The signature in a file, for this key. Kind `bad-signature` when the file holds none; whether it fits is seen later. */
export function readOutsideSignature(file: Uint8Array, fileName: string, key: Pick<PublicKey, 'algorithm'>): Uint8Array | Failure<'bad-signature'> {
  for (const bytes of forms(file)) {
    const signature = signatureOf(bytes, key.algorithm)
    if (signature !== null) return signature
  }
  return new Failure('bad-signature', `${fileName} holds no ${key.algorithm} signature: ${wanted(key.algorithm)} are expected, as base64, as hex or as they are. Give the file that the outside signer's answer was saved in.`, { algorithm: key.algorithm })
}

/** DER SEQUENCE { r, s } of r‖s, both halves of one length. */
export function derFromHalves(raw: Uint8Array): Uint8Array {
  const half = raw.length / 2
  return writeDer(derTag.sequence, writeInteger(magnitude(raw.subarray(0, half))), writeInteger(magnitude(raw.subarray(half))))
}

function* forms(file: Uint8Array): Generator<Uint8Array> {
  const text = new TextDecoder('latin1').decode(file).replace(/\s+/g, '')
  if (/^(?:[0-9a-f]{2})+$/i.test(text)) yield new Uint8Array(Buffer.from(text, 'hex'))
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(text)) yield new Uint8Array(Buffer.from(text, 'base64'))
  yield file
}

function signatureOf(bytes: Uint8Array, algorithm: KeyAlgorithm): Uint8Array | null {
  const isEcdsa = algorithm === 'ecdsa-p256' || algorithm === 'ecdsa-p384'
  // First, since random r‖s look like a sequence of two numbers once in 2^48.
  if (isEcdsa && isTwoNumbers(bytes)) return bytes
  if (bytes.length !== plainBytes[algorithm]) return null
  return isEcdsa ? derFromHalves(bytes) : bytes
}

function isTwoNumbers(bytes: Uint8Array): boolean {
  const numbers = attempt(() => {
    const [value, pad] = readDer(bytes, derTag.sequence)
    return pad.length <= padBytesMax && pad.every((byte) => byte === 0) ? childrenOf(value) : []
  })
  return !failed(numbers) && numbers.length === 2 && numbers.every(({ tag }) => tag === derTag.integer)
}

function wanted(algorithm: KeyAlgorithm): string {
  const bytes = plainBytes[algorithm]
  return algorithm.startsWith('ecdsa') ? `DER or ${bytes} bytes of r and s` : `${bytes} bytes`
}

function magnitude(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0)
  return first < 0 ? Uint8Array.of(0) : bytes.subarray(first)
}

/**
 * The line for a terminal that makes the signature with OpenSSL 3, where the private key is: people took the digest for a
 * message, hashed it once more, and got a signature that no loader takes. `file` holds what `vectorToSign` gave.
 */
export function opensslCommand(algorithm: KeyAlgorithm, what: 'digest' | 'payload', file: string): string {
  const hash = algorithm === 'ecdsa-p384' ? 'sha384' : 'sha256'
  const rsa = algorithm === 'rsa-2048' || algorithm === 'rsa-3072'
  const [inFile, outFile] = [shellWord(file), shellWord(`${file}.sig`)]
  if (algorithm === 'ed25519') return `openssl pkeyutl -sign -rawin -inkey KEY.pem -in ${inFile} -out ${outFile}`
  if (what === 'payload') return `openssl dgst -${hash}${rsa ? ' -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32' : ''} -sign KEY.pem -out ${outFile} ${inFile}`
  return `openssl pkeyutl -sign -inkey KEY.pem${rsa ? ` -pkeyopt digest:${hash} -pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:32` : ''} -in ${inFile} -out ${outFile}`
}

function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll('\'', '\'\\\'\'')}'`
}
