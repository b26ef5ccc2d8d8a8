// `inspect`: what an image claims, what of that was proven with the keys known here, and what is wrong with it.
import type { Command } from 'commander'
import { Failure, failed } from '../../base/failure.ts'
import { inspectImage } from '../../image/inspect.ts'
import { looksLikeZip, openUpdateZip } from '../../image/update-zip.ts'
import type { Act, Answer, Call } from '../call.ts'
import { readImageFile } from '../image-file.ts'
import { reportDocument, reportWords } from '../image-words.ts'
import { knownKeyFor, publicKeyNamed } from '../keys.ts'
import { openWith, openedDocument, openedWords } from '../opened.ts'
import type { OpenFlags } from '../opened.ts'

export function declare(command: Command, act: Act): void {
  command
    .argument('<file>', 'image, binary or Intel HEX, or a zip of several (dfu_application.zip)')
    .option('-k, --key <key>', 'check the signature with this key: name, fingerprint or PEM file (default: the station\'s own keys)')
    .option('--decrypt-key <key>', 'the private key an encrypted image was made for: decrypt, unpack and check the plaintext')
    .option('--passphrase-file <file>', 'file whose first line is the passphrase of --decrypt-key')
    .addHelpText('after', '\nExit code 1 when hash or signature do not hold.')
    .action(act<InspectFlags>((call, [path = ''], flags) => inspect(call, path, flags)))
}

type InspectFlags = OpenFlags & { key?: string }

async function inspect(call: Call, path: string, flags: InspectFlags): Promise<Answer | Failure> {
  const bytes = await readImageFile(path)
  if (failed(bytes)) return bytes
  return looksLikeZip(bytes) ? inspectZip(call, path, bytes, flags) : inspectOne(call, path, bytes, flags)
}

/** Every image of an archive, one after the other. */
async function inspectZip(call: Call, path: string, bytes: Uint8Array, flags: InspectFlags): Promise<Answer | Failure> {
  const zip = openUpdateZip(bytes)
  if (failed(zip)) return zip
  const images: { image: number; slot: number | null; answer: Answer }[] = []
  for (const { image, slot, name, bytes: content } of zip.files) {
    const answer = await inspectOne(call, name, content, flags)
    if (failed(answer)) return new Failure(answer.kind, `${name} in ${path}: ${answer.says}`, answer.facts)
    images.push({ image, slot, answer })
  }
  const place = (image: number, slot: number | null) => `Image ${image}${slot === null ? '' : `, for slot ${slot}`}`
  return {
    document: { file: path, name: zip.name, images: images.map(({ image, slot, answer }) => ({ image, slot, ...(answer.document as object) })) },
    words: images.map(({ image, slot, answer }) => `${call.paint.bold(place(image, slot))}\n${answer.words ?? ''}`).join('\n\n'),
    good: images.every(({ answer }) => answer.good !== false),
  }
}

async function inspectOne(call: Call, path: string, bytes: Uint8Array, flags: InspectFlags): Promise<Answer | Failure> {
  const bare = inspectImage(bytes)
  if (failed(bare)) return bare
  const key = flags.key === undefined ? await knownKeyFor(call, bare.keyHash) : await publicKeyNamed(call, flags.key)
  if (failed(key)) return key
  const report = key === null ? bare : inspectImage(bytes, key.publicKey)
  if (failed(report)) return report
  const opens = report.encrypted ? flags.decryptKey !== undefined : report.compressed
  const opened = opens ? await openWith(call, bytes, flags, key?.publicKey) : null
  const openedSays = opened === null ? null : failed(opened) ? opened.says : openedWords(opened)
  const proven = opened !== null && !failed(opened) && opened.verified.signedBy !== null
  const signedBy = proven || report.signature?.check === 'holds' ? key?.name ?? null : null
  const holds = opened === null
    ? report.hash !== null && report.hash.check !== 'differs' && report.signature?.check !== 'does-not-hold'
    : !failed(opened) && opened.decompressed?.signatureHolds !== false
  return {
    document: { file: path, ...reportDocument(report), signedBy, ...(opened === null ? {} : { opened: failed(opened) ? { failure: { kind: opened.kind, says: opened.says } } : openedDocument(opened) }) },
    words: `${reportWords({ path, report, signedBy, opened: failed(opened) ? null : opened }, call.paint)}${openedSays === null ? '' : `\n\n${failed(opened) ? call.paint.bad('!') : call.paint.good('ok')} ${openedSays}`}`,
    good: holds,
  }
}
