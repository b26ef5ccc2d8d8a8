// What a file key does: signs for images, packages and checkpoints, and opens encrypted images. ECDSA is deterministic
// (RFC 6979), so signing the same firmware twice gives the same file; RSA-PSS draws its salt. Digest in, signature out:
// node:crypto cannot sign a finished digest with PSS, so the padding is made in image/pss.ts and only raised here.
import { constants, createPrivateKey, privateDecrypt, privateEncrypt, randomBytes } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { p256, p384 } from '@noble/curves/nist.js'
import { Failure, assert } from '../base/failure.ts'
import type { Signer, ToSign } from '../base/signer.ts'
import type { KeyOpener } from '../image/encrypt.ts'
import { encodePss } from '../image/pss.ts'
import { canSign } from '../image/publickey.ts'
import type { FileKey } from './filekey.ts'

/** A signer that holds a private key in memory until closed. */
export type FileSigner = Signer & { close(): void }

/** A signer over this key, which it takes over: `close` wipes it. `unsupported-key` for x25519, which cannot sign. */
export function openSigner(key: FileKey): FileSigner | Failure {
  const { publicKey } = key
  if (!canSign(publicKey)) return new Failure('unsupported-key', 'An x25519 key encrypts, it cannot sign. Choose an ed25519, ecdsa or rsa key.')
  let rsa: KeyObject | null = isRsa(key) ? rsaObject(key) : null
  let closed = false
  return {
    publicKey,
    // async, so that a fault of the library is a rejected promise, as with a token
    async sign(what: ToSign): Promise<Uint8Array | Failure> {
      assert(!closed, 'a closed signer does not sign')
      return Promise.resolve(signWith(key, rsa, what))
    },
    close() {
      closed = true
      rsa = null
      key.wipe()
    },
  }
}

function isRsa(key: FileKey): boolean {
  return key.algorithm === 'rsa-2048' || key.algorithm === 'rsa-3072'
}

function rsaObject(key: FileKey): KeyObject {
  const { pkcs8 } = key
  return createPrivateKey({ key: Buffer.from(pkcs8.buffer, pkcs8.byteOffset, pkcs8.length), format: 'der', type: 'pkcs8' })
}

function signWith(key: FileKey, rsa: KeyObject | null, what: ToSign): Uint8Array | Failure {
  if (key.algorithm === 'ed25519') {
    if ('message' in what) return ed25519.sign(what.message, key.secret)
    return new Failure('bad-request', 'An ed25519 key signs messages, not digests.')
  }
  if (!('digest' in what)) return new Failure('bad-request', `An ${key.algorithm} key signs a digest, not a whole message.`)
  const { digest, hash } = what
  // prehash false: `digest` is a digest already. lowS true: both halves are valid, every verifier takes the low one.
  if (key.algorithm === 'ecdsa-p256') return p256.sign(digest, key.secret, { prehash: false, lowS: true, format: 'der' })
  if (key.algorithm === 'ecdsa-p384') return p384.sign(digest, key.secret, { prehash: false, lowS: true, format: 'der' })
  assert(rsa !== null, 'what is left is RSA')
  const block = encodePss(digest, hash, key.algorithm === 'rsa-2048' ? 2048 : 3072, randomBytes(digest.length))
  return new Uint8Array(privateEncrypt({ key: rsa, padding: constants.RSA_NO_PADDING }, block))
}

/** The other thing a private key does: opening images that were encrypted to it. The key stays the caller's to wipe. */
export function openOpener(key: FileKey): KeyOpener | Failure {
  const { algorithm } = key
  const notOpened = new Failure('not-opened', 'The key does not open this.')
  const guarded = (work: () => Uint8Array): Promise<Uint8Array | Failure> => {
    try {
      return Promise.resolve(work())
    } catch {
      // a point off its curve, or a wrong padding: hostile or meant for another key
      return Promise.resolve(notOpened)
    }
  }
  switch (algorithm) {
    case 'x25519':
      return { algorithm, agree: (point) => guarded(() => x25519.getSharedSecret(key.secret, point)) }
    case 'ecdsa-p256':
      return { algorithm, agree: (point) => guarded(() => p256.getSharedSecret(key.secret, point, false).slice(1, 33)) }
    case 'rsa-2048':
    case 'rsa-3072':
      return {
        algorithm,
        openOaep: (wrapped) => guarded(() => new Uint8Array(privateDecrypt({ key: rsaObject(key), padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, wrapped))),
      }
    case 'ed25519':
    case 'ecdsa-p384':
      return new Failure('unsupported-key', `Images are encrypted to rsa, ecdsa-p256 or x25519 keys; this one is ${algorithm}.`)
  }
}
