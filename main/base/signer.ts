// The seam between what wants a signature (an image, a package, a checkpoint) and where the private key lives (a file,
// an HSM). Public keys travel as SubjectPublicKeyInfo; the bytes MCUboot hashes for KEYHASH stand beside it.
import type { Failure } from './failure.ts'

/** Key types MCUboot can verify (bootutil/sign_key.h), by imgtool's names. */
export type KeyAlgorithm = 'ed25519' | 'ecdsa-p256' | 'ecdsa-p384' | 'rsa-2048' | 'rsa-3072'

export const keyAlgorithms: readonly KeyAlgorithm[] = ['ed25519', 'ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'rsa-3072']

export type HashName = 'sha256' | 'sha384' | 'sha512'

export type PublicKey = Readonly<{
  algorithm: KeyAlgorithm
  /** SubjectPublicKeyInfo, DER (RFC 5280 section 4.1.2.7). */
  spki: Uint8Array
  /** What MCUboot hashes and imgtool embeds: PKCS#1 RSAPublicKey DER for RSA, SubjectPublicKeyInfo DER for the others. */
  encoded: Uint8Array
}>

/**
 * What is to be signed. ECDSA and RSA-PSS sign a finished digest; Ed25519 signs a message (for MCUboot without `--pure`
 * that message is itself the image digest).
 */
export type ToSign = Readonly<{ digest: Uint8Array; hash: HashName } | { message: Uint8Array }>

export interface Signer {
  readonly publicKey: PublicKey
  /**
   * The signature as MCUboot stores it: DER SEQUENCE{r,s} for ECDSA, 64 bytes for Ed25519, the modulus' length for
   * RSA-PSS (MGF1 with the same hash, salt as long as the digest).
   */
  sign(what: ToSign, signal?: AbortSignal): Promise<Uint8Array | Failure>
}
