// Keys, certificates and packages for the tests of this room: real signers over fresh keys, an authority and a signer
// below it, and the world that trusts them.
import { createHash, randomBytes } from 'node:crypto'
import { deflateSync, inflateSync } from 'node:zlib'
import { Failure, failed } from '../../main/base/failure.ts'
import type { KeyAlgorithm, Signer } from '../../main/base/signer.ts'
import { certificateFrom, makeCertificate } from '../../main/cms/certificate.ts'
import type { CertificateOrder } from '../../main/cms/certificate.ts'
import type { Inflate } from '../../main/cms/layers.ts'
import type { LoaderFacts } from '../../main/cms/loader.ts'
import { makePackage } from '../../main/cms/package.ts'
import type { MadePackage, OpenWorld, PackageOrder } from '../../main/cms/package.ts'
import type { Certificate } from '../../main/cms/pki.ts'
import type { Signing } from '../../main/cms/signed.ts'
import { anchorFromCertificate, anchorFromKey } from '../../main/cms/trust.ts'
import type { TrustAnchor } from '../../main/cms/trust.ts'
import { generateKey } from '../../main/keys/filekey.ts'
import type { FileKey } from '../../main/keys/filekey.ts'
import { openSigner } from '../../main/keys/signer.ts'

export const algorithms: readonly KeyAlgorithm[] = ['ed25519', 'ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'rsa-3072']
export const nowMs = Date.UTC(2026, 5, 1)
export const hardware = '1.3.6.1.4.1.99999.7.1'
export const product = '1.3.6.1.4.1.99999.1.4'
const dayMs = 86_400_000

/** The value, or the test's end with the failure's sentence. */
export function good<T>(value: T | Failure): T {
  if (failed(value)) throw new Error(`${value.kind}: ${value.says}`)
  return value
}

export type Party = Readonly<{ key: FileKey; signer: Signer; certificate: Certificate }>

const keys = new Map<KeyAlgorithm, Promise<FileKey>[]>()

/** The nth key of that kind; made once, since RSA keys take their time. */
export async function keyOf(algorithm: KeyAlgorithm, nth = 0): Promise<FileKey> {
  const made = keys.get(algorithm) ?? []
  keys.set(algorithm, made)
  while (made.length <= nth) made.push(generateKey(algorithm))
  return await (made[nth] as Promise<FileKey>)
}

export async function party(algorithm: KeyAlgorithm, nth: number, order: Partial<CertificateOrder> & { issuer?: Party } = {}): Promise<Party> {
  const key = await keyOf(algorithm, nth)
  const signer = good(openSigner(key))
  const { issuer, ...rest } = order
  const der = good(await makeCertificate({
    name: issuer === undefined ? 'Test authority' : 'Test signer', spki: key.publicKey.spki, serial: new Uint8Array(randomBytes(16)), notBeforeMs: nowMs - 10 * dayMs, notAfterMs: nowMs + 3650 * dayMs,
    role: issuer === undefined ? { is: 'authority', below: null } : { is: 'signer' }, ...rest,
  }, { signer: issuer?.signer ?? signer, certificate: issuer?.certificate ?? null }))
  return { key, signer, certificate: good(certificateFrom(der)) }
}

export type House = Readonly<{ authority: Party; signer: Party; signing: Signing; bare: Signing; anchors: readonly TrustAnchor[]; keyAnchors: readonly TrustAnchor[] }>

/** An authority and a signer below it. `bare` signs without any certificate, and `keyAnchors` trust that key. */
export async function house(algorithm: KeyAlgorithm = 'ecdsa-p256'): Promise<House> {
  const authority = await party(algorithm, 1)
  const signer = await party(algorithm, 0, { issuer: authority })
  return {
    authority, signer,
    signing: { signer: signer.signer, certificate: signer.certificate, embed: [signer.certificate] },
    bare: { signer: signer.signer, certificate: null },
    anchors: [good(anchorFromCertificate(authority.certificate.der))],
    keyAnchors: [good(anchorFromKey(signer.signer.publicKey.spki, 'the signer\'s key'))],
  }
}

export const deflate = (bytes: Uint8Array): Uint8Array => new Uint8Array(deflateSync(bytes))
export const inflate: Inflate = (bytes, bytesMax) => {
  try {
    return new Uint8Array(inflateSync(bytes, { maxOutputLength: bytesMax }))
  } catch {
    return new Failure('damaged', 'the data are damaged or too long.')
  }
}

/** Bytes that look like firmware and are the same every time. */
export function firmware(bytes: number, seed = 'f'): Uint8Array {
  const made = new Uint8Array(bytes)
  for (let at = 0, i = 0; at < bytes; at += 32, i++) made.set(createHash('sha256').update(`${seed}${i}`).digest().subarray(0, Math.min(32, bytes - at)), at)
  made.set([0x3d, 0xb8, 0xf3, 0x96].slice(0, bytes))
  return made
}

export function orderWith(changes: Partial<PackageOrder> = {}): PackageOrder {
  return { firmware: firmware(1000), name: { id: product, version: 17n }, hardware: [hardware], signingTimeMs: nowMs, ...changes }
}

export async function packed(signing: Signing, changes: Partial<PackageOrder> = {}): Promise<MadePackage> {
  return good(await makePackage(orderWith(changes), signing))
}

export function worldOf(anchors: readonly TrustAnchor[], loader: Partial<LoaderFacts> | null = {}, rest: Partial<OpenWorld> = {}): OpenWorld {
  return { trust: { anchors, atMs: nowMs }, loader: loader === null ? null : { hardwareType: hardware, ...loader }, inflate, ...rest }
}
