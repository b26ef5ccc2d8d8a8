// What the outside may ask. One table keyed by method name holds the argument schemas; the result types hang on the
// same rows, so the window's bridge, the command line and the tests are equal clients and none can miss a method.
import { z } from 'zod'
import type { BayMapView, DiagnosisView } from './line-views.ts'
import { selfTests, serialRule, serialText, unitData } from './recipe-parts.ts'
import type { Failure } from '../base/failure.ts'
import { keyAlgorithms } from '../base/signer.ts'
import { accountId, addPersonArgs, badgeCode, changePersonArgs, pin, signInArgs } from './people.ts'
import type { PersonView, SessionView } from './people.ts'
import type { ReceiptsView } from './package-view.ts'
import { boardProfile, objectIdentifier, profileName } from './board-profile.ts'
import type { BoardProfileView } from './board-profile.ts'
import { consoleCommand, listenSeconds } from './engineer.ts'
import type { ConsoleAnswerView, FailureEntryView, PreviewView } from './engineer.ts'
import { recipeFile, recipeId } from './recipes.ts'
import type { StoredRecipeView } from './recipes.ts'
import { administrators, anyone, auditors, engineers, everyone, keepers, line } from './roles.ts'
import type { May } from './roles.ts'
import type { EntryProofView, FiguresView, FoundView, LabelSettingsView, LabelView, LogBatchView, LogKeyView, RecallChoiceView, RecallView, SavedView } from './log-views.ts'
import { apiSettings, hookId, webhookArgs } from './factory.ts'
import type { FactoryApiView, HookMadeView, HookView } from './factory.ts'
import { practiceBuild } from './practice.ts'
import { fileId, signOptions } from './sign-options.ts'
import { updateSettings } from './update-view.ts'
import type { UpdateView } from './update-view.ts'
import { languageNames, outcomeNames } from './views.ts'
import type {
  AboutView, BatchView, BayView, BoardView, BundleView, ComparisonView, DecryptionKeyView, DigestView, EntryView, FileView, ImageView, KeyView, LogVerdictView, MeasuredView, OpenedImageView, OutcomeName, PortView,
  PracticeView, QuestionView, RunView, SettingsView, SignedView, SizeView, StationEvent, TokenModuleView,
} from './views.ts'

/** A `text` is a signature in base64, a `value` goes into a TLV. */
const filePurpose = z.enum(['firmware', 'image', 'key', 'text', 'table', 'value'])
const name = z.string().min(1).max(64)
const path = z.string().min(1).max(4096)
const runId = z.string().min(1).max(64)
const passphrase = z.string().max(1024)
/** KEYHASH under the image's own hash: SHA-256, SHA-384 or SHA-512. */
const fingerprint = z.string().regex(/^([0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})$/)

/** A PKCS#11 URI (RFC 7512). */
const tokenUri = z.string().min(7).max(4096).regex(/^pkcs11:/i)
const keyClass = z.enum(['production', 'test'])
const time = z.string().max(40)

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
  /** Name of the board profile; the common one where none is named. */
  profile: profileName.optional(),
  stopAfterFailures: z.number().int().min(1).max(1000).nullable().optional(),
  rolling: z.boolean().optional(),
  serials: serialRule.optional(),
  /** Hardware type of the boards (an object identifier), which a firmware package must name. */
  hardware: objectIdentifier.optional(),
  /** What of a firmware package goes to the boards: the image in it (the default), or the package as it is, for bootloaders that unpack it (`whole`) or run it from inside. */
  send: z.enum(['image', 'whole', 'in-place']).optional(),
  /** Communities the boards are members of; packages may be limited to some. */
  communities: z.array(objectIdentifier).max(64).optional(),
})

/** What a revision of a recipe says: these, in canonical form, are the bytes that a release signs. */
export const recipeBody = z.strictObject({
  recipe,
  files: z.array(recipeFile).max(16).default([]),
  product: z.string().min(1).max(64).nullable().default(null),
  notes: z.string().max(2000).default(''),
})

/** What to look for in the log; null and '' leave a field open. */
const logFilter = z.strictObject({
  kind: z.string().max(64).nullable().default(null),
  text: z.string().max(200).default(''),
  unit: z.string().max(200).nullable().default(null),
  person: z.string().max(200).nullable().default(null),
  batch: z.string().max(128).nullable().default(null),
  /** Fingerprint of a key that the entry names. */
  key: fingerprint.nullable().default(null),
  outcome: z.enum(outcomeNames as [OutcomeName, ...OutcomeName[]]).nullable().default(null),
  /** From this time on, and before that one: ISO 8601 in UTC, or the beginning of one. */
  since: time.nullable().default(null),
  until: time.nullable().default(null),
})
const findId = z.string().regex(/^q[0-9]{1,9}$/)
const batchId = z.string().min(1).max(128)
const unitName = z.string().min(1).max(128)
/** A hash in hex, or its first 8 digits or more. */
const recallFor = z.strictObject({ what: z.enum(['image', 'key', 'package']), hash: z.string().min(8).max(128) })

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
  /** Licences of everything that ships, as text. */
  notices: ask<{ text: string }>(anyone)(nothing),

  // Files: the window names files by the id it got from a dialog, never by path.
  chooseFile: ask<FileView | null>(line)(z.strictObject({ purpose: filePurpose }), { windowOnly: true }),
  openFile: ask<FileView>(line)(z.strictObject({ path, purpose: filePurpose }), { stationOnly: true }),
  /** A package whose problem was `firmware-key-locked`, with that key's passphrase; the key is open then until the station is locked or closed. */
  unlockPackage: ask<FileView>(line)(z.strictObject({ file: fileId, passphrase })),
  inspectFile: ask<ImageView>(line)(z.strictObject({ file: fileId })),
  compareFiles: ask<ComparisonView>(line)(z.strictObject({ left: fileId, right: fileId })),
  /** Keys of the ring that may open an encrypted image. */
  decryptionKeys: ask<DecryptionKeyView[]>(engineers)(z.strictObject({ file: fileId })),
  /** Decrypts with a key of the ring or an opened PEM file, unpacks, and says what held; the firmware itself is not given out. */
  openEncrypted: ask<OpenedImageView>(engineers)(z.strictObject({
    file: fileId, key: name.nullable().default(null), keyFile: fileId.nullable().default(null), passphrase: passphrase.nullable().default(null),
  })),
  /** The room for an image in slots like these; equal slots, sizes in bytes. */
  sizeOfFile: ask<SizeView>(engineers)(z.strictObject({
    file: fileId, slotBytes: signOptions.shape.slotBytes, sectorBytes: z.number().int().min(1).max(0x100_0000).default(0x1000), align: signOptions.shape.align,
  })),
  /**
   * The image that firmware would become with these options, measured without a private key: by a key of the ring, by an opened
   * PEM of a public key, or unsigned with neither.
   */
  measureFirmware: ask<MeasuredView>(engineers)(z.strictObject({
    file: fileId, key: name.nullable().default(null), publicKey: fileId.nullable().default(null), options: signOptions, sectorBytes: z.number().int().min(1).max(0x100_0000).default(0x1000),
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
  /** Until `lockToken` or the end; the PIN is kept by the token's own process only. Null: it is typed on the reader. */
  unlockToken: ask<TokenModuleView[]>(engineers)(z.strictObject({ token: tokenUri, pin: z.string().min(1).max(255).nullable() })),
  /** One token, or all with null. */
  lockToken: ask<TokenModuleView[]>(keepers)(z.strictObject({ token: tokenUri.nullable().default(null) })),
  addTokenKey: ask<KeyView>(engineers)(z.strictObject({ uri: tokenUri, name, class: keyClass })),
  generateTokenKey: ask<KeyView>(engineers)(z.strictObject({
    token: tokenUri, name, algorithm: z.enum(keyAlgorithms as [typeof keyAlgorithms[number], ...typeof keyAlgorithms[number][]]), class: keyClass,
  })),
  /** Lets the station load a module that is not installed in a usual place. */
  addTokenModule: ask<TokenModuleView[]>(administrators)(z.strictObject({ path }), { stationOnly: true }),
  /** The same with a file that the person chooses; null when they changed their mind. */
  chooseTokenModule: ask<TokenModuleView[] | null>(administrators)(nothing, { windowOnly: true }),

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

  /** Saves what a signer elsewhere signs (imgtool's --vector-to-sign digest, or payload for `pure`); `publicKey` is the opened PEM of its public key. */
  exportDigest: ask<DigestView | null>(engineers)(z.strictObject({ file: fileId, publicKey: fileId, options: signOptions, saveAs: path.nullable() })),
  /** Takes its base64 answer (imgtool's --fix-sig) for the same firmware and options; nothing is saved unless it verifies. */
  importSignature: ask<SignedView | null>(engineers)(z.strictObject({ file: fileId, publicKey: fileId, signature: fileId, options: signOptions, saveAs: path.nullable() })),

  listPorts: ask<PortView[]>(line)(nothing),
  listProfiles: ask<BoardProfileView[]>(line)(nothing),
  /** Over the station's own of that name, if there is one; a built-in one is only covered by it. */
  saveProfile: ask<BoardProfileView>(engineers)(z.strictObject({ profile: boardProfile })),
  removeProfile: ask<BoardProfileView[]>(engineers)(z.strictObject({ name: profileName })),
  /** Asks the board on that port and makes a profile of its answers; nothing is kept yet. `like`: the profile to ask it by, and to take the rest from. */
  profileFromBoard: ask<BoardProfileView>(engineers)(z.strictObject({ port: path, name: profileName, like: profileName.nullable().default(null) })),

  /** Questions that runs have for the operator, and his word on one. */
  questions: ask<QuestionView[]>(everyone)(nothing),
  answerQuestion: ask<QuestionView[]>(line)(z.strictObject({ question: z.string().min(1).max(20), yes: z.boolean() })),

  askBoard: ask<BoardView>(line)(z.strictObject({ port: path, profile: profileName.nullable().default(null) })),

  startPractice: ask<PracticeView>(line)(z.strictObject({
    boards: z.number().int().min(1).max(128).default(8),
    baud: z.number().int().min(1200).max(10_000_000).default(460_800),
    faults: z.string().max(2000).default(''),
    seed: z.number().int().min(0).max(0xffff_ffff).default(1),
    ...practiceBuild,
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
  /** Another run for the board in that bay, whose last one failed: in the batch while it runs, else in a new one by the same order for this bay alone. */
  retryBay: ask<BatchView>(engineers)(z.strictObject({ bay: z.number().int().min(1).max(1024) })),
  /** Asks every board attached and says what a batch would do to it; nothing is written to any. Only while no batch runs. */
  previewRecipe: ask<PreviewView>(engineers)(z.strictObject({ file: fileId, recipe, unitTable: fileId.nullable().default(null) })),

  // One board's console, and what failures mean
  /** One command, and what the board says beside its answers for so many seconds. Refused while a run has the port. */
  boardConsole: ask<ConsoleAnswerView>(engineers)(z.strictObject({ port: path, profile: profileName.nullable().default(null), command: consoleCommand, listenSeconds: listenSeconds.default(0) })),
  /** Whoever listens on that port stops; what was heard is answered to them. */
  hushConsole: ask<{ hushed: boolean }>(engineers)(z.strictObject({ port: path })),
  failureCatalogue: ask<FailureEntryView[]>(everyone)(nothing),
  run: ask<RunView>(everyone)(z.strictObject({ run: runId })),
  listRuns: ask<RunView[]>(everyone)(z.strictObject({ batch: z.string().max(64).nullable().default(null) })),

  listLog: ask<{ entries: EntryView[]; total: number }>(everyone)(z.strictObject({
    before: z.number().int().min(0).nullable().default(null),
    limit: z.number().int().min(1).max(500).default(100),
    ...logFilter.shape,
  })),
  /** Looks the whole log through; the answer names the set, which goes on to be the newest one asked for. A later call with the same filter extends it. */
  findLog: ask<FoundView>(everyone)(logFilter),
  /** Entries of a found set, newest first, from place `at` on. Fails with `no-such-find` when the set was given up. */
  foundEntries: ask<EntryView[]>(everyone)(z.strictObject({ find: findId, at: z.number().int().min(0), limit: z.number().int().min(1).max(200) })),
  placeInLog: ask<{ at: number | null }>(everyone)(z.strictObject({ find: findId, seq: z.number().int().min(0) })),
  entryProof: ask<EntryProofView>(everyone)(z.strictObject({ seq: z.number().int().min(0) })),
  /** Keys and batches the log tells of, newest first, 500 at most. */
  logKeys: ask<LogKeyView[]>(everyone)(nothing),
  logBatches: ask<LogBatchView[]>(everyone)(nothing),
  logFigures: ask<FiguresView>(everyone)(z.strictObject({ batch: batchId.nullable().default(null), since: time.nullable().default(null), until: time.nullable().default(null) })),
  /** Images and packages the log tells of, the lately written first, at most 200. */
  recallChoices: ask<RecallChoiceView[]>(everyone)(nothing),
  /** What a recall looks for, out of an image's, a package's or a key's file. */
  recallFile: ask<RecallChoiceView | null>(everyone)(nothing, { windowOnly: true }),
  readRecallFile: ask<RecallChoiceView>(everyone)(z.strictObject({ path }), { stationOnly: true }),
  recallUnits: ask<RecallView>(everyone)(recallFor),
  saveRecall: ask<SavedView | null>(auditors)(z.strictObject({ ...recallFor.shape, still: z.boolean().default(false), saveAs: path.nullable() })),
  /** A unit's whole history as a table. */
  saveHistory: ask<SavedView | null>(auditors)(z.strictObject({ unit: unitName, saveAs: path.nullable() })),

  /** Where a log is only looked at: looks again at what was opened, as it is now. */
  readAgain: ask<AboutView>(everyone)(nothing),

  // Paper
  /**
   * Load receipts and error reports (RFC 4108) for the runs of a unit or a batch, signed with a key of the ring; `passphrase` is the
   * key file's, or a locked token's PIN. `hardware` where neither recipe nor package named the boards' type.
   */
  saveReceipts: ask<ReceiptsView | null>(engineers)(z.strictObject({ unit: unitName.nullable().default(null), batch: batchId.nullable().default(null), key: name, passphrase: passphrase.nullable(), hardware: objectIdentifier.nullable().default(null), saveAs: path.nullable() })),
  saveReport: ask<SavedView | null>(everyone)(z.strictObject({ batch: batchId, form: z.enum(['html', 'pdf']), saveAs: path.nullable() })),
  printReport: ask<{ printed: boolean }>(everyone)(z.strictObject({ batch: batchId })),
  labelSettings: ask<LabelSettingsView>(everyone)(nothing),
  changeLabelSettings: ask<LabelSettingsView>(keepers)(z.strictObject({ widthMm: z.number().min(15).max(200), heightMm: z.number().min(10).max(200), dpi: z.union([z.literal(203), z.literal(300), z.literal(600)]) })),
  unitLabel: ask<LabelView>(everyone)(z.strictObject({ unit: unitName })),
  saveLabel: ask<SavedView | null>(everyone)(z.strictObject({ unit: unitName, form: z.enum(['zpl', 'pdf']), saveAs: path.nullable() })),
  printLabel: ask<{ printed: boolean }>(everyone)(z.strictObject({ unit: unitName })),

  verifyLog: ask<LogVerdictView>(everyone)(nothing),
  /** The whole log as an audit bundle. */
  exportLog: ask<BundleView | null>(auditors)(z.strictObject({ saveAs: path.nullable() })),

  // The fixture, and a board that is met for the first time
  bayMap: ask<BayMapView>(everyone)(nothing),
  /** Lays the bays out, numbered row by row; 0 and 0: no map. What was taught of bays that remain is kept. */
  layBays: ask<BayMapView>(engineers)(z.strictObject({ rows: z.number().int().min(0).max(32), columns: z.number().int().min(0).max(32) })),
  /** The socket that this attached board is in is that bay; null: the bay forgets its socket. */
  teachBay: ask<BayMapView>(engineers)(z.strictObject({ bay: z.number().int().min(1).max(1024), port: path.nullable() })),
  /** Asks a board again and again for some seconds, which makes its adapter's lights flicker and changes nothing. */
  blinkBoard: ask<{ answered: number }>(line)(z.strictObject({ port: path })),
  diagnosePort: ask<DiagnosisView>(line)(z.strictObject({ port: path })),
  /** A serial number was scanned: for the board in that bay, else for the one that waits longest or comes next. */
  nameUnit: ask<BatchView>(line)(z.strictObject({ serial: serialText, bay: z.number().int().min(1).max(1024).nullable().default(null) })),
  setFullScreen: ask<{ on: boolean }>(anyone)(z.strictObject({ on: z.boolean() }), { windowOnly: true }),

  // People. Who is signed in is the station's knowledge, one for each window, terminal or connection.
  session: ask<SessionView>(anyone)(nothing),
  signIn: ask<SessionView>(anyone)(signInArgs),
  signOut: ask<SessionView>(anyone)(nothing),
  /** Like `signOut`, and notes that the station was locked. */
  lockStation: ask<SessionView>(anyone)(nothing),
  changeOwnPin: ask<SessionView>(everyone)(z.strictObject({ old: z.string().max(1024), pin })),
  listPeople: ask<PersonView[]>(administrators)(nothing),
  /** The first one is an administrator with a PIN; from then on everybody signs in. */
  addPerson: ask<PersonView>(administrators)(addPersonArgs),
  changePerson: ask<PersonView>(administrators)(changePersonArgs),
  retirePerson: ask<PersonView>(administrators)(z.strictObject({ account: accountId })),
  unlockPerson: ask<PersonView>(administrators)(z.strictObject({ account: accountId })),
  /** Null takes it away. */
  setPin: ask<PersonView>(administrators)(z.strictObject({ account: accountId, pin: pin.nullable() })),
  setBadge: ask<PersonView>(administrators)(z.strictObject({ account: accountId, badge: badgeCode.nullable() })),
  /** Minutes without input after which the station locks; 0: never. */
  setIdleLock: ask<SessionView>(administrators)(z.strictObject({ minutes: z.number().int().min(0).max(720) })),

  // Recipes: drafts are changed, released revisions only followed by the next.
  listRecipes: ask<StoredRecipeView[]>(everyone)(nothing),
  /** Makes a recipe (`id` null), or changes its draft, or begins its next revision as a draft. */
  saveRecipe: ask<StoredRecipeView>(engineers)(z.strictObject({ id: recipeId.nullable().default(null), body: recipeBody })),
  deleteDraft: ask<StoredRecipeView[]>(engineers)(z.strictObject({ id: recipeId })),
  /** Hashes, signs and logs the draft; from now on it stays as it is, and operators may start batches by it. */
  releaseRecipe: ask<StoredRecipeView>(engineers)(z.strictObject({ id: recipeId })),
  /** No batch starts by this revision any more. */
  withdrawRecipe: ask<StoredRecipeView>(engineers)(z.strictObject({ id: recipeId, revision: z.number().int().min(1).max(1_000_000) })),
  /** A batch by the newest released revision, with a file that it names. */
  startReleased: ask<BatchView>(line)(z.strictObject({
    recipe: recipeId, file: fileId, unitTable: fileId.nullable().default(null), bays: z.array(z.number().int().min(1).max(1024)).max(1024).nullable().default(null),
    /** Boards to bring to a good outcome in this batch, where the recipe leaves that open. */
    quota: z.number().int().min(1).max(1_000_000).nullable().default(null),
  })),

  settings: ask<SettingsView>(anyone)(nothing),
  /** Of ports whose board profile names none. */
  setLineRate: ask<SettingsView>(engineers)(z.strictObject({ baudRate: z.number().int().min(1200).max(20_000_000) })),
  changeSettings: ask<SettingsView>(everyone)(z.strictObject({ theme: z.enum(['system', 'light', 'dark', 'contrast']).optional(), language: z.enum(['system', ...languageNames]).optional(), person: z.string().min(1).max(80).optional() })),

  // The station's own updates: off until a source and the publisher's key are set, and nothing happens unasked.
  updates: ask<UpdateView>(everyone)(nothing),
  setUpdates: ask<UpdateView>(administrators)(updateSettings),
  checkUpdate: ask<UpdateView>(administrators)(nothing),
  fetchUpdate: ask<UpdateView>(administrators)(nothing),
  applyUpdate: ask<UpdateView>(administrators)(nothing),

  // The factory's own systems: where events go, and the HTTP interface. Both off until an administrator turns them on.
  listHooks: ask<HookView[]>(keepers)(nothing),
  /** Events go to that address, signed with a secret that is shown in this answer and never again. */
  addWebhook: ask<HookMadeView>(administrators)(webhookArgs),
  /** Events become files in that folder. */
  addFolderHook: ask<HookMadeView>(administrators)(z.strictObject({ folder: path }), { stationOnly: true }),
  /** The same with a folder that the person chooses; null when they changed their mind. */
  chooseFolderHook: ask<HookMadeView | null>(administrators)(nothing, { windowOnly: true }),
  removeHook: ask<HookView[]>(administrators)(z.strictObject({ hook: hookId })),
  /** Sends a made-up event, now and once. */
  testHook: ask<HookView>(administrators)(z.strictObject({ hook: hookId })),
  /** Tells everything again from that entry of the log on. */
  rewindHook: ask<HookView>(administrators)(z.strictObject({ hook: hookId, entry: z.number().int().min(0) })),
  factoryApi: ask<FactoryApiView>(keepers)(nothing),
  setFactoryApi: ask<FactoryApiView>(administrators)(apiSettings),
  /** Opens it as it is set, for a program that runs for it; the window opens it by itself. */
  openFactoryApi: ask<FactoryApiView>(line)(nothing, { stationOnly: true }),
  /** Shown in this answer and never again; the one before counts no more. */
  newFactoryToken: ask<{ token: string }>(administrators)(nothing),
} as const

export type Methods = typeof methods
export type MethodName = keyof Methods
/** Arguments as a caller writes them (defaults may be left out). */
export type ArgsOf<M extends MethodName> = z.input<Methods[M]['args']>
/** Arguments as the station receives them (defaults filled in, checked). */
export type CheckedArgsOf<M extends MethodName> = z.output<Methods[M]['args']>
export type ResultOf<M extends MethodName> = NonNullable<Methods[M]['result']> | Extract<Methods[M]['result'], null>

export type RecipeBody = z.output<typeof recipeBody>

export type WindowOnly = { [M in MethodName]: M extends 'chooseFile' | 'chooseTokenModule' | 'chooseFolderHook' | 'recallFile' | 'setFullScreen' ? M : never }[MethodName]

export type FilePurpose = z.output<typeof filePurpose>

/** What the station offers to shell, command line and tests alike. Arguments are checked inside. */
export type StationApi = {
  readonly [M in Exclude<MethodName, WindowOnly>]: (args: ArgsOf<M>) => Promise<ResultOf<M> | Failure>
} & { subscribe(listener: (event: StationEvent) => void): () => void }

/** What the window sees through the bridge. */
export type WindowApi = {
  call<M extends MethodName>(method: M, args: ArgsOf<M>): Promise<import('./views.ts').Reply<ResultOf<M>>>
  subscribe(listener: (event: StationEvent) => void): () => void
  /** The system's own, the first the dearest (BCP 47). */
  readonly languages: readonly string[]
}

export { formatTrouble } from '../line/serial-rule.ts'
export { entryIdOf } from '../line/failure-id.ts'
export { callChannel, eventChannel } from './channels.ts'
