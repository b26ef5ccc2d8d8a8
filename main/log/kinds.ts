// Every kind of entry that version 1 of the log writes, with its data: the one document of the log's schema. Objects are
// strict and every text has a length, so nothing unforeseen (a PIN, a passphrase, image bytes) can slip in. That holds for
// writing only: a reader keeps, shows and verifies kinds and fields it does not know, since a later version wrote them.
//
// Words: `unit` is the board's own identity (serial number or hardware id), `run` one passage of a unit through a batch,
// hashes and fingerprints are lower-case hex, `…Hash` of an image is MCUboot's image hash (the SHA TLV), `…Sha256` a file's.
import { z } from 'zod'

const id = z.string().min(1).max(128)
const name = z.string().max(200)
const says = z.string().max(1000)
const version = z.string().max(64)
const hash = z.string().regex(/^(?:[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})$/, 'a hash is 64, 96 or 128 lower-case hex digits')
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 is 64 lower-case hex digits')
const fingerprint = hash
const whole = z.int().nonnegative()
const failureKind = z.string().min(1).max(64)
const algorithm = z.enum(['ed25519', 'ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'rsa-3072', 'x25519'])
const port = z.string().max(500)
const bay = z.int().nonnegative().max(1024)

/** What every entry about one unit's run carries. */
const ofRun = { run: id, unit: id, batch: id.optional(), bay: bay.optional() }
/** Which slot of which image of the unit; both count from 0. */
const atSlot = { image: whole, slot: whole }
const theKey = {
  key: fingerprint,
  algorithm,
  class: z.enum(['production', 'test']),
  name: name.optional(),
  home: z.enum(['file', 'pkcs11']),
}

/** An account: `person` is the name that the log has of it (a pseudonym where one is set). */
const thePerson = { account: id, person: name, roles: name }

/** What the key's policy said to a signature, and why. */
const policyDecision = z.strictObject({ decision: z.enum(['allowed', 'refused']), reason: says, product: name.optional(), recipe: z.enum(['production', 'test']).optional() })

export const outcomes = ['confirmed', 'reverted', 'unchanged', 'failed', 'stopped', 'uploaded', 'tested'] as const

const decimal = z.string().regex(/^[0-9]{1,80}$/, 'a package version is a decimal number')
/** What entries about one package say of it: `packageName` is an identifier or a free name, versions are the package's own numbers. */
const packageFacts = {
  firmwareSha256: sha256.optional(),
  packageName: name.optional(),
  packageVersion: decimal.optional(),
  stale: decimal.optional(),
  /** Packages it needs, OID:VERSION with spaces between. */
  needs: says.optional(),
  hardware: says.optional(),
  layers: name.optional(),
}

/** Data schema by kind, not yet made: all of them take 3 ms, and a command writes an entry or two. */
const making = {
  // The station
  'station-started': () => z.strictObject({
    appVersion: version,
    runtimeKind: z.enum(['electron', 'registry', 'node']),
    runtimeVersion: version,
    platform: name,
    /** The version that wrote the last entry before, when it was another one. */
    upgradedFrom: version.optional(),
  }),
  /** A newer version of the station itself was fetched (its file checked against the signed release), and put in place;
   *  `upgradedFrom` of the next start tells that it runs. */
  'update-fetched': () => z.strictObject({ version, file: name, fileSha256: sha256, source: name }),
  'update-applied': () => z.strictObject({ version, file: name, fileSha256: sha256, how: name }),
  'station-stopped': () => z.strictObject({ reason: says.optional() }),
  /** The wall clock left the monotonic one by this much (positive: forward) since the entry before. */
  'clock-stepped': () => z.strictObject({ byMs: z.int() }),
  settings: () => z.strictObject({ name, before: says.optional(), after: says }),
  /** `method`: how (`pin`, `badge`, `badge and pin`); the entry's person is who. `account` is that person's, whatever they are called. */
  'sign-in': () => z.strictObject({ method: name, account: id.optional() }),
  /** `account` only where the name or badge was somebody's; a name nobody has is not written down: it may be a PIN, typed into the wrong field. */
  'sign-in-refused': () => z.strictObject({ method: name, says, account: id.optional(), failure: failureKind.optional() }),
  'sign-out': () => z.strictObject({ account: id.optional() }),
  /** The station was left (`idle`) or locked by hand (`asked`), or its account was changed under it (`changed`). */
  'station-locked': () => z.strictObject({ why: z.enum(['idle', 'asked', 'changed']), account: id.optional() }),

  // People. PINs and badges are never in the log, nor anything made of them
  'person-added': () => z.strictObject({ ...thePerson }),
  /** What changed of an account: `what` is a word like roles, pin, badge, name. */
  'person-changed': () => z.strictObject({ ...thePerson, what: name, before: says.optional(), after: says.optional() }),
  'person-retired': () => z.strictObject({ ...thePerson }),
  /** Too many wrong tries; nobody signs in with this account until an administrator has unlocked it. */
  'person-locked': () => z.strictObject({ ...thePerson, tries: whole }),
  'person-unlocked': () => z.strictObject({ ...thePerson }),
  /** The station said no to something it was asked. */
  refusal: () => z.strictObject({ what: name, failure: failureKind, says, unit: id.optional(), batch: id.optional() }),

  // Keys
  'key-created': () => z.strictObject(theKey),
  'key-imported': () => z.strictObject(theKey),
  'key-used': () => z.strictObject({ ...theKey, purpose: z.enum(['image', 'package', 'checkpoint', 'other']), digest: hash.optional() }),
  'key-exported': () => z.strictObject({ ...theKey, form: name }),
  'key-retired': () => z.strictObject({ ...theKey, says: says.optional() }),
  /** Who may use the key, for what and when, from now on. */
  'key-policy': () => z.strictObject({ ...theKey, before: says, after: says }),
  /** A second person saw this firmware and version and lets this key sign it. */
  'use-approved': () => z.strictObject({ key: fingerprint, name, inputSha256: sha256, version, account: id.optional() }),

  // Tokens: `token` is a PKCS#11 URI (RFC 7512) without anything of a PIN
  'token-unlocked': () => z.strictObject({ token: says }),
  'token-locked': () => z.strictObject({ token: says }),
  'token-trouble': () => z.strictObject({ token: says, failure: failureKind, says }),

  // Images and recipes
  'image-signed': () => z.strictObject({
    key: fingerprint,
    algorithm,
    keyName: name.optional(),
    inputSha256: sha256,
    outputSha256: sha256,
    imageHash: hash,
    version,
    file: name,
    bytes: whole,
    home: z.enum(['file', 'pkcs11']).optional(),
    policy: policyDecision.optional(),
    /** The entry of the approval that counted; it counts once. */
    approval: whole.optional(),
    /** Account of who signed, where people have accounts. */
    account: id.optional(),
  }),
  'image-refused': () => z.strictObject({ file: name, failure: failureKind, says, inputSha256: sha256.optional(), key: fingerprint.optional(), policy: policyDecision.optional() }),
  /**
   * From here on this revision stays as it is. `recipeSha256` is over its canonical bytes, which `content` is where they are
   * short enough; `signature` (base64, Ed25519) is the station's log key's over them.
   */
  'recipe-released': () => z.strictObject({ recipe: id, name, revision: whole, recipeSha256: sha256, content: z.string().max(16_000).optional(), signature: z.string().max(200).optional() }),
  'recipe-withdrawn': () => z.strictObject({ recipe: id, name, revision: whole, recipeSha256: sha256, says: says.optional() }),

  // Batches and boards
  'batch-started': () => z.strictObject({
    batch: id,
    recipe: id.optional(),
    name: name.optional(),
    mode: name,
    imageHash: hash,
    version,
    key: fingerprint.optional(),
    file: name.optional(),
    target: whole.optional(),
    /** Hardware type of the boards (an object identifier), and what of a firmware package goes to them: left out, the image in it. */
    hardware: name.optional(),
    send: z.enum(['whole', 'in-place']).optional(),
  }),
  'batch-ended': () => z.strictObject({
    batch: id,
    reason: z.enum(['done', 'stopped', 'station-died']),
    /** Why it stopped by itself. */
    says: says.optional(),
    confirmed: whole,
    reverted: whole,
    unchanged: whole,
    failed: whole,
    stopped: whole,
    /** Runs that ended as the recipe asked without a confirm (upload-only, test-only). */
    uploaded: whole.optional(),
    tested: whole.optional(),
  }),
  /** Somebody scanned a serial number for this unit. */
  'unit-named': () => z.strictObject({ unit: id, batch: id, bay: bay.optional(), serial: name }),
  'board-attached': () => z.strictObject({ unit: id, port, bay: bay.optional() }),
  'board-detached': () => z.strictObject({ unit: id, port, bay: bay.optional() }),

  /** An engineer's command on one board's console that changes the board, or may: before it is sent, and when it was answered. */
  'console-intended': () => z.strictObject({ unit: id, command: says }),
  'console-done': () => z.strictObject({ unit: id, command: says, says, failure: failureKind.optional() }),
  /** Somebody asked for another run of a board whose last one failed. */
  'retry-asked': () => z.strictObject({ unit: id, batch: id, bay: bay.optional(), failure: failureKind.optional() }),

  // One run, in the order in which it passes
  'run-started': () => z.strictObject({ ...ofRun, port, activeHash: hash.optional(), version: version.optional() }),
  'preflight-refused': () => z.strictObject({ ...ofRun, failure: failureKind, says }),
  /** Said before the first byte: something that the person should know and that does not keep the run from going on. */
  'preflight-note': () => z.strictObject({ ...ofRun, note: name, says }),
  /** The board is told to erase a slot, and has no image in it any more. */
  'slot-erase-intended': () => z.strictObject({ ...ofRun, ...atSlot, why: name.optional() }),
  'slot-erased': () => z.strictObject({ ...ofRun, ...atSlot }),
  'slot-write-intended': () => z.strictObject({ ...ofRun, ...atSlot, imageHash: hash, bytes: whole, fileSha256: sha256.optional() }),
  /** `slotHash` is the board's own word on what lies in the slot now. */
  'slot-write-done': () => z.strictObject({ ...ofRun, ...atSlot, imageHash: hash, bytes: whole, slotHash: hash, tookMs: whole.optional() }),
  /** `bytes`: what the board had acknowledged of this write. */
  'slot-write-failed': () => z.strictObject({ ...ofRun, ...atSlot, imageHash: hash, bytes: whole.optional(), failure: failureKind, says }),
  'mark-intended': () => z.strictObject({ ...ofRun, imageHash: hash, for: z.enum(['test', 'permanent']) }),
  marked: () => z.strictObject({ ...ofRun, imageHash: hash, for: z.enum(['test', 'permanent']) }),
  'reset-intended': () => z.strictObject({ ...ofRun, why: name.optional() }),
  reset: () => z.strictObject({ ...ofRun, why: name.optional() }),
  /** The board's own word after it came back. */
  booted: () => z.strictObject({ ...ofRun, activeHash: hash, version, confirmed: z.boolean().optional(), port: port.optional() }),
  /** The same of an image of another number than the application's, on a board with several. */
  'image-runs': () => z.strictObject({ ...ofRun, image: whole, activeHash: hash, version, confirmed: z.boolean() }),
  'proof-passed': () => z.strictObject({ ...ofRun, proof: name, says: says.optional() }),
  'proof-failed': () => z.strictObject({ ...ofRun, proof: name, failure: failureKind.optional(), says }),
  /** Settings and files of one unit. A secret has no value here, whatever else is told of it. */
  'unit-data-intended': () => z.strictObject({ ...ofRun, item: name, secret: z.boolean() }),
  'unit-data-written': () => z.strictObject({ ...ofRun, item: name, secret: z.boolean(), value: says.optional() }),
  'unit-data-failed': () => z.strictObject({ ...ofRun, item: name, failure: failureKind, says }),
  'confirm-intended': () => z.strictObject({ ...ofRun, imageHash: hash }),
  confirmed: () => z.strictObject({ ...ofRun, activeHash: hash, version: version.optional() }),
  outcome: () => z.strictObject({
    ...ofRun,
    outcome: z.enum(outcomes),
    /** Kind of the failure, when there was one. */
    failure: failureKind.optional(),
    says,
    activeHash: hash.optional(),
    version: version.optional(),
    tookMs: whole.optional(),
  }),

  // Firmware packages (RFC 5652 with RFC 4108): what was wrapped, opened or turned away, by whose signature
  'package-made': () => z.strictObject({ ...packageFacts, packageSha256: sha256, imageHash: hash.optional(), version: version.optional(), file: name, bytes: whole, key: fingerprint.optional(), algorithm: algorithm.optional(), keyName: name.optional(), home: z.enum(['file', 'pkcs11']).optional(), signer: name.optional(), inPlaceAddress: whole.optional() }),
  /** Signature, path and attributes held, and its image went on. */
  'package-opened': () => z.strictObject({ ...packageFacts, packageSha256: sha256, imageHash: hash.optional(), version: version.optional(), file: name, bytes: whole.optional(), signer: name.optional(), anchor: name.optional(), anchorKeyId: z.string().regex(/^([0-9a-f]{2}){1,64}$/).optional(), /** Name of the key it was encrypted with, hex. */ decryptKeyId: z.string().regex(/^([0-9a-f]{2}){1,64}$/).optional() }),
  /** `code` is the RFC's error code. */
  'package-refused': () => z.strictObject({
    packageSha256: sha256.optional(), file: name, failure: failureKind, says, code: whole.optional(),
    /** The unit it was meant for and its hardware type, where they were named; what the package calls itself, unproven. */
    unit: id.optional(), hardware: name.optional(), packageName: name.optional(), packageVersion: decimal.optional(),
  }),
  /** A load receipt or load-error report was signed for a unit. */
  'receipt-made': () => z.strictObject({ unit: id, batch: id.optional(), run: id.optional(), outcome: z.enum(outcomes), code: whole.optional(), key: fingerprint, file: name, fileSha256: sha256 }),

  // The log itself
  /** Free text of an earlier entry was struck out (redact.ts); `leaf` is that entry's, `replacedBy` hashes what stands there now. */
  'entry-redacted': () => z.strictObject({ entry: whole, leaf: sha256, replacedBy: sha256, fields: name, says }),
  /** The log's key handed over to another; both as note keys (name+id+base64), both having signed the handover. */
  'log-key-changed': () => z.strictObject({ before: says, after: says, home: z.enum(['file', 'pkcs11']) }),
  'log-backed-up': () => z.strictObject({ file: name, size: whole, fileSha256: sha256 }),
  /** This log goes on from a backup: `size` and `root` are the backup's own. */
  'log-restored': () => z.strictObject({ file: name, size: whole, root: sha256 }),
  export: () => z.strictObject({ what: name, file: name, fileSha256: sha256.optional(), from: whole.optional(), to: whole.optional() }),
  'log-verified': () => z.strictObject({ size: whole, root: sha256, holds: z.boolean(), firstWrong: whole.optional(), says: says.optional() }),
} as const

type Making = typeof making
export type Kind = keyof Making

/** Data schema by kind, each made when it is first looked at. Adding a kind or an optional field is free; changing or removing one makes a version 2. */
export const kinds = Object.defineProperties({}, Object.fromEntries(Object.entries(making).map(([kind, make]) => {
  let made: z.ZodType | null = null
  return [kind, { enumerable: true, get: () => (made ??= make()) }]
}))) as { readonly [K in Kind]: ReturnType<Making[K]> }

export type KindData<K extends Kind> = z.infer<(typeof kinds)[K]>

export const kindNames = Object.keys(making) as Kind[]

/** True when this version knows the kind (and so may write it). */
export function isKnownKind(kind: string): kind is Kind {
  return Object.hasOwn(making, kind)
}
