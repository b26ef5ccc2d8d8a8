// `sign`: imgtool's command on our own image room, with a key of the ring or a PEM file. What was signed is in the log
// before this answers: an image nobody can account for is what the log is there to prevent.
import { createHash, randomBytes } from 'node:crypto'
import { basename } from 'node:path'
import type { Command } from 'commander'
import { toHex, utf8 } from '../../base/bytes.ts'
import { Failure, failed } from '../../base/failure.ts'
import type { PublicKey } from '../../base/signer.ts'
import type { SignOptions } from '../../image/options.ts'
import { parseImage } from '../../image/format.ts'
import { keyHash } from '../../image/keyhash.ts'
import { canSign } from '../../image/publickey.ts'
import { signImage, vectorToSign } from '../../image/sign.ts'
import type { SignedImage } from '../../image/sign.ts'
import { formatVersion } from '../../image/version.ts'
import { usageKind } from '../call.ts'
import type { Act, Answer, Call } from '../call.ts'
import { readText, removeFile, writeOutput } from '../files.ts'
import { prepareHome } from '../home.ts'
import { encodeImageFile, readContent } from '../image-file.ts'
import { permittedUse, policyData } from '../key-use.ts'
import type { PermittedUse, UseFlags } from '../key-use.ts'
import { KeyShelf } from '../key-shelf.ts'
import { publicKeyFromFile, signingKeyWarning } from '../keys.ts'
import type { SigningKey } from '../keys.ts'
import { rememberKey } from '../known.ts'
import { oneOf } from '../numbers.ts'
import type { PinOptions } from '../passphrase.ts'
import { recordRefusedImage, recordSignedImage, withHeldLog } from '../record.ts'
import { knownKeysOf } from '../ring.ts'
import type { Order } from '../sign-batch.ts'
import { declareSignOptions, optionsOf } from '../sign-options.ts'
import type { SignFlags } from '../sign-options.ts'
import { sizeWords } from '../terminal.ts'

export function declare(command: Command, act: Act): void {
  command
    .argument('[files...]', 'firmware, binary or Intel HEX, and the image to write, Intel HEX when it ends in .hex')
    .usage('[options] <in> <out>\n       slotwright sign [options] <in>... --out-dir <dir>\n       slotwright sign [options] --batch <list>')
    .option('--out-dir <dir>', 'sign every file named, app.bin as app.signed.bin in this folder')
    .option('--batch <list>', 'sign what this file lists: on each line the words of one `sign` (in, out, options); options given here hold for every line that has no other')
  declareOwn(command)
  // What is asked of every image may stand in the list's own lines.
  command.on('option:batch', () => { for (const option of command.options) option.makeOptionMandatory(false) })
  command
    .addHelpText('after', '\nNames and meanings are imgtool 2.4.0\'s. One process signs many images several times as fast as one process each: --batch, --out-dir.\n\nExamples:\n  slotwright sign app.bin app-1.1.0.bin -k release -v 1.1.0 -H 0x200 --pad-header -S 0x69000\n  slotwright sign build/*.bin --out-dir signed -k release -v 1.1.0 -H 0x200 --pad-header -S 0x69000\n  slotwright sign --batch images.txt -k release -H 0x200 --pad-header')
    .action(act<Flags & Many>((call, words, flags) => run(call, words, flags, command)))
}

/** The options of one image. */
function declareOwn(command: Command): void {
  declareSignOptions(command)
  command
    .option('--pin-file <file>', 'file whose first line is the PIN of the key\'s token (default: asked for)')
    .option('--product <name>', 'what the firmware is for; a key may sign for some products only')
    .option('--for <class>', 'production or test: the kind of recipe the image is for; test keys never sign for production', oneOf(['production', 'test'] as const))
}

type Flags = SignFlags & PinOptions & UseFlags
type Many = Readonly<{ outDir?: string; batch?: string }>

async function run(call: Call, words: readonly string[], flags: Flags & Many, command: Command): Promise<Answer | Failure> {
  const shelf = new KeyShelf(call)
  try {
    if (flags.batch === undefined && flags.outDir === undefined) {
      const [input, output] = words
      if (input === undefined || output === undefined || words.length > 2) return new Failure(usageKind, 'Name two files, the firmware and the image to write; for many at once there are --out-dir and --batch.')
      return await sign(call, shelf, { input, output, flags })
    }
    const batch = await import('../sign-batch.ts')
    const orders = await ordersOf(batch, words, flags, command)
    return failed(orders) ? orders : await withHeldLog(call, () => batch.inTurn(call, orders, (order) => sign(call, shelf, order)))
  } finally {
    await shelf.close()
  }
}

async function ordersOf({ ordersInList, ordersIntoFolder }: typeof import('../sign-batch.ts'), words: readonly string[], flags: Flags & Many, command: Command): Promise<Order<Flags>[] | Failure> {
  if (flags.outDir === undefined) {
    if (words.length > 0) return new Failure(usageKind, 'With --batch the files stand in the list, not on the command line.')
    return await ordersInList<Flags>(flags.batch ?? '', command, declareOwn)
  }
  if (flags.batch !== undefined) return new Failure(usageKind, 'Give either --batch or --out-dir.')
  if ([flags.fixSig, flags.sigOut, flags.vectorToSign].some((one) => one !== undefined)) return new Failure(usageKind, '--fix-sig, --sig-out and --vector-to-sign are about one image; with many, put them into a --batch list.')
  return ordersIntoFolder(words, flags.outDir, flags)
}

async function sign(call: Call, shelf: KeyShelf, { input, output, flags }: Order<Flags>): Promise<Answer | Failure> {
  const read = await readContent(input, 'firmware file', { allowEmpty: flags.allowEmpty === true, room: shelf.firmware })
  if (failed(read)) return read
  const firmware = read.bytes
  const bare = await optionsOf(flags, firmware)
  if (failed(bare)) return bare
  const noHome = await prepareHome(call)
  if (noHome !== null) return noHome
  const options = await withKeyFiles(bare, flags)
  if (failed(options)) return options
  const key = flags.key === undefined ? null : await shelf.open(flags.key, flags)
  if (failed(key)) return key
  // As imgtool does; yet hardly anybody means it.
  if (options.padHeader === true && !failed(parseImage(firmware))) call.tell(`${input} is a signed image already: it gets a second header and signature around the first, and no board runs that. Sign the firmware it was made of.\n`)
  if (flags.vectorToSign !== undefined) return exportVector(firmware, output, options, flags.vectorToSign, key)
  const inputSha256 = sha256(firmware)
  const use = key === null ? null : await permittedUse(call, key, flags, { inputSha256, version: formatVersion(options.version) })
  const signed = failed(use) ? use : await signImage(firmware, options, key?.signer, call.signal, shelf.image)
  if (failed(signed)) {
    if (key !== null) await recordRefusedImage(call, { path: input, failure: signed, inputSha256, key, policy: policyData(signed, flags) })
    return signed
  }
  return writeAndRecord(call, shelf, { input, output, inputSha256, inputAddress: read.address, signed, key, use: failed(use) ? null : use, options, flags })
}

type Finished = Readonly<{ input: string; output: string; inputSha256: string; inputAddress: number | null; signed: SignedImage; key: SigningKey | null; use: PermittedUse | null; options: SignOptions; flags: Flags }>

/** Writes the file, reads it back, and only then says in the log that it exists; without that entry it is taken away again. */
async function writeAndRecord(call: Call, shelf: KeyShelf, done: Finished): Promise<Answer | Failure> {
  const { signed, key, flags, output } = done
  const file = await encodeImageFile(output, signed, done.options, { input: done.inputAddress, hexAddress: flags.hexAddr })
  if (failed(file)) return file
  const written = await writeOutput(output, file)
  if (written !== null) return written
  if (flags.sigOut !== undefined && signed.signature !== null) {
    const sig = await writeOutput(flags.sigOut, utf8(Buffer.from(signed.signature).toString('base64')))
    if (sig !== null) return sig
  }
  const signer: PublicKey | undefined = key?.signer.publicKey ?? done.options.fixedSignature?.publicKey
  const entry = signer === undefined ? null : await recordSignedImage(call, {
    publicKey: signer, keyName: key === null ? null : keyCalled(key), keyClass: key?.class ?? 'production', path: output, inputSha256: done.inputSha256, outputSha256: sha256(file),
    imageHash: toHex(signed.digest), version: formatVersion(signed.version), bytes: file.length,
    home: key?.home ?? 'file', policy: done.use === null ? undefined : policyData(done.use, flags), approval: done.use?.approval ?? null,
  })
  if (failed(entry)) {
    await removeFile(output)
    return new Failure(entry.kind, `${entry.says} The image was signed but could not be logged, so ${output} was taken away again.`, entry.facts)
  }
  if (signer !== undefined && (key === null || key.name === null) && shelf.meets(signer)) await rememberSigner(call, signer, key?.path ?? flags.fixSigPubkey ?? null, key?.class ?? 'production')
  return { document: documentOf(done, file.length, entry?.seq ?? null), words: wordsOf(call, done, file.length) }
}

/** A key of the ring has a name; a file is called by its own. */
function keyCalled(key: SigningKey): string | null {
  return key.name ?? (key.path === null ? null : basename(key.path))
}

/** So that the station can prove this image when it is provisioned. Not being able to costs nothing of what was done. */
async function rememberSigner(call: Call, publicKey: PublicKey, path: string | null, keyClass: 'production' | 'test'): Promise<void> {
  const known = await rememberKey(knownKeysOf(call), { publicKey, path, class: keyClass, fingerprint: toHex(keyHash(publicKey)) })
  if (failed(known)) call.tell(`${known.says} The image is signed and logged; to provision it, name its key with --key.\n`)
}

function documentOf({ input, output, signed, key, inputSha256 }: Finished, bytes: number, entry: number | null): unknown {
  return {
    file: output,
    input,
    inputSha256,
    bytes,
    imageBytes: signed.imageBytes,
    version: formatVersion(signed.version),
    hash: toHex(signed.digest),
    hashKind: signed.hash,
    keyHash: signed.keyHash === null ? null : toHex(signed.keyHash),
    key: key?.name ?? null,
    algorithm: key?.signer.publicKey.algorithm ?? null,
    trailerBytes: signed.trailerBytes,
    freeBytes: signed.freeBytes,
    compression: signed.compression,
    entry,
    warning: key === null ? null : signingKeyWarning(key),
  }
}

function wordsOf(call: Call, { output, signed, key }: Finished, bytes: number): string {
  const warning = key === null ? 'It is not signed: boards that check signatures will not boot it.' : signingKeyWarning(key)
  const by = key === null ? 'unsigned' : `signed with ${key.name ?? key.path ?? 'a key file'} (${key.signer.publicKey.algorithm})`
  return [
    `${call.paint.bold(basename(output))}: version ${formatVersion(signed.version)}, ${sizeWords(bytes)}, ${by}`,
    `hash ${toHex(signed.digest)}`,
    ...(signed.freeBytes === null ? [] : [`${sizeWords(signed.freeBytes)} of the slot stay free beside a ${sizeWords(signed.trailerBytes)} trailer`]),
    ...(signed.compression === null ? [] : [signed.compression.kept ? `compressed ${signed.compression.firmwareBytes} to ${signed.compression.compressedBytes} bytes` : 'not compressed: that would have made it larger']),
    ...(warning === null ? [] : [`${call.paint.care('!')} ${warning}`]),
  ].join('\n')
}

/** `-E`, `--fix-sig`: options that are files of keys and signatures. */
export async function withKeyFiles(bare: SignOptions, flags: SignFlags): Promise<SignOptions | Failure> {
  let options = bare
  if (flags.encrypt !== undefined) {
    const publicKey = await publicKeyFromFile(flags.encrypt)
    if (failed(publicKey)) return publicKey
    options = {
      ...options,
      encrypt: {
        publicKey, keyBits: flags.encryptKeylen === '256' ? 256 : 128, hmacSha: flags.hmacSha, clear: flags.clear, saveEncTlv: flags.saveEnctlv,
        random: (bytes) => new Uint8Array(randomBytes(bytes)),
      },
    }
  }
  if (flags.fixSig === undefined) return options
  if (flags.fixSigPubkey === undefined) return new Failure('bad-option', '--fix-sig needs --fix-sig-pubkey FILE: the public key that the signature was made for.', { option: 'fix-sig-pubkey' })
  const publicKey = await publicKeyFromFile(flags.fixSigPubkey)
  if (failed(publicKey)) return publicKey
  if (!canSign(publicKey)) return new Failure('unsupported-key', `${flags.fixSigPubkey} is an x25519 key, which cannot sign.`)
  const text = await readText(flags.fixSig, 'signature file')
  if (failed(text)) return text
  const base64 = text.trim()
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return new Failure('bad-signature', `${flags.fixSig} does not hold a base64 signature. Give the file that the outside signer's answer was saved in.`)
  return { ...options, fixedSignature: { signature: new Uint8Array(Buffer.from(base64, 'base64')), publicKey } }
}

/** `--vector-to-sign`: what an outside signer signs; nothing is signed here, so nothing is logged. */
async function exportVector(firmware: Uint8Array, output: string, options: SignOptions, what: 'payload' | 'digest', key: SigningKey | null): Promise<Answer | Failure> {
  const vector = await vectorToSign(firmware, options, what, key?.signer.publicKey)
  if (failed(vector)) return vector
  const written = await writeOutput(output, vector)
  if (written !== null) return written
  return {
    document: { file: output, what, bytes: vector.length, sha256: sha256(vector) },
    words: `${output}: the ${what} to sign, ${vector.length} bytes. Bring the signature back with --fix-sig and --fix-sig-pubkey and the same options.`,
  }
}

/** Signs nothing, reads nothing: only a digest of bytes in hand. */
function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
