// `sign`: imgtool's command on our own image room, with a key of the ring or a PEM file. What was signed is in the log
// before this answers: an image nobody can account for is what the log is there to prevent.
import { createHash } from 'node:crypto'
import { basename, resolve } from 'node:path'
import type { Command } from 'commander'
import { toHex, utf8 } from '../../base/bytes.ts'
import { Failure, failed } from '../../base/failure.ts'
import type { SignOptions } from '../../image/options.ts'
import { parseImage } from '../../image/format.ts'
import { signImage } from '../../image/sign.ts'
import type { SignedImage } from '../../image/sign.ts'
import { formatVersion } from '../../image/version.ts'
import { usageKind } from '../call.ts'
import type { Act, Answer, Call } from '../call.ts'
import { makeFolder, removeFile, writeOutput } from '../files.ts'
import { prepareHome } from '../home.ts'
import { encodeImageFile, readContent } from '../image-file.ts'
import { permittedUse, policyData } from '../key-use.ts'
import type { PermittedUse, UseFlags } from '../key-use.ts'
import { KeyShelf } from '../key-shelf.ts'
import { outsideKey, signingKeyWarning } from '../keys.ts'
import type { HeldKey, SigningKey } from '../keys.ts'
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
    .option('--out-dir <dir>', 'sign every file named, app.bin as app.signed.bin in this folder, which is made if it is not there')
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
    if (failed(orders)) return orders
    if (flags.outDir !== undefined) await makeFolder(flags.outDir)
    return await withHeldLog(call, () => batch.inTurn(call, orders, (order) => sign(call, shelf, order)))
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
  const options = flags.encrypt === undefined && flags.fixSig === undefined ? bare : await (await import('../sign-outside.ts')).withKeyFiles(bare, flags)
  if (failed(options)) return options
  // As imgtool does; yet hardly anybody means it.
  if (options.padHeader === true && !failed(parseImage(firmware))) call.tell(`${input} is a signed image already: it gets a second header and signature around the first, and no board runs that. Sign the firmware it was made of.\n`)
  if (flags.vectorToSign !== undefined) return (await import('../sign-outside.ts')).exportVector(call, firmware, output, options, flags.vectorToSign, flags)
  const key = flags.key === undefined ? null : await shelf.open(flags.key, flags)
  if (failed(key)) return key
  const fixed = options.fixedSignature?.publicKey
  const by = key ?? (fixed === undefined ? null : await outsideKey(call, fixed, flags.fixSigPubkey ?? null))
  const inputSha256 = sha256(firmware)
  // A key that this station keeps as well does not lose its policy by being used elsewhere.
  const use = by === null ? null : await permittedUse(call, by, flags, { inputSha256, version: formatVersion(options.version) })
  const signed = failed(use) ? use : await signImage(firmware, options, key?.signer, call.signal, shelf.image)
  if (failed(signed)) {
    if (by !== null) await recordRefusedImage(call, { path: input, failure: signed, inputSha256, key: by, policy: policyData(signed, flags) })
    return signed
  }
  return writeAndRecord(call, shelf, { input, output, inputSha256, inputAddress: read.address, signed, by, key, use: failed(use) ? null : use, options, flags })
}

/** `by` is whose signature the image carries, `key` the same where it was made here. */
type Finished = Readonly<{ input: string; output: string; inputSha256: string; inputAddress: number | null; signed: SignedImage; by: HeldKey | null; key: SigningKey | null; use: PermittedUse | null; options: SignOptions; flags: Flags }>

/** Writes the file, reads it back, and only then says in the log that it exists; without that entry it is taken away again. */
async function writeAndRecord(call: Call, shelf: KeyShelf, done: Finished): Promise<Answer | Failure> {
  const { signed, by, key, flags, output } = done
  const file = await encodeImageFile(output, signed, done.options, { input: done.inputAddress, hexAddress: flags.hexAddr })
  if (failed(file)) return file
  const written = await writeOutput(output, file)
  if (written !== null) return written
  if (flags.sigOut !== undefined && signed.signature !== null) {
    const sig = await writeOutput(flags.sigOut, utf8(Buffer.from(signed.signature).toString('base64')))
    if (sig !== null) return sig
  }
  const entry = by === null ? null : await recordSignedImage(call, {
    publicKey: by.publicKey, keyName: keyCalled(by), keyClass: by.class, path: output, inputSha256: done.inputSha256, outputSha256: sha256(file),
    imageHash: toHex(signed.digest), version: formatVersion(signed.version), bytes: file.length,
    home: key?.home ?? null, policy: done.use === null ? undefined : policyData(done.use, flags), approval: done.use?.approval ?? null,
  })
  if (failed(entry)) {
    await removeFile(output)
    return new Failure(entry.kind, `${entry.says} The image was signed but could not be logged, so ${output} was taken away again.`, entry.facts)
  }
  if (by !== null && by.name === null && shelf.meets(by.publicKey)) await rememberSigner(call, by)
  // As imgtool does; the firmware is gone then, and signing it once more would wrap the image.
  if (resolve(output) === resolve(done.input)) call.tell(`${output} was the firmware itself; the image has taken its place. Give the image a name of its own to keep both.\n`)
  return { document: documentOf(done, file.length, entry?.seq ?? null), words: wordsOf(call, done, file.length) }
}

/** A key of the ring has a name; a file is called by its own. */
function keyCalled(key: HeldKey): string | null {
  return key.name ?? (key.path === null ? null : basename(key.path))
}

/** So that the station can prove this image when it is provisioned. Not being able to costs nothing of what was done. */
async function rememberSigner(call: Call, key: HeldKey): Promise<void> {
  const known = await rememberKey(knownKeysOf(call), key)
  if (failed(known)) call.tell(`${known.says} The image is signed and logged; to provision it, name its key with --key.\n`)
}

/** What `-H auto` found: where the firmware left no room, it has to be linked for an address that much above its slot's. */
function headerWords({ options, flags }: Finished): string[] {
  if (flags.headerSize !== 'auto') return []
  const { headerBytes, padHeader } = options
  return [`header of ${headerBytes} bytes (0x${headerBytes.toString(16)}), from the vector table; ${padHeader === true ? `put before the firmware, which must be linked to run 0x${headerBytes.toString(16)} above the start of its slot` : 'the firmware has room for it'}`]
}

function documentOf({ input, output, signed, by, inputSha256, options }: Finished, bytes: number, entry: number | null): unknown {
  return {
    file: output,
    input,
    inputSha256,
    bytes,
    imageBytes: signed.imageBytes,
    headerBytes: options.headerBytes,
    version: formatVersion(signed.version),
    hash: toHex(signed.digest),
    hashKind: signed.hash,
    keyHash: signed.keyHash === null ? null : toHex(signed.keyHash),
    key: by?.name ?? null,
    algorithm: by?.publicKey.algorithm ?? null,
    trailerBytes: signed.trailerBytes,
    freeBytes: signed.freeBytes,
    compression: signed.compression,
    entry,
    warning: by === null ? null : signingKeyWarning(by),
  }
}

function wordsOf(call: Call, done: Finished, bytes: number): string {
  const { output, signed, by, key } = done
  const warning = by === null ? 'It is not signed: boards that check signatures will not boot it.' : signingKeyWarning(by)
  const name = by?.name ?? by?.path ?? 'a key in a token'
  const signedBy = by === null ? 'unsigned' : `signed ${key === null ? 'elsewhere ' : ''}with ${name} (${by.publicKey.algorithm})`
  return [
    `${call.paint.bold(basename(output))}: version ${formatVersion(signed.version)}, ${sizeWords(bytes)}, ${signedBy}`,
    `hash ${toHex(signed.digest)}`,
    ...headerWords(done),
    ...(signed.freeBytes === null ? [] : [`${sizeWords(signed.freeBytes)} of the slot stay free beside a ${sizeWords(signed.trailerBytes)} trailer`]),
    ...(signed.compression === null ? [] : [signed.compression.kept ? `compressed ${signed.compression.firmwareBytes} to ${signed.compression.compressedBytes} bytes` : 'not compressed: that would have made it larger']),
    ...(warning === null ? [] : [`${call.paint.care('!')} ${warning}`]),
  ].join('\n')
}

/** Signs nothing, reads nothing: only a digest of bytes in hand. */
function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
