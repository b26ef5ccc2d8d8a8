// Reading as far as writing goes, for `inspect` and `verify`: the image decrypted with the board's private key and unpacked,
// and what that proved. An image that is neither encrypted nor compressed has nothing to open.
import { createHash } from 'node:crypto'
import { toHex } from '../base/bytes.ts'
import { failed } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import type { PublicKey } from '../base/signer.ts'
import { openImage } from '../image/open.ts'
import type { OpenedImage } from '../image/open.ts'
import { openOpener } from '../keys/signer.ts'
import type { Call } from './call.ts'
import { openPrivateKey } from './keys.ts'
import type { PassphraseOptions } from './passphrase.ts'

export type OpenFlags = PassphraseOptions & Readonly<{ decryptKey?: string }>

/** Opens the image; `--decrypt-key` is needed for encrypted ones. Kinds: of `openImage` and of opening a private key. */
export async function openWith(call: Call, bytes: Uint8Array, flags: OpenFlags, key: PublicKey | undefined): Promise<OpenedImage | Failure> {
  if (flags.decryptKey === undefined) return openImage(bytes, { key })
  const opened = await openPrivateKey(call, flags.decryptKey, flags)
  if (failed(opened)) return opened
  try {
    const opener = openOpener(opened.key)
    return failed(opener) ? opener : await openImage(bytes, { key, opener })
  } finally {
    opened.key.wipe()
  }
}

/** The same as plain data. */
export function openedDocument({ firmware, decrypted, decompressed }: OpenedImage): Readonly<Record<string, unknown>> {
  return {
    decrypted,
    firmwareBytes: firmware.length,
    firmwareSha256: createHash('sha256').update(firmware).digest('hex'),
    decompressed: decompressed === null ? null : { hash: toHex(decompressed.digest), signatureHolds: decompressed.signatureHolds },
  }
}

/** One line for a person; empty when there was nothing to open. */
export function openedWords({ firmware, decrypted, decompressed }: OpenedImage): string {
  if (!decrypted && decompressed === null) return ''
  const signature = decompressed === null || decompressed.signatureHolds === null ? '' : decompressed.signatureHolds ? ', and so does its signature' : ', but its signature does not hold'
  return [
    ...(decrypted ? ['decrypted: the plaintext hash holds'] : []),
    ...(decompressed === null ? [] : [`unpacked to ${firmware.length} bytes: the hash of the unpacked image holds${signature}`]),
  ].join('; ')
}
