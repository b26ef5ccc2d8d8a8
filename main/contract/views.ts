// What the outside sees: whole rows of plain data, replaced as a whole when they change. Keys, PINs and image bytes are
// never in a view; digests and fingerprints (lower-case hex) are.
import type { BoardView, SlotView } from './board-view.ts'
import type { FailureView, Reply, SaidView } from './failure-view.ts'
import type { UpdateView } from './update-view.ts'
import { keyAlgorithms, type KeyAlgorithm } from '../base/signer.ts'
import type { DiagnosisView, LineFiguresView } from './line-views.ts'
import type { ConsoleHeardView } from './engineer.ts'
import type { PackageView } from './package-view.ts'
import type { PracticeBuild } from './practice.ts'
import type { SessionView } from './people.ts'

import type { SelfTestView, UnitDataView } from './recipe-parts.ts'

// The window may import the contract alone, so the words of lower floors it needs pass through here.
export { keyAlgorithms, type KeyAlgorithm }
export type { BoardView, FailureView, PackageView, Reply, SaidView, SlotView }

export type AboutView = Readonly<{
  name: string
  version: string
  /** Which runtime runs: Electron's own build, or the development build taken from the package registry. */
  runtime: Readonly<{ kind: 'electron' | 'registry' | 'node'; electron: string; chrome: string; node: string }>
  platform: string
  home: string
  licence: string
  /** Set where a log is only looked at: what was opened, and as of when. */
  auditing?: Readonly<{ of: 'database' | 'bundle'; path: string; readAt: string }>
}>

/** Where a run stands. The words are the operator's; the machine's own states are finer. */
export type RunPhase =
  | 'attached'
  | 'identifying'
  | 'preflight'
  | 'uploading'
  | 'checking'
  | 'marking'
  | 'resetting'
  | 'waiting'
  | 'proving'
  | 'confirming'
  | 'ended'

export type OutcomeName = 'confirmed' | 'reverted' | 'unchanged' | 'uploaded' | 'tested' | 'failed' | 'stopped'

export const outcomeNames: readonly OutcomeName[] = ['confirmed', 'reverted', 'unchanged', 'uploaded', 'tested', 'failed', 'stopped']

/** One bay with its board, as the window and the terminal draw it. */
export type BayView = Readonly<{
  bay: number
  /** Null while nothing is plugged into this bay. */
  board: string | null
  port: string | null
  practice: boolean
  /** USB hub path of its socket; null where the port tells none. */
  place: string | null
  /** The board stands in a bay that is not its own (`other-bay`), or in no bay of the fixture (`unknown-place`). */
  misplaced: FailureView | null
  /** Id of the run now in this bay or last seen there. */
  run: string | null
  phase: RunPhase | null
  /** One short sentence on what happens now, or how it ended. */
  says: string
  bytesDone: number
  bytesTotal: number
  bytesPerSecond: number
  secondsLeft: number | null
  /** Said before anything is sent, as of a board that cannot go back; null where there is nothing to say. */
  note: SaidView | null
  /** Until when a board that restarts is waited for before its run ends; null while none is. */
  waitsUntil: string | null
  runningVersion: string | null
  targetVersion: string | null
  outcome: OutcomeName | null
  failure: FailureView | null
  /** What to do about it, for whoever stands in front of the bay; null where there is nothing to do. */
  todo: string | null
  /** Digest in the active slot by the board's own word. */
  activeHash: string | null
  seconds: number
}>

export type OutcomeCounts = Readonly<Record<OutcomeName, number>>

export type BatchView = Readonly<{
  id: string
  status: 'running' | 'stopping' | 'ended'
  recipe: RecipeView
  image: ImageView
  boards: number
  counts: OutcomeCounts
  startedAt: string
  endedAt: string | null
  seconds: number
  figures: LineFiguresView
  /** The last runs that ended, oldest first. */
  recent: readonly Readonly<{ outcome: OutcomeName; seconds: number; atSeconds: number }>[]
  /** Runs in a row, up to now, that did not end well. */
  badInARow: number
  /** Why the batch begins no further board by itself; null while it does. */
  because: FailureView | null
  /** Boards that wait for their serial number to be scanned, the longest waiting first. */
  waiting: readonly Readonly<{ bay: number; board: string }>[]
  /** A serial number scanned before its board was there. */
  nextSerial: string | null
}>

export type UpgradeMode = 'upload-only' | 'test-only' | 'test-and-confirm'

export type RecipeView = Readonly<{
  name: string
  mode: UpgradeMode
  /** KEYHASH fingerprints allowed to have signed the image; empty means any key the station knows. */
  allowedKeys: readonly string[]
  allowDowngrade: boolean
  proofs: readonly ProofName[]
  /** Boards to bring to a good outcome; null means all that are attached. */
  quota: number | null
  /** A production recipe takes no image signed with a test key, whatever else it allows. */
  class?: 'production' | 'test'
  /** Boards that could not go back from an image that fails its proof are refused. */
  needsWayBack?: boolean
  /** Asked of the new image before the proofs. */
  tests?: readonly SelfTestView[]
  stopAfterFailures?: number | null
  rolling?: boolean
  serials?: Readonly<{ format: string }>
  unitData?: readonly UnitDataView[]
  /** What of a firmware package goes to the boards; left out: the image in it. */
  send?: 'image' | 'whole' | 'in-place'
  /** Hardware type and communities of the boards, by which packages choose theirs. */
  hardware?: string
  communities?: readonly string[]
  /** Name of the board profile. */
  profile?: string
}>

export type ProofName = 'echo' | 'active-hash' | 'version'

/** One line of a board's step-by-step history. */
export type StepView = Readonly<{
  at: string
  /** Seconds since the run began. */
  seconds: number
  step: string
  says: string
  result: 'begun' | 'done' | 'failed' | 'note'
  /** Kind and data of the log's entry, for who says it in another language. */
  kind: string
  data: Readonly<Record<string, unknown>>
}>

export type RunView = Readonly<{
  run: string
  batch: string
  bay: number
  board: string
  port: string
  outcome: OutcomeName | null
  kind: string | null
  /** How it ended or what it does now, and when it failed: what to do. */
  says: string
  todo: string | null
  activeHash: string | null
  version: string | null
  startedAt: string
  seconds: number
  bytes: number
  bytesPerSecond: number
  steps: readonly StepView[]
}>

export type KeyView = Readonly<{
  name: string
  algorithm: KeyAlgorithm
  /** KEYHASH as MCUboot would store it, hex. */
  fingerprint: string
  class: 'production' | 'test'
  where: 'file' | 'pkcs11'
  encrypted: boolean
  createdAt: string
  retiredAt: string | null
  /** A sentence when this key deserves care (a published test key, an unencrypted file, a key that can leave its token). */
  warning: string | null
  /** Where a key in hardware lies; null for a key in a file. */
  token: Readonly<{ uri: string; residence: ResidenceView }> | null
  policy: KeyPolicyView
}>

/** Who may use a key, for what and when. Times are ISO 8601, UTC. */
export type KeyPolicyView = Readonly<{ products: readonly string[]; notBefore: string | null; notAfter: string | null; needsTwo: boolean }>

/** What a token says of whether a private key can leave it; null where it does not say. */
export type ResidenceView = Readonly<{
  /** `bound`: never could; `held`: cannot now, copies may exist; `loose`: can; `untold`. */
  verdict: 'bound' | 'held' | 'loose' | 'untold'
  says: string
  sensitive: boolean | null
  extractable: boolean | null
  alwaysSensitive: boolean | null
  neverExtractable: boolean | null
  local: boolean | null
}>

/** A key in a token, in the ring or not. */
export type TokenKeyView = Readonly<{
  uri: string
  label: string
  /** CKA_ID, hex. */
  id: string
  /** Null for a kind MCUboot cannot use; `called` says which. */
  algorithm: KeyAlgorithm | null
  called: string
  fingerprint: string | null
  canSign: boolean
  residence: ResidenceView
  /** Its name in the ring; null when it was not taken in. */
  name: string | null
}>

export type TokenView = Readonly<{
  /** Names it in the other calls. */
  uri: string
  label: string
  manufacturer: string
  model: string
  serial: string
  slot: string
  needsPin: boolean
  /** The PIN is typed on the reader's own keys, never here. */
  pinPad: boolean
  /** Tries: `low` after a wrong one, `final` when one is left, `locked` when none is. */
  pin: 'fine' | 'low' | 'final' | 'locked' | 'unset'
  readOnly: boolean
  unlocked: boolean
  signs: readonly KeyAlgorithm[]
  makes: readonly KeyAlgorithm[]
  /** Empty while it is locked. */
  keys: readonly TokenKeyView[]
}>

/** A PKCS#11 module of this machine with the tokens in its slots, or what is wrong with it. */
export type TokenModuleView = Readonly<{ name: string; path: string; problem: FailureView | null; tokens: readonly TokenView[] }>

export type TlvView = Readonly<{ type: number; name: string; length: number; protected: boolean; hex: string; /** A few words; null where the value says nothing to people. */ means: SaidView | null }>

/** A firmware image as it claims to be and as far as it was proven. */
export type ImageView = Readonly<{
  fileName: string
  bytes: number
  version: string
  headerBytes: number
  payloadBytes: number
  loadAddress: number
  flags: readonly string[]
  /** Image digest (what SMP calls hash). */
  hash: string
  hashHolds: boolean
  /** Fingerprint of the key that is said to have signed; null when unsigned. */
  keyHash: string | null
  /** Name of the keyring's key with that fingerprint. */
  keyName: string | null
  /** `valid`: proven with a known key; `unknown-key`: cannot be proven here; `unsigned`; `invalid`: does not hold. */
  signature: 'valid' | 'invalid' | 'unknown-key' | 'unsigned'
  signatureKind: string | null
  securityCounter: number | null
  trailer: Readonly<{ means: SaidView; imageOk: boolean }> | null
  /** What must be undone to see the firmware; encrypted ones need the board's private key for that. */
  wrapped?: 'encrypted' | 'compressed' | null
  tlvs: readonly TlvView[]
  warnings: readonly SaidView[]
  /** Every image of an archive that brings several, this one first; left out where the file is one image. */
  images?: readonly PartView[]
}>

/** One image of an archive. `slot`: linked for that slot of a direct-xip board; null: for whichever is free. */
export type PartView = Readonly<{
  image: number
  slot: number | null
  fileName: string
  version: string
  bytes: number
  hash: string
  hashHolds: boolean
  keyName: string | null
  signature: ImageView['signature']
}>

/** A private key of the ring that an encrypted image may have been made for. */
export type DecryptionKeyView = Readonly<{ name: string; algorithm: KeyAlgorithm | 'x25519'; encrypted: boolean }>

/** An image opened to its firmware; that there is one says that size and hash of the plaintext hold. */
export type OpenedImageView = Readonly<{
  decrypted: boolean
  firmwareBytes: number
  firmwareSha256: string
  /** The image's own hash, over the plaintext. */
  hash: string
  /** Whether a key known here proved the signature. */
  signed: boolean
  /** Of a compressed image; null for the signature where no key here can tell. */
  unpacked: Readonly<{ hash: string; signatureHolds: boolean | null }> | null
}>

/** Two images side by side: what differs, by names a person can read. Empty: they say the same, down to the hash. */
export type ComparisonView = Readonly<{ left: string; right: string; differences: readonly Readonly<{ what: string; left: string; right: string }>[] }>

/** Parts of an image, and for every swap mode the largest image that these slots take. Bytes. */
export type SizeView = Readonly<{
  headerBytes: number
  payloadBytes: number
  protectedTlvBytes: number
  tlvBytes: number
  imageBytes: number
  trailerBytes: number
  modes: readonly Readonly<{ mode: string; largestImageBytes: number; freeBytes: number; fits: boolean }>[]
}>

/** An image before it is signed. ECDSA signatures are counted at their longest; `headerBytes` and `padHeader` are what `auto` came to. */
export type MeasuredView = SizeView & Readonly<{
  padHeader: boolean
  /** Whose signature was counted; null for none. */
  algorithm: KeyAlgorithm | null
  /** `kept` is false when compressing would have made it larger. */
  compression: null | Readonly<{ kept: boolean; firmwareBytes: number; compressedBytes: number }>
}>

/** What goes to a signer elsewhere: the file it was saved in, and for comparing by eye its bytes, of a payload their SHA-256. */
export type DigestView = Readonly<{
  savedAs: string; what: 'digest' | 'payload'; digest: string; algorithm: KeyAlgorithm; fingerprint: string
  /** A line for a terminal that signs it with OpenSSL. */
  command: string
}>

/** A file the station has read and holds open for later calls under `file`. */
export type FileView = Readonly<{
  file: string; name: string; bytes: number; sha256: string; image: ImageView | null; problem: FailureView | null
  /** Set when the file is a firmware package that was proven; `image` is then the image in it. */
  package?: PackageView | null
}>

export type SignedView = Readonly<{ image: ImageView; savedAs: string; file: string; key: string; entry: number }>

export type PortView = Readonly<{
  port: string
  /** USB serial number or practice serial; null where the port tells none. */
  serial: string | null
  bay: number | null
  maker: string | null
  usb: string | null
  practice: boolean
}>

/** Something only a person at the fixture can tell, asked by a run whose bay it names. */
export type QuestionView = Readonly<{
  question: string
  run: string
  bay: number
  board: string
  asks: string
  askedAt: string
  secondsLeft: number
}>

export type EntryView = Readonly<{
  seq: number
  at: string
  person: string
  kind: string
  /** One sentence for a reader. */
  says: string
  unit: string | null
  run: string | null
  batch: string | null
  leaf: string
  data: Readonly<Record<string, unknown>>
}>

export type LogVerdictView = Readonly<{
  holds: boolean
  size: number
  root: string
  says: string
  /** First entry that does not hold. */
  firstWrong: number | null
  /** What does not hold, by kinds (`leaf`, of a bundle `bundle-files`) in the order of `says`; five at most. */
  wrongs: readonly Readonly<{ kind: string; seq: number | null }>[]
  /** Of an audit bundle: files that nothing vouches for, though all else holds. */
  unchecked?: readonly string[]
  seconds: number
}>

/** An audit bundle that was written and checked. */
export type BundleView = Readonly<{ savedAs: string; bytes: number; sha256: string; entries: number; units: number; /** The log's note of it; null where the log is only looked at. */ entry: number | null }>

export type PracticeView = Readonly<{
  status: 'off' | 'starting' | 'on'
  boards: number
  baud: number
  folder: string | null
  /** What the boards are; null while there are none. */
  build: PracticeBuild | null
}>

/** The languages that the window has words for. */
export const languageNames = ['en', 'de', 'es', 'zh'] as const
export type LanguageName = typeof languageNames[number]

export type SettingsView = Readonly<{
  theme: 'system' | 'light' | 'dark' | 'contrast'
  /** What the window speaks; `system`: as the operating system, English where it has none of these. */
  language: LanguageName | 'system'
  person: string
  /** Line rate of ports whose board profile names none, symbols a second. */
  baudRate: number
}>

/** Pushed to every client; a row event replaces the row of the same bay. */
export type StationEvent =
  | Readonly<{ is: 'bay'; bay: BayView }>
  | Readonly<{ is: 'bays'; bays: readonly BayView[] }>
  | Readonly<{ is: 'batch'; batch: BatchView | null }>
  | Readonly<{ is: 'practice'; practice: PracticeView }>
  /** All that are open now. */
  | Readonly<{ is: 'questions'; questions: readonly QuestionView[] }>
  /** How the diagnosis of a port goes on. */
  | Readonly<{ is: 'diagnosis'; diagnosis: DiagnosisView }>
  /** A line of a console that somebody listens to. */
  | Readonly<{ is: 'console'; heard: ConsoleHeardView }>
  | Readonly<{ is: 'log'; size: number }>
  | Readonly<{ is: 'update'; update: UpdateView }>
  /** Who is signed in changed; each client hears of its own session only. */
  | Readonly<{ is: 'session'; session: SessionView }>
  /** Something about recipes changed: list them again. */
  | Readonly<{ is: 'recipes' }>
  /** Something about tokens changed, or went wrong at one: list them again. */
  | Readonly<{ is: 'tokens' }>
  /** Entries verified, or bytes of a log that is put aside so that it can be looked at. */
  | Readonly<{ is: 'progress'; what: 'verify' | 'copy'; done: number; total: number }>
