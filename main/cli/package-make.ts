// `package make`: an image into a package, or with --in-place firmware into an image that runs from inside its package.
// What was made is opened again before it appears, and is in the log before this answers.
import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { toHex, utf8 } from '../base/bytes.ts'
import { realClock } from '../base/clock.ts'
import { Failure, failed } from '../base/failure.ts'
import type { Community, PackageName } from '../cms/attributes.ts'
import { packInPlace } from '../cms/in-place.ts'
import type { InPlaceLayout, MakeImage } from '../cms/in-place.ts'
import type { Encrypting } from '../cms/layers.ts'
import { makePackage } from '../cms/package.ts'
import type { MadePackage, PackageOrder } from '../cms/package.ts'
import { keyIdOf } from '../cms/pki.ts'
import type { Certificate } from '../cms/pki.ts'
import type { Signing } from '../cms/signed.ts'
import { anchorFromKey } from '../cms/trust.ts'
import { FIRMWARE_BYTES_MAX, parseImage } from '../image/format.ts'
import { inspectImage } from '../image/inspect.ts'
import { signImage } from '../image/sign.ts'
import { parseVersion } from '../image/version.ts'
import { deflate, openWith, packageFacts, versionNumber } from '../station/packages.ts'
import type { Answer, Call } from './call.ts'
import { readInput, writeOutput } from './files.ts'
import { prepareHome } from './home.ts'
import { readImageFile } from './image-file.ts'
import { permittedUse, policyData } from './key-use.ts'
import type { PermittedUse, UseFlags } from './key-use.ts'
import { openSigningKey } from './keys.ts'
import type { SigningKey } from './keys.ts'
import { secretNamed } from './firmware-key.ts'
import type { FirmwarePassphrase } from './firmware-key.ts'
import { certificatesFrom } from './packages.ts'
import type { PassphraseOptions, PinOptions } from './passphrase.ts'
import { record, recordSignedImage } from './record.ts'
import { sizeWords } from './terminal.ts'

export type MakeFlags = PassphraseOptions & PinOptions & UseFlags & FirmwarePassphrase & Readonly<{
  key: string; hardware: readonly string[]; id?: string; name?: string; packageVersion?: bigint; stale?: bigint; cert?: string; embed: boolean; issuerSerial?: true
  community?: readonly string[]; serials?: readonly Community[]; type?: bigint; needs?: readonly PackageName[]; description?: string; crypto?: readonly string[]; compressionAlgorithm?: readonly string[]
  digest: boolean; time: boolean; nested?: true; compress?: true; encryptKey?: string; encryptKeyId?: string; wrapKey?: string; wrapKeyId?: string
  inPlace?: true; slotAddress?: number; vectorAlign: number; relink?: string; rounds: number; imageKey?: string; imageVersion?: string; slotSize: number
}>

const relinkTimeoutMs = 600_000
const smallestHeaderBytes = 32

/** Options that mean nothing without --in-place; those with defaults are let be. */
const inPlaceOnly = [['slotAddress', '--slot-address'], ['relink', '--relink'], ['imageKey', '--image-key'], ['imageVersion', '--image-version']] as const

type Image = Readonly<{ hash: string; version: string }>
type Done = Readonly<{ made: MadePackage; firmware: Uint8Array; layout: InPlaceLayout | null; order: Omit<PackageOrder, 'firmware'>; image: Image }>

export async function make(call: Call, input: string, output: string, flags: MakeFlags): Promise<Answer | Failure> {
  const noHome = await prepareHome(call)
  if (noHome !== null) return noHome
  const stray = flags.inPlace === true ? undefined : inPlaceOnly.find(([name]) => flags[name] !== undefined)
  if (stray !== undefined) return new Failure('bad-option', `${stray[1]} goes with --in-place, which lays the firmware out to run from inside the package.`)
  const certificates = flags.cert === undefined ? [] : await certificatesFrom(flags.cert)
  if (failed(certificates)) return certificates
  const encrypt = await encryptionOf(call, flags)
  if (failed(encrypt)) return encrypt
  try {
    return await makeWith(call, input, output, flags, certificates, encrypt)
  } finally {
    encrypt?.secret.key.fill(0)
    encrypt?.wrapFor?.key.fill(0)
  }
}

async function makeWith(call: Call, input: string, output: string, flags: MakeFlags, certificates: readonly Certificate[], encrypt: Encrypting | null): Promise<Answer | Failure> {
  const key = await openSigningKey(call, flags.key, flags)
  if (failed(key)) return key
  try {
    const signing = signingOf(key, certificates, flags)
    if (failed(signing)) return signing
    const done = flags.inPlace === true ? await makeInPlace(call, input, output, flags, signing, key) : await makePlain(call, input, flags, encrypt, signing, key)
    return failed(done) ? done : await writeAndRecord(call, output, done, signing, key)
  } finally {
    await key.close()
  }
}

function signingOf({ signer }: SigningKey, certificates: readonly Certificate[], flags: MakeFlags): Signing | Failure {
  const [certificate = null] = certificates
  if (certificate !== null && toHex(certificate.keyId) !== toHex(keyIdOf(signer.publicKey.spki) ?? new Uint8Array(0)) && toHex(certificate.spki) !== toHex(signer.publicKey.spki)) {
    return new Failure('wrong-key', `The certificate "${certificate.name}" belongs to another key than --key. Name the signer's own certificate first.`)
  }
  return { signer, certificate, embed: flags.embed ? certificates : [], ...(flags.issuerSerial === true ? { sid: 'issuer-serial' as const } : {}) }
}

/** How to encrypt; its keys are for the caller to wipe. */
async function encryptionOf(call: Call, flags: MakeFlags): Promise<Encrypting | null | Failure> {
  const { encryptKey, encryptKeyId, wrapKey, wrapKeyId } = flags
  const secret = await secretNamed(call, 'encrypt-key', encryptKey, encryptKeyId, flags)
  if (failed(secret)) return secret
  if (secret === null) return wrapKey === undefined && wrapKeyId === undefined ? null : new Failure('bad-option', '--wrap-key wraps the key of --encrypt-key; give that too.')
  const random = (bytes: number) => new Uint8Array(randomBytes(bytes))
  const wrapFor = await secretNamed(call, 'wrap-key', wrapKey, wrapKeyId, flags)
  if (failed(wrapFor)) secret.key.fill(0)
  return failed(wrapFor) ? wrapFor : { secret, random, ...(wrapFor === null ? {} : { wrapFor }) }
}

/** What the flags say of the package; its name may come from the image's version. */
function orderOf(flags: MakeFlags, version: bigint): Omit<PackageOrder, 'firmware'> | Failure {
  if ((flags.id === undefined) === (flags.name === undefined)) return new Failure('bad-option', 'Name the package with --id OID, or with --name TEXT: one of the two.')
  const communities: Community[] = [...(flags.community ?? []).map((community) => ({ community })), ...(flags.serials ?? [])]
  const info = flags.type === undefined && flags.needs === undefined ? undefined : { type: flags.type ?? null, dependencies: flags.needs ?? null }
  return {
    name: flags.id === undefined ? { legacy: utf8(flags.name ?? '') } : { id: flags.id, version: flags.packageVersion ?? version },
    hardware: flags.hardware,
    ...(flags.stale === undefined ? {} : { stale: flags.id === undefined ? utf8(String(flags.stale)) : flags.stale }),
    ...(communities.length === 0 ? {} : { communities }),
    ...(info === undefined ? {} : { info }),
    ...(flags.digest ? {} : { noDigest: true }),
    ...(flags.time ? { signingTimeMs: realClock.wallMs() } : {}),
    ...(flags.description === undefined ? {} : { description: flags.description }),
    ...(flags.crypto === undefined ? {} : { implCryptoAlgs: flags.crypto }),
    ...(flags.compressionAlgorithm === undefined ? {} : { implCompressAlgs: flags.compressionAlgorithm }),
    ...(flags.compress === true ? { compress: deflate } : {}),
    ...(flags.nested === true ? { nested: true } : {}),
  }
}

/** The key's policy, asked before it signs; its no is noted. */
async function permitted(call: Call, key: SigningKey, flags: UseFlags, what: Readonly<{ inputSha256: string; version: string }>): Promise<PermittedUse | Failure> {
  const use = await permittedUse(call, key, flags, what)
  if (!failed(use)) return use
  const noted = await record(call, { kind: 'refusal', data: { what: 'make a package', failure: use.kind.slice(0, 64), says: use.says.slice(0, 1000) } })
  return failed(noted) ? noted : use
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

async function makePlain(call: Call, input: string, flags: MakeFlags, encrypt: Encrypting | null, signing: Signing, key: SigningKey): Promise<Done | Failure> {
  const firmware = await readImageFile(input)
  if (failed(firmware)) return firmware
  const image = imageIn(firmware)
  if (failed(image)) return new Failure(image.kind, `${input} is no image to pack: ${image.says}`, image.facts)
  const version = parseVersion(image.version)
  const order = orderOf(flags, failed(version) ? 0n : versionNumber(version))
  if (failed(order)) return order
  const whole = { ...order, ...(encrypt === null ? {} : { encrypt }) }
  const use = await permitted(call, key, flags, { inputSha256: sha256(firmware), version: image.version })
  if (failed(use)) return use
  const made = await makePackage({ ...whole, firmware }, signing, call.signal)
  return failed(made) ? made : { made, firmware, layout: null, order: whole, image }
}

/** An image whose hash holds, and is signed. */
function imageIn(bytes: Uint8Array): Image | Failure {
  const report = inspectImage(bytes)
  if (failed(report)) return report
  if (report.hash === null || report.hash.check === 'differs') return new Failure('hash-wrong', 'it does not match its own hash. Sign the firmware again.')
  return { hash: report.hash.claimed, version: report.version }
}

async function makeInPlace(call: Call, input: string, output: string, flags: MakeFlags, signing: Signing, key: SigningKey): Promise<Done | Failure> {
  const { slotAddress, imageVersion } = flags
  if (slotAddress === undefined) return new Failure('bad-option', 'Say with --slot-address where the package will lie.')
  if (imageVersion === undefined) return new Failure('bad-option', 'Say with --image-version which version the image is.')
  if (flags.imageKey === undefined) return new Failure('bad-option', 'Say with --image-key which key signs the image; its header is laid out anew, so it is signed here.')
  if (flags.encryptKeyId !== undefined) return new Failure('bad-option', 'Firmware that runs from inside its package cannot be encrypted: the core executes the very bytes that lie there. Leave --encrypt-key out.')
  if (flags.compress === true) return new Failure('bad-option', 'Firmware that runs from inside its package cannot be compressed: the core executes the very bytes that lie there. Leave --compress out.')
  const version = parseVersion(imageVersion)
  if (failed(version)) return version
  const order = orderOf(flags, versionNumber(version))
  if (failed(order)) return order
  const firmware = await readInput(input, 'firmware file', FIRMWARE_BYTES_MAX)
  if (failed(firmware)) return firmware
  if (!failed(parseImage(firmware))) return new Failure('is-image', `${input} is an image already, and its header would stand where the vector table must. Give the firmware as it was linked.`)
  const imageKey = await openSigningKey(call, flags.imageKey, flags)
  if (failed(imageKey)) return imageKey
  const asked = { inputSha256: sha256(firmware), version: imageVersion }
  const folder = await mkdtemp(join(tmpdir(), 'slotwright-relink-'))
  try {
    const use = await permitted(call, imageKey, flags, asked)
    if (failed(use)) return use
    const packing = await permitted(call, key, flags, asked)
    if (failed(packing)) return packing
    // Fixed to its address (ROM_FIXED), so that neither station nor bootloader take it for code that runs elsewhere.
    const makeImage: MakeImage = async (place) => {
      const linked = flags.relink === undefined ? firmware : await relink(flags.relink, join(folder, `round-${place.round}.bin`), place, input, call.signal)
      if (failed(linked)) return linked
      const signed = await signImage(linked, { version, headerBytes: place.headerBytes, padHeader: true, slotBytes: flags.slotSize, romFixed: place.vectorAddress - place.headerBytes }, imageKey.signer, call.signal)
      return failed(signed) ? signed : signed.bytes
    }
    const inPlace = { slotAddress, vectorAlign: flags.vectorAlign, headerBytesMin: smallestHeaderBytes, roundsMax: flags.rounds }
    const packed = await packInPlace(order, inPlace, signing, makeImage, call.signal)
    if (failed(packed)) return packed
    const image = imageIn(packed.layout.image)
    if (failed(image)) return image
    // The image is never a file of its own, yet no image is signed that the log does not know.
    const noted = await recordSignedImage(call, {
      publicKey: imageKey.signer.publicKey, keyName: imageKey.name, keyClass: imageKey.class, path: output, inputSha256: asked.inputSha256, outputSha256: sha256(packed.layout.image),
      imageHash: image.hash, version: image.version, bytes: packed.layout.image.length, home: imageKey.entry?.token ? 'pkcs11' : 'file', policy: policyData(use, flags), approval: use.approval,
    })
    return failed(noted) ? noted : { made: packed.made, firmware: packed.layout.image, layout: packed.layout, order, image }
  } finally {
    await imageKey.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Runs the link step; it finds the address in SLOTWRIGHT_ADDRESS and writes the binary to SLOTWRIGHT_OUT. */
function relink(command: string, out: string, place: Parameters<MakeImage>[0], input: string, signal: AbortSignal): Promise<Uint8Array | Failure> {
  const env = { ...process.env, SLOTWRIGHT_ADDRESS: `0x${place.vectorAddress.toString(16)}`, SLOTWRIGHT_ROUND: String(place.round), SLOTWRIGHT_OUT: out, SLOTWRIGHT_IN: input }
  return new Promise((resolve) => {
    const [shell, word] = process.platform === 'win32' ? ['cmd.exe', '/c'] : ['/bin/sh', '-c']
    execFile(shell, [word, command], { env, signal, timeout: relinkTimeoutMs, maxBuffer: 4 * 1024 * 1024 }, (error, _stdout, stderr) => {
      if (error === null) return void readLinked(out, place.round).then(resolve)
      const last = stderr.trim().split('\n').at(-1)?.slice(0, 300) ?? ''
      resolve(new Failure('relink-failed', `The link step failed in round ${place.round} for the address ${env.SLOTWRIGHT_ADDRESS}: ${last === '' ? error.message.slice(0, 300) : last}`, { round: place.round }))
    })
  })
}

async function readLinked(out: string, round: number): Promise<Uint8Array | Failure> {
  const linked = await readInput(out, 'linked firmware', FIRMWARE_BYTES_MAX)
  if (!failed(linked) || (linked.kind !== 'no-file' && linked.kind !== 'empty-file')) return linked
  return new Failure('relink-failed', `The link step ended well in round ${round}, but wrote nothing to the file that SLOTWRIGHT_OUT names. Let it write the binary there.`, { round })
}

async function writeAndRecord(call: Call, output: string, done: Done, signing: Signing, key: SigningKey): Promise<Answer | Failure> {
  const { made, layout, image } = done
  const checked = checkBack(done, signing)
  if (failed(checked)) return checked
  const written = await writeOutput(output, made.bytes)
  if (written !== null) return written
  const { publicKey } = signing.signer
  const entry = await record(call, {
    kind: 'package-made',
    data: {
      ...packageFacts(basename(output), made.bytes, { firmware: done.firmware, name: done.order.name, stale: done.order.stale ?? null, hardware: done.order.hardware, layers: layersOf(done.order), image }),
      key: key.fingerprint, algorithm: publicKey.algorithm, ...(key.name === null ? {} : { keyName: key.name }), ...(layout === null ? {} : { inPlaceAddress: layout.vectorAddress }),
    },
  })
  if (failed(entry)) {
    await rm(output, { force: true })
    return new Failure(entry.kind, `${entry.says} The package was made but could not be logged, so ${output} was taken away again.`, entry.facts)
  }
  const rounds = layout?.rounds.map((round, i) => ({ round: i + 1, ...round })) ?? null
  return {
    document: {
      file: output, bytes: made.bytes.length, sha256: sha256(made.bytes), imageHash: image.hash, imageVersion: image.version,
      name: 'legacy' in done.order.name ? Buffer.from(done.order.name.legacy).toString('utf8') : done.order.name.id, version: 'legacy' in done.order.name ? null : String(done.order.name.version),
      layers: layersOf(done.order), firmwareOffset: made.firmwareOffset, key: key.fingerprint, entry: entry.seq,
      inPlace: layout === null ? null : { imageOffset: layout.imageOffset, headerBytes: layout.headerBytes, paddingBytes: layout.paddingBytes, vectorAddress: layout.vectorAddress, rounds },
    },
    words: [
      `${call.paint.bold(basename(output))}: ${sizeWords(made.bytes.length)}, image ${image.version}, ${layersOf(done.order).join(' around ')}`,
      ...(made.firmwareOffset === null ? [] : [`the image begins at byte ${made.firmwareOffset}`]),
      ...(layout === null ? [] : [`vector table at 0x${layout.vectorAddress.toString(16)}: header ${layout.headerBytes} bytes, ${layout.paddingBytes} of them padding, found in ${layout.rounds.length === 1 ? 'one round' : `${layout.rounds.length} rounds`}`]),
    ].join('\n'),
  }
}

function layersOf({ encrypt, compress }: Omit<PackageOrder, 'firmware'>): string[] {
  return ['signed', ...(encrypt === undefined ? [] : ['encrypted']), ...(compress === undefined ? [] : ['compressed']), 'firmware']
}

/** What leaves here opens here: with the signer's bare key as the anchor, since the path is the reader's business. */
function checkBack({ made, firmware, order }: Done, { signer, certificate }: Signing): null | Failure {
  const anchor = anchorFromKey(signer.publicKey.spki, 'the signer')
  if (failed(anchor)) return anchor
  const anchors = certificate === null ? [anchor] : [{ ...anchor, keyId: certificate.keyId, certificate }]
  const atMs = certificate === null ? realClock.wallMs() : Math.min(Math.max(realClock.wallMs(), certificate.notBeforeMs), certificate.notAfterMs)
  const opened = openWith(made.bytes, { anchors, atMs }, null, order.encrypt === undefined ? {} : { firmwareKeys: [order.encrypt.secret] })
  if (failed(opened)) return new Failure(opened.kind, `The package that was made does not open again, so it was thrown away: ${opened.says}`, opened.facts)
  return Buffer.compare(opened.firmware, firmware) === 0 ? null : new Failure('self-check', 'The package that was made holds another firmware than was put in. It was thrown away.')
}
