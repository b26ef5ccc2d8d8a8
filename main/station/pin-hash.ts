// PINs and badge codes as the station keeps them: scrypt (RFC 7914) with a salt of each person's own. A PIN of four digits
// is found by trying ten thousand, whatever the hash: what protects it is that the station counts wrong tries, and that its
// database is for its owner alone. scrypt makes a stolen database cost something for passphrases and badge codes.
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import type { SecretHash } from '../store/accounts.ts'

/** 32 MiB and about 0.1 s on a desktop of 2024; `maxmem` leaves scrypt room for just that. */
export const costNow = { n: 2 ** 15, r: 8, p: 1 }
const hashBytes = 32
const saltBytes = 16

export type Cost = Readonly<{ n: number; r: number; p: number }>

function derive(secret: string, salt: Uint8Array, { n, r, p }: Cost): Promise<Buffer> {
  // NFKC: the same PIN typed on another keyboard layout or with full-width digits is the same PIN.
  const bytes = Buffer.from(secret.normalize('NFKC'), 'utf8')
  return new Promise((resolve, reject) => {
    scrypt(bytes, salt, hashBytes, { N: n, r, p, maxmem: 256 * n * r + 1_000_000 }, (error, key) => {
      bytes.fill(0)
      if (error === null) resolve(key)
      else reject(error)
    })
  })
}

/** Hashes a new secret with a fresh salt. */
export async function hashSecret(secret: string, cost: Cost = costNow): Promise<SecretHash> {
  const salt = randomBytes(saltBytes)
  const hash = await derive(secret, salt, cost)
  return { salt: salt.toString('hex'), hash: hash.toString('hex'), n: cost.n, r: cost.r, p: cost.p }
}

/** Whether this is the secret; as long for nobody's (null) as for somebody's. */
export async function sameSecret(secret: string, kept: SecretHash | null, cost: Cost = costNow): Promise<boolean> {
  const against = kept ?? { salt: '00'.repeat(saltBytes), hash: '00'.repeat(hashBytes), ...cost }
  const hash = await derive(secret, Buffer.from(against.salt, 'hex'), against)
  return timingSafeEqual(hash, Buffer.from(against.hash, 'hex')) && kept !== null
}

/** A badge code under the home's badge salt: the same code gives the same text, so that it can be looked up. */
export async function hashBadge(code: string, salt: string, cost: Cost = costNow): Promise<string> {
  return (await derive(code.trim(), Buffer.from(salt, 'hex'), cost)).toString('hex')
}

/** A salt for a home's badges. */
export function newBadgeSalt(): string {
  return randomBytes(saltBytes).toString('hex')
}
