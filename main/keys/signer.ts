// What a file key does: signs for images, packages and checkpoints, and opens encrypted images. ECDSA is deterministic
// (RFC 6979), so signing the same firmware twice gives the same file; RSA-PSS draws its salt. Digest in, signature out:
// node:crypto cannot sign a finished digest with PSS, so the padding is made in image/pss.ts and only raised here.
import { constants, createPrivateKey, privateDecrypt, privateEncrypt, randomBytes, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { Failure, assert } from '../base/failure.ts'
import type { Signer, ToSign } from '../base/signer.ts'
import type { KeyOpener } from '../image/encrypt.ts'
import { encodePss } from '../image/pss.ts'
import { canSign } from '../image/publickey.ts'
import { signDigest } from './ecdsa.ts'
import type { FileKey } from './filekey.ts'

/** A signer that holds a private key in memory until closed. */
export type FileSigner = Signer & { close(): void }

/** A signer over this key, which it takes over: `close` wipes it. `unsupported-key` for x25519, which cannot sign. */
export function openSigner(key: FileKey): FileSigner | Failure {
  const { publicKey } = key
  if (!canSign(publicKey)) return new Failure('unsupported-key', 'An x25519 key encrypts, it cannot sign. Choose an ed25519, ecdsa or rsa key.')
  let native: KeyObject | null = isEcdsa(key) ? null : keyObject(key)
  let closed = false
  return {
    publicKey,
    // async, so that a fault of the library is a rejected promise, as with a token
    async sign(what: ToSign): Promise<Uint8Array | Failure> {
      assert(!closed, 'a closed signer does not sign')
      return signWith(key, native, what)
    },
    close() {
      closed = true
      native = null
      key.wipe()
    },
  }
}

function isEcdsa(key: FileKey): boolean {
  return key.algorithm === 'ecdsa-p256' || key.algorithm === 'ecdsa-p384'
}

function keyObject(key: FileKey): KeyObject {
  const { pkcs8 } = key
  return createPrivateKey({ key: Buffer.from(pkcs8.buffer, pkcs8.byteOffset, pkcs8.length), format: 'der', type: 'pkcs8' })
}

async function signWith(key: FileKey, native: KeyObject | null, what: ToSign): Promise<Uint8Array | Failure> {
  if (key.algorithm === 'ed25519') {
    assert(native !== null, 'an ed25519 key signs through node:crypto')
    if ('message' in what) return new Uint8Array(sign(null, what.message, native))
    return new Failure('bad-request', 'An ed25519 key signs messages, not digests.')
  }
  if (!('digest' in what)) return new Failure('bad-request', `An ${key.algorithm} key signs a digest, not a whole message.`)
  const { digest, hash } = what
  if (key.algorithm === 'ecdsa-p256' || key.algorithm === 'ecdsa-p384') {
    // node:crypto signs no finished digest, and not deterministically.
    return signDigest(key.algorithm, key.secret, digest)
  }
  assert(native !== null, 'what is left is RSA')
  const block = encodePss(digest, hash, key.algorithm === 'rsa-2048' ? 2048 : 3072, randomBytes(digest.length))
  return new Uint8Array(privateEncrypt({ key: native, padding: constants.RSA_NO_PADDING }, block))
}

/** The other thing a private key does: opening images that were encrypted to it. The key stays the caller's to wipe. */
export function openOpener(key: FileKey): KeyOpener | Failure {
  const { algorithm } = key
  const notOpened = new Failure('not-opened', 'The key does not open this.')
  const guarded = async (work: () => Uint8Array | Promise<Uint8Array>): Promise<Uint8Array | Failure> => {
    try {
      return await work()
    } catch {
      // a point off its curve, or a wrong padding: hostile or meant for another key
      return notOpened
    }
  }
  switch (algorithm) {
    case 'x25519':
      return { algorithm, agree: (point) => guarded(async () => (await import('@noble/curves/ed25519.js')).x25519.getSharedSecret(key.secret, point)) }
    case 'ecdsa-p256':
      return { algorithm, agree: (point) => guarded(async () => (await import('@noble/curves/nist.js')).p256.getSharedSecret(key.secret, point, false).slice(1, 33)) }
    case 'rsa-2048':
    case 'rsa-3072':
      return {
        algorithm,
        openOaep: (wrapped) => guarded(() => new Uint8Array(privateDecrypt({ key: keyObject(key), padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, wrapped))),
      }
    case 'ed25519':
    case 'ecdsa-p384':
      return new Failure('unsupported-key', `Images are encrypted to rsa, ecdsa-p256 or x25519 keys; this one is ${algorithm}.`)
  }
}
