// KEYHASH: by what MCUboot finds the key an image was signed with (bootutil_find_key). It is the image hash's own
// function over the key's encoding, so an Ed25519 key has one KEYHASH in SHA-256 images and another in SHA-512 images.
import { createHash } from 'node:crypto'
import { toHex } from '../base/bytes.ts'
import type { HashName, PublicKey } from '../base/signer.ts'
import type { AnyPublicKey } from './publickey.ts'

/** The hash imgtool takes for a key with `--sha auto`. */
export function defaultHash(key: Pick<AnyPublicKey, 'algorithm'>): HashName {
  return key.algorithm === 'ecdsa-p384' ? 'sha384' : 'sha256'
}

/** KEYHASH of a key: under the image's hash, or the default one (SHA-384 for P-384, else SHA-256). */
export function keyHash(key: PublicKey | AnyPublicKey, hash: HashName = defaultHash(key)): Uint8Array {
  return new Uint8Array(createHash(hash).update(key.encoded).digest())
}

// MCUboot publishes the private halves of these (mcuboot/root-*.pem, enc-*-priv.pem): anyone can sign with them.
const testKeys: ReadonlyMap<string, string> = new Map([
  ['fc5701dc6135e1323847bdc40f04d2e5bee5833b23c29f93593d00018cfa9994', 'root-rsa-2048.pem'],
  ['449793fb65cd7698753d5b3f35fab15f1e3a45111ff24e1d46741de5ae12d59e', 'root-rsa-3072.pem'],
  ['e30466f6b8470c1f29070b17f1e2d3e94d445e3f608087fdc711e4382bb538b6', 'root-ec-p256.pem'],
  ['73590e9134e142c440ef5aa3260dd6e3923a9c367a2de9da685891713babcca2c8de576ea0b8d865b42b47c27ef4d411893986eab8a0a5724ed5fe47a7b4ba8b', 'root-ec-p256.pem'],
  ['85b7bd5f5dff9a03a99927adaf6ca6febde822c1a480928324a8e60323715c5779461c496a95aee8c4f90b99779f848a', 'root-ec-p384.pem'],
  ['6bcd1e16d80e5fe13a5307e6f1de8344c7e50e537d9962ce35ef6db5e642fae8', 'root-ec-p384.pem'],
  ['c1907fa4eac7fae3840a78902b6f0710b037e9968e5c6274a12a28790c7d4e3c', 'root-ed25519.pem'],
  ['e3e129b49f1218e18e4614acb2523389c75852ebb98b4d2c6171a2fc65706ba3d1ddf85f52e71450c3e572e624695fafd41ce4d9354d6c2b19f7d6001a6ae8b0', 'root-ed25519.pem'],
  ['6754edab1e29affef4a05935adecbeb1a7b8b62397b31e39a61b5bfcaafd63af', 'root-ed25519-2.pem'],
  ['e11ed22583de283392266b917bd82e88486edf47bc58c7ce8e42f9fb90e1daa900e72f172e4bd4fb19fc1870638e3a89c3f033ef4db6f6235d02ee623b4b2924', 'root-ed25519-2.pem'],
  ['b1d87d60173352b9a4808979790fc699fb4c4f83b49cf1970edd96ff4adc36a6', 'root-ed25519-unknown.pem'],
  ['37491781699741ec96e7faaf03c04e70f135f2f8b1f09d5a2a53667115052331e6a8abd3310476e7fbedf676feb9e8bcff7ff5366e8470714c0ef4c582941881', 'root-ed25519-unknown.pem'],
  ['5ac4d62dc5efbed57e705f61b5f2df8e2b73ec5a573c1582144e38131f4c62d7', 'enc-rsa2048-priv.pem'],
  ['3c23fc4e1d332a0c86e6a8bf6ecf26046d702302e135bf53fc04a009a33a78c5', 'enc-ec256-priv.pem'],
  ['9a1dc1eb80199d8498f2a75dde0a7b75216e8302bf3a12bd04f153f48f3f24a0', 'enc-x25519-priv.pem'],
])

/** The file in MCUboot's repository whose published private key this KEYHASH belongs to, or undefined. */
export function knownTestKey(keyHashHex: string): string | undefined {
  return testKeys.get(keyHashHex.toLowerCase())
}

/** The same, asked with the key itself. */
export function knownTestKeyOf(key: AnyPublicKey): string | undefined {
  return knownTestKey(toHex(keyHash(key)))
}
