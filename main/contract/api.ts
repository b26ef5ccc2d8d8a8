// What the outside may ask. One table keyed by method name holds the argument schemas; the result types hang on the
// same rows, so the window's bridge, the command line and the tests are equal clients and none can miss a method.
import { z } from 'zod'
import { selfTests, unitData } from './recipe-parts.ts'
import type { Failure } from '../base/failure.ts'
import { keyAlgorithms } from '../base/signer.ts'
import { administrators, anyone, auditors, engineers, everyone, keepers, line } from './roles.ts'
import type { May } from './roles.ts'
import { outcomeNames } from './views.ts'
import type {
  AboutView, BatchView, BayView, BoardView, BundleView, ComparisonView, DigestView, EntryView, FileView, ImageView, KeyView, LogVerdictView, OutcomeName, PortView,
  PracticeView, RunView, SettingsView, SignedView, SizeView, StationEvent, TokenModuleView,
} from './views.ts'

/** A `text` is a signature in base64. */
const filePurpose = z.enum(['firmware', 'image', 'key', 'text', 'table'])
const name = z.string().min(1).max(64)
const path = z.string().min(1).max(4096)
const fileId = z.string().regex(/^f[0-9]{1,9}$/)
const runId = z.string().min(1).max(64)
const passphrase = z.string().max(1024)
/** KEYHASH under the image's own hash: SHA-256, SHA-384 or SHA-512. */
const fingerprint = z.string().regex(/^([0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})$/)

/** A PKCS#11 URI (RFC 7512). */
const tokenUri = z.string().min(7).max(4096).regex(/^pkcs11:/i)
const keyClass = z.enum(['production', 'test'])
const time = z.string().max(40)

const oid = z.string().max(200).regex(/^[0-2](\.(0|[1-9][0-9]{0,38})){1,31}$/, 'an object identifier is numbers with dots, like 1.3.6.1.4.1.99999.1')

const recipe = z.strictObject({
  name: z.string().min(1).max(120).default('Default'),
  mode: z.enum(['upload-only', 'test-only', 'test-and-confirm']).default('test-and-confirm'),
  allowedKeys: z.array(fingerprint).max(64).default([]),
  allowDowngrade: z.boolean().default(false),
  proofs: z.array(z.enum(['echo', 'active-hash', 'version'])).max(3).default(['echo', 'active-hash', 'version']),
  quota: z.number().int().min(1).max(1_000_000).nullable().default(null),
  class: keyClass.optional(),
  needsWayBack: z.boolean().optional(),
  tests: selfTests.optional(),
  unitData: unitData.optional(),
  /** Hardware type of the boards (an object identifier), which a firmware package must name. */
  hardware: oid.optional(),
  /** Communities the boards are members of; packages may be limited to some. */
  communities: z.array(oid).max(64).optional(),
})

const signOptions = z.strictObject({
  version: z.string().min(1).max(40),
  headerBytes: z.number().int().min(32).max(0x10000).default(0x200),
  padHeader: z.boolean().default(true),
  slotBytes: z.number().int().min(1).max(0x1000_0000).default(0x69000),
  align: z.union([z.literal(1), z.literal(2), z.literal(4), z.literal(8), z.literal(16), z.literal(32)]).default(4),
  pad: z.boolean().default(false),
  confirm: z.boolean().default(false),
  securityCounter: z.union([z.literal('auto'), z.number().int().min(0).max(0xffff_ffff)]).nullable().default(null),
})

type Row<A extends z.ZodType, R> = Readonly<{ args: A; may: May; windowOnly: boolean; stationOnly: boolean; result?: R }>
type Where = { windowOnly?: true; stationOnly?: true }

/** A row of the table: `ask<Result>(who may)(argument schema)`; who may has no default, see roles.ts. */
const ask = <R>(may: May) => <A extends z.ZodType>(args: A, where: Where = {}): Row<A, R> =>
  ({ args, may, windowOnly: where.windowOnly === true, stationOnly: where.stationOnly === true })

const nothing = z.strictObject({})

/**
 * Every method. `stationOnly` rows take paths and are for the command line and tests; the bridge never offers them to the
 * window. `windowOnly` rows open a native dialog and are answered by the shell itself.
 */
export const methods = {
  about: ask<AboutView>(anyone)(nothing),

  // Files: the window names files by the id it got from a dialog, never by path.
  chooseFile: ask<FileView | null>(line)(z.strictObject({ purpose: filePurpose }), { windowOnly: true }),
  openFile: ask<FileView>(line)(z.strictObject({ path, purpose: filePurpose }), { stationOnly: true }),
  inspectFile: ask<ImageView>(line)(z.strictObject({ file: fileId })),
  compareFiles: ask<ComparisonView>(line)(z.strictObject({ left: fileId, right: fileId })),
  /** The room for an image in slots like these; equal slots, sizes in bytes. */
  sizeOfFile: ask<SizeView>(engineers)(z.strictObject({
    file: fileId, slotBytes: signOptions.shape.slotBytes, sectorBytes: z.number().int().min(1).max(0x100_0000).default(0x1000), align: signOptions.shape.align,
  })),
  sampleFile: ask<FileView>(line)(nothing),

  listKeys: ask<KeyView[]>(everyone)(nothing),
  generateKey: ask<KeyView>(engineers)(z.strictObject({
    name, algorithm: z.enum(keyAlgorithms as [typeof keyAlgorithms[number], ...typeof keyAlgorithms[number][]]),
    class: z.enum(['production', 'test']), passphrase: passphrase.nullable(),
  })),
  importKey: ask<KeyView>(engineers)(z.strictObject({ file: fileId, name, class: z.enum(['production', 'test']), passphrase: passphrase.nullable(), newPassphrase: passphrase.nullable() })),
  retireKey: ask<KeyView>(keepers)(z.strictObject({ name })),

  setKeyPolicy: ask<KeyView>(administrators)(z.strictObject({
    name, products: z.array(z.string().min(1).max(64)).max(32).default([]), notBefore: time.nullable().default(null), notAfter: time.nullable().default(null), needsTwo: z.boolean().default(false),
  })),

  // Keys in hardware (PKCS#11). Modules that the machine or the ring does not name are refused: loading one is running it.
  listTokens: ask<TokenModuleView[]>(keepers)(nothing),
  /** Until `lockToken` or the end; the PIN is kept by the token's own process only. */
  unlockToken: ask<TokenModuleView[]>(engineers)(z.strictObject({ token: tokenUri, pin: z.string().min(1).max(255) })),
  /** One token, or all with null. */
  lockToken: ask<TokenModuleView[]>(keepers)(z.strictObject({ token: tokenUri.nullable().default(null) })),
  addTokenKey: ask<KeyView>(engineers)(z.strictObject({ uri: tokenUri, name, class: keyClass })),
  generateTokenKey: ask<KeyView>(engineers)(z.strictObject({
    token: tokenUri, name, algorithm: z.enum(keyAlgorithms as [typeof keyAlgorithms[number], ...typeof keyAlgorithms[number][]]), class: keyClass,
  })),
  /** Lets the station load a module that is not installed in a usual place. */
  addTokenModule: ask<TokenModuleView[]>(administrators)(z.strictObject({ path }), { stationOnly: true }),

  /** A second person's word that this key may sign this firmware as this version; gives the entry. */
  approveSigning: ask<{ entry: number }>(engineers)(z.strictObject({ file: fileId, key: name, version: z.string().min(1).max(40) })),
  /**
   * Signs the opened firmware with a key of the ring; the window is asked where to save when `saveAs` is null. `passphrase`
   * is the key file's, or the PIN of a token that is still locked. `product` and `recipe` are what the key's policy asks for.
   */
  sign: ask<SignedView | null>(engineers)(z.strictObject({
    file: fileId, key: name, passphrase: passphrase.nullable(), options: signOptions, saveAs: path.nullable(),
    product: z.string().min(1).max(64).nullable().default(null), recipe: keyClass.nullable().default(null),
  })),

  /** Saves what a signer elsewhere signs (imgtool's --vector-to-sign digest); `publicKey` is the opened PEM of its public key. */
  exportDigest: ask<DigestView | null>(engineers)(z.strictObject({ file: fileId, publicKey: fileId, options: signOptions, saveAs: path.nullable() })),
  /** Takes its base64 answer (imgtool's --fix-sig) for the same firmware and options; nothing is saved unless it verifies. */
  importSignature: ask<SignedView | null>(engineers)(z.strictObject({ file: fileId, publicKey: fileId, signature: fileId, options: signOptions, saveAs: path.nullable() })),

  listPorts: ask<PortView[]>(line)(nothing),
  askBoard: ask<BoardView>(line)(z.strictObject({ port: path })),

  startPractice: ask<PracticeView>(line)(z.strictObject({
    boards: z.number().int().min(1).max(128).default(8),
    baud: z.number().int().min(1200).max(10_000_000).default(460_800),
    faults: z.string().max(2000).default(''),
    seed: z.number().int().min(0).max(0xffff_ffff).default(1),
    /** Boards as from the factory; false: as they were left. */
    fresh: z.boolean().default(true),
  })),
  stopPractice: ask<PracticeView>(line)(nothing),
  practice: ask<PracticeView>(everyone)(nothing),

  bays: ask<BayView[]>(everyone)(nothing),
  batch: ask<BatchView | null>(everyone)(nothing),
  /** `unitTable` is an opened table of unit data by serial number, where the recipe has any. */
  startBatch: ask<BatchView>(engineers)(z.strictObject({ file: fileId, recipe, unitTable: fileId.nullable().default(null), bays: z.array(z.number().int().min(1).max(1024)).max(1024).nullable().default(null) })),
  stopBatch: ask<BatchView | null>(line)(nothing),
  run: ask<RunView>(everyone)(z.strictObject({ run: runId })),
  listRuns: ask<RunView[]>(everyone)(z.strictObject({ batch: z.string().max(64).nullable().default(null) })),

  listLog: ask<{ entries: EntryView[]; total: number }>(everyone)(z.strictObject({
    before: z.number().int().min(0).nullable().default(null),
    limit: z.number().int().min(1).max(500).default(100),
    kind: z.string().max(64).nullable().default(null),
    text: z.string().max(200).default(''),
    unit: z.string().max(200).nullable().default(null),
    person: z.string().max(200).nullable().default(null),
    outcome: z.enum(outcomeNames as [OutcomeName, ...OutcomeName[]]).nullable().default(null),
    /** From this time on, and before that one: ISO 8601 in UTC, or the beginning of one. */
    since: time.nullable().default(null),
    until: time.nullable().default(null),
  })),
  verifyLog: ask<LogVerdictView>(everyone)(nothing),
  /** The whole log as an audit bundle. */
  exportLog: ask<BundleView | null>(auditors)(z.strictObject({ saveAs: path.nullable() })),

  settings: ask<SettingsView>(anyone)(nothing),
  changeSettings: ask<SettingsView>(everyone)(z.strictObject({ theme: z.enum(['system', 'light', 'dark']).optional(), person: z.string().min(1).max(80).optional() })),
} as const

export type Methods = typeof methods
export type MethodName = keyof Methods
/** Arguments as a caller writes them (defaults may be left out). */
export type ArgsOf<M extends MethodName> = z.input<Methods[M]['args']>
/** Arguments as the station receives them (defaults filled in, checked). */
export type CheckedArgsOf<M extends MethodName> = z.output<Methods[M]['args']>
export type ResultOf<M extends MethodName> = NonNullable<Methods[M]['result']> | Extract<Methods[M]['result'], null>

export type WindowOnly = { [M in MethodName]: M extends 'chooseFile' ? M : never }[MethodName]

export type FilePurpose = z.output<typeof filePurpose>

/** What the station offers to shell, command line and tests alike. Arguments are checked inside. */
export type StationApi = {
  readonly [M in Exclude<MethodName, WindowOnly>]: (args: ArgsOf<M>) => Promise<ResultOf<M> | Failure>
} & { subscribe(listener: (event: StationEvent) => void): () => void }

/** What the window sees through the bridge. */
export type WindowApi = {
  call<M extends MethodName>(method: M, args: ArgsOf<M>): Promise<import('./views.ts').Reply<ResultOf<M>>>
  subscribe(listener: (event: StationEvent) => void): () => void
}

export { callChannel, eventChannel } from './channels.ts'
