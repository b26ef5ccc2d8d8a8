// RSASSA-PSS over a finished digest (RFC 8017 §8.1, §9.1), MGF1 with the same hash, salt as long as the digest. Node can
// only sign and verify PSS over whole messages, but a signer (or an HSM) is handed a digest, and an encrypted image's
// signature must be checkable from its hash TLV alone. The modular exponentiation is node:crypto's (RSA_NO_PADDING).
import { constants, createHash, createPublicKey, publicEncrypt } from 'node:crypto'
import { concat, sameBytes, viewOf } from '../base/bytes.ts'
import { assert } from '../base/failure.ts'
import type { HashName, PublicKey } from '../base/signer.ts'

/** MGF1 (RFC 8017 §B.2.1). */
export function mgf1(hash: HashName, seed: Uint8Array, bytes: number): Uint8Array {
  const blocks: Uint8Array[] = []
  for (let counter = 0, made = 0; made < bytes; counter++) {
    const index = new Uint8Array(4)
    viewOf(index).setUint32(0, counter)
    const block = new Uint8Array(createHash(hash).update(seed).update(index).digest())
    blocks.push(block)
    made += block.length
  }
  return concat(...blocks).subarray(0, bytes)
}

/** EMSA-PSS-ENCODE (RFC 8017 §9.1.1): the block a private key raises, for a modulus of `modulusBits` (a multiple of 8). */
export function encodePss(digest: Uint8Array, hash: HashName, modulusBits: number, salt: Uint8Array): Uint8Array {
  assert(modulusBits % 8 === 0 && salt.length === digest.length, 'PSS as MCUboot uses it')
  const blockBytes = modulusBits / 8
  const h = hashOfMPrime(digest, hash, salt)
  const dbBytes = blockBytes - h.length - 1
  const db = new Uint8Array(dbBytes)
  db[dbBytes - salt.length - 1] = 1
  db.set(salt, dbBytes - salt.length)
  const mask = mgf1(hash, h, dbBytes)
  for (let i = 0; i < dbBytes; i++) db[i] = (db[i] ?? 0) ^ (mask[i] ?? 0)
  db[0] = (db[0] ?? 0) & 0x7f
  return concat(db, h, Uint8Array.of(0xbc))
}

function hashOfMPrime(digest: Uint8Array, hash: HashName, salt: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(hash).update(new Uint8Array(8)).update(digest).update(salt).digest())
}

/** RSASSA-PSS-VERIFY over a digest (RFC 8017 §8.1.2 and §9.1.2) with a salt as long as the digest. */
export function verifyPss(signature: Uint8Array, digest: Uint8Array, hash: HashName, key: PublicKey): boolean {
  const modulusBits = key.algorithm === 'rsa-2048' ? 2048 : key.algorithm === 'rsa-3072' ? 3072 : 0
  assert(modulusBits > 0, 'PSS is for RSA keys')
  if (signature.length !== modulusBits / 8) return false
  const block = raise(signature, key.spki)
  if (block === null || block[block.length - 1] !== 0xbc || (block[0] ?? 0) >= 0x80) return false
  const dbBytes = block.length - digest.length - 1
  const h = block.subarray(dbBytes, dbBytes + digest.length)
  const db = concat(block.subarray(0, dbBytes))
  const mask = mgf1(hash, h, dbBytes)
  for (let i = 0; i < dbBytes; i++) db[i] = (db[i] ?? 0) ^ (mask[i] ?? 0)
  db[0] = (db[0] ?? 0) & 0x7f
  const saltAt = dbBytes - digest.length
  for (let i = 0; i < saltAt - 1; i++) if (db[i] !== 0) return false
  if (db[saltAt - 1] !== 1) return false
  return sameBytes(h, hashOfMPrime(digest, hash, db.subarray(saltAt)))
}

// Null when the library refuses: a signature not below the modulus, or a key that is no RSA key after all.
function raise(signature: Uint8Array, spki: Uint8Array): Uint8Array | null {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
    return new Uint8Array(publicEncrypt({ key, padding: constants.RSA_NO_PADDING }, signature))
  } catch {
    return null
  }
}
