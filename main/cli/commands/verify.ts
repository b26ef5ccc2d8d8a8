// `verify`: one question, one answer. With a key: would a board with this key boot the image? Without: is it undamaged?
import type { Command } from 'commander'
import { toHex } from '../../base/bytes.ts'
import { Failure, failed } from '../../base/failure.ts'
import { formatVersion } from '../../image/version.ts'
import { verifyImage } from '../../image/verify.ts'
import type { Act } from '../call.ts'
import { readImageFile } from '../image-file.ts'
import { publicKeyNamed } from '../keys.ts'
import { openWith, openedDocument, openedWords } from '../opened.ts'
import type { OpenFlags } from '../opened.ts'

export function declare(command: Command, act: Act): void {
  command
    .argument('<file>', 'image, binary or Intel HEX')
    .option('-k, --key <key>', 'the key: name, fingerprint or PEM file; without it only the hash is checked')
    .option('--decrypt-key <key>', 'the private key an encrypted image was made for: its plaintext is checked too')
    .option('--passphrase-file <file>', 'file whose first line is the passphrase of an encrypted key')
    .action(act<OpenFlags & { key?: string }>(async (call, [path = ''], flags) => {
      const bytes = await readImageFile(path)
      if (failed(bytes)) return bytes
      const key = flags.key === undefined ? null : await publicKeyNamed(call, flags.key, flags)
      if (failed(key)) return key
      const opened = flags.decryptKey === undefined ? null : await openWith(call, bytes, flags, key?.publicKey)
      if (failed(opened)) return opened
      const verified = opened?.verified ?? verifyImage(bytes, key?.publicKey, { encryptedOk: key !== null })
      if (failed(verified)) return verified
      if (opened?.decompressed?.signatureHolds === false) return new Failure('bad-signature', 'The image itself verifies, but the signature of the unpacked image (DECOMP_SIGNATURE) does not hold: boards would unpack it and then refuse it.')
      const { signedBy } = verified
      const version = formatVersion(verified.version)
      const proven = signedBy === null
        ? 'Its hash holds; its signature was not checked (give --key).'
        : verified.hashCheck === 'encrypted'
          ? `Its ${signedBy.algorithm} signature holds. It is encrypted, and its hash covers the plaintext: give --decrypt-key to check that too.`
          : `Hash and ${signedBy.algorithm} signature hold.`
      return {
        document: {
          file: path,
          holds: true,
          version,
          hash: toHex(verified.digest),
          hashKind: verified.hash,
          hashCheck: verified.hashCheck,
          signature: signedBy === null ? 'not-checked' : 'holds',
          algorithm: signedBy?.algorithm ?? null,
          keyHash: signedBy === null ? null : toHex(signedBy.keyHash),
          key: key?.name ?? null,
          imageBytes: verified.imageBytes,
          bootable: verified.bootable,
          ...(opened === null ? {} : { opened: openedDocument(opened) }),
        },
        words: `${proven}${opened === null || openedWords(opened) === '' ? '' : `\n${openedWords(opened)}`}\nversion ${version}, hash ${toHex(verified.digest)}`,
      }
    }))
}
