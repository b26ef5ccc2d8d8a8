// Reading an image as far as writing goes: decrypted with the board's private key, unpacked, and what that proves. The key is
// one of the ring's or a PEM file that was opened; it is wiped again whatever comes of it, and the log has that a key of the
// ring was used. The firmware itself goes nowhere: only its size and hash do.
import { createHash } from 'node:crypto'
import { toHex } from '../base/bytes.ts'
import type { Failure} from '../base/failure.ts';
import { attemptAsync, failed, must, refuse } from '../base/failure.ts'
import type { CheckedArgsOf } from '../contract/api.ts'
import type { DecryptionKeyView, OpenedImageView } from '../contract/views.ts'
import { openerAlgorithms } from '../image/encrypt.ts'
import { isEncrypted, parseImage } from '../image/format.ts'
import { openImage } from '../image/open.ts'
import type { OpenedImage } from '../image/open.ts'
import { readKeyPem } from '../keys/filekey.ts'
import type { FileKey } from '../keys/filekey.ts'
import type { KeyEntry } from '../keys/keyring.ts'
import { openOpener } from '../keys/signer.ts'
import type { DeskWorld } from './desk.ts'
import { knownSignerOf } from './images.ts'
import { keyData } from './key-rows.ts'

/** Keys of the ring, by kind, that this image may have been encrypted to; empty for one that is not encrypted. */
export async function decryptionKeys({ keyring, files }: DeskWorld, id: string): Promise<DecryptionKeyView[] | Failure> {
  const file = files.get(id)
  if (failed(file)) return file
  const image = parseImage(file.bytes)
  if (failed(image)) return image
  const fitting = openerAlgorithms(image)
  const entries = await keyring.list()
  if (failed(entries)) return entries
  return entries
    .filter((entry) => entry.token === null && entry.retiredAt === null && fitting.includes(entry.algorithm))
    .map(({ name, algorithm, encrypted }) => ({ name, algorithm, encrypted }))
}

/**
 * Opens an image to its firmware and says what held. Kinds: of `openImage`, of opening a key (`needs-passphrase`,
 * `wrong-passphrase` …), and `no-key` for an encrypted image without one.
 */
export async function openEncrypted(world: DeskWorld, args: CheckedArgsOf<'openEncrypted'>): Promise<OpenedImageView | Failure> {
  return attemptAsync(async () => {
    const file = must(world.files.get(args.file))
    const image = must(parseImage(file.bytes))
    const signer = must(await knownSignerOf(world, file.bytes))
    if (!isEncrypted(image.header)) return viewOf(must(await openImage(file.bytes, { key: signer ?? undefined })))
    const { key, entry } = must(await privateKey(world, args))
    try {
      const opened = must(await openImage(file.bytes, { key: signer ?? undefined, opener: must(openOpener(key)) }))
      // Without that entry nobody learns what the key was used for; a file that is not the station's own is its owner's matter.
      if (entry !== null) must(world.log.recordAct({ kind: 'key-used', data: { ...keyData(entry), purpose: 'other', digest: toHex(opened.verified.digest) } }, 'engineer'))
      if (args.keyFile !== null) world.files.wipe(args.keyFile)
      return viewOf(opened)
    } finally {
      key.wipe()
    }
  })
}

async function privateKey({ keyring, files }: DeskWorld, { key: name, keyFile, passphrase }: CheckedArgsOf<'openEncrypted'>): Promise<{ key: FileKey; entry: KeyEntry | null } | Failure> {
  return attemptAsync(async () => {
    const typed = passphrase === null || passphrase === '' ? undefined : passphrase
    if (keyFile !== null) return { key: must(await readKeyPem(new TextDecoder().decode(must(files.get(keyFile)).bytes), typed)), entry: null }
    if (name === null) return refuse('no-key', 'This image is encrypted: choose the private key it was made for.')
    const found = must(await keyring.find(name))
    return { key: must(await keyring.open(name, typed)), entry: found.entry }
  })
}

function viewOf({ verified, firmware, decrypted, decompressed }: OpenedImage): OpenedImageView {
  return {
    decrypted,
    firmwareBytes: firmware.length,
    firmwareSha256: createHash('sha256').update(firmware).digest('hex'),
    hash: toHex(verified.digest),
    signed: verified.signedBy !== null,
    unpacked: decompressed === null ? null : { hash: toHex(decompressed.digest), signatureHolds: decompressed.signatureHolds },
  }
}
