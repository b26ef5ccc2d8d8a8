// The words of one run: what the board says, what the run is to do, where it stands, what may happen to it. Plain values
// only, so that a state can be compared, stored and replayed. docs/run.md draws what comes of them.
// What surprised us: while a new image runs on test, the board lists the OLD one in slot 1 as confirmed.
import type { Failure } from '../base/failure.ts'
import type { ImageVersion } from '../image/version.ts'
import type { BoardProfile } from './profile.ts'
import type { Measured, SelfTest } from './selftest.ts'
import type { UnitItem, UnitTemplate } from './unit-data.ts'
import type { EntryDraft } from '../log/entry.ts'
import type { SlotState } from '../smp/image.ts'
import type { SwapMode } from '../smp/os.ts'

/** One slot as the board lists it; the hash in lower-case hex. */
export type SlotSays = Readonly<Omit<SlotState, 'hash'> & { hash: string | null }>

/** All that a board says of itself before anything is done to it. */
export type BoardSays = Readonly<{
  /** Net buffer of the board; null when it does not tell. */
  bufferBytes: number | null
  bufferCount: number | null
  bootloader: string | null
  /** `unknown` when the board does not tell or names a mode this station does not know. */
  mode: SwapMode | 'unknown'
  /** The bootloader itself refuses older versions. */
  noDowngrade: boolean
  slots: readonly SlotSays[]
  /** Empty where the board cannot tell (servers before Zephyr 4.0). */
  slotBytes: readonly Readonly<{ image: number; slot: number; bytes: number }>[]
  /** Largest image the server takes for image 0, trailer already taken off; null when it does not tell. */
  maxImageBytes: number | null
  /** The bootloader answers, not the firmware: uploads go over the primary slot. */
  recovery?: boolean
}>

/** An image of that number must have at least this version; build numbers do not count (MCUBOOT_VERSION_CMP_USE_BUILD_NUMBER is off). */
export type Dependency = Readonly<{ image: number; version: ImageVersion }>

/**
 * One of the images that a run brings to a board, by the image number it has there. `unlisted`: this board never lists what it
 * runs under that number (see `fitted`).
 */
export type Part = Readonly<{ number: number; image: ImageFacts; unlisted?: boolean }>

/** What is known of the key that signed an image. */
export type KeyFacts = Readonly<{ name: string; fingerprint: string; class: 'production' | 'test'; retired: boolean }>

/** What the station found out about the image itself, before any board was asked. */
export type ImageFacts = Readonly<{
  fileName: string
  /** Whole file, all of which is uploaded. */
  bytes: number
  /** Header, payload and TLVs; what the bootloader moves. */
  imageBytes: number
  /** Of `imageBytes`, what the bootloader unpacks from a package into the free part of the upgrade slot. Left out: nothing. */
  unpackedBytes?: number
  /** Digest of the whole file, hex: the upload's resume key. */
  fileSha256: string
  /** The image hash (SHA TLV), hex: what the board lists. */
  hash: string
  hashHolds: boolean
  version: ImageVersion
  bootable: boolean
  /** The file brings its own trailer, which would mark it the moment it lies in the slot. */
  hasTrailer: boolean
  /** Flag RAM_LOAD: linked for its load address in RAM. */
  ramLoad: boolean
  keyHash: string | null
  /** Hash the board lists once it runs the image; another than `hash` where the bootloader unpacks it (DECOMP_SHA). Left out: the same. */
  runsHash?: string
  /** Unpacked by the bootloader while it overwrites the old image, which no bootloader that swaps can do. */
  compressed?: boolean
  encrypted?: boolean
  /** SEC_CNT: bootloaders that keep security counters take no lower one than they have had. Left out: none, and such bootloaders take no image without. */
  securityCounter?: number
  /** What other images of the same board must be at least (IMAGE_TLV_DEPENDENCY). */
  dependencies?: readonly Dependency[]
  signature: 'valid' | 'invalid' | 'unknown-key' | 'unsigned'
  /** The keyring's key with that fingerprint. */
  key: KeyFacts | null
}>

export type UpgradeMode = 'upload-only' | 'test-only' | 'test-and-confirm'
export type ProofName = 'echo' | 'active-hash' | 'version'

/** What a batch does to each of its boards; the same rows as the contract's recipe. */
export type Recipe = Readonly<{
  name: string
  mode: UpgradeMode
  allowedKeys: readonly string[]
  allowDowngrade: boolean
  proofs: readonly ProofName[]
  quota: number | null
  /** No further board is begun after this many runs in a row that did not end well. */
  stopAfterFailures?: number | null
  /** Goes on with boards that come later, until the quota is full or somebody stops it. */
  rolling?: boolean
  /** A serial number is scanned for each unit before its run; a regular expression says how it looks. */
  serials?: Readonly<{ format: string }>
  /** A production recipe takes no image of a test key, not even one that it names. */
  class?: 'production' | 'test'
  /** Boards that could not go back from an image that fails its proof are refused. */
  needsWayBack?: boolean
  /** Asked of the new image before the proofs, in this order. */
  tests?: readonly SelfTest[]
  /** What each unit gets beside the image, before the tests. */
  unitData?: readonly UnitTemplate[]
  /** Hardware type of the boards (an object identifier). */
  hardware?: string
  /** What of a firmware package goes to them; left out, the image in it. */
  send?: 'image' | 'whole' | 'in-place'
}>

/** One board's passage: who, with what, by which recipe. */
export type Job = Readonly<{
  run: string
  unit: string
  batch: string
  bay: number
  port: string
  practice: boolean
  profile: BoardProfile
  /** Image 0: the application. */
  image: ImageFacts
  /** Images of other numbers that go with it, in the order of their numbers; all of them are one update with one outcome. */
  others?: readonly Part[]
  /** Image 0 linked for each slot, where the file brings one for each; `image` is the one for slot 0 until the board has said which runs. */
  variants?: readonly Readonly<{ slot: number; image: ImageFacts }>[]
  recipe: Recipe
  /** The recipe's unit data as this unit gets it, or why it cannot be told. Holds secrets: never in a view, never in the log. */
  unitData?: readonly UnitItem[] | Failure
}>

/** Why a reset is asked for: to try the new image, to get the old one back, to finish somebody's half-done update, or to stay in the bootloader. */
export type ResetPurpose = 'try' | 'revert' | 'clear' | 'recover'

/** What the runner is to do next. Each ends in one `stepDone` or `stepFailed`. */
export type Step =
  | Readonly<{ do: 'identify' }>
  /** Takes an image away that the bootloader would run next although nobody asked for it. */
  | Readonly<{ do: 'erase'; image: number; slot: number }>
  | Readonly<{ do: 'check-erased'; image: number; slot: number }>
  /** Into serial recovery without the firmware's help, as the profile has it; done when the bootloader answers. */
  | Readonly<{ do: 'enter-recovery' }>
  | Readonly<{ do: 'upload'; image: number; slot: number; bytes: number; fileSha256: string }>
  | Readonly<{ do: 'check-slot'; image: number; slot: number; uploadMs: number }>
  | Readonly<{ do: 'mark'; image: number; hash: string }>
  | Readonly<{ do: 'reset'; purpose: ResetPurpose }>
  | Readonly<{
      do: 'await-return'
      purpose: ResetPurpose
      /** How the slots stood before the reset: the same answer again means the board has not been through it yet. */
      before: readonly SlotSays[]
      /** Whether the board acknowledged the reset. */
      heard: boolean
      /** How long the board may go on answering as before. */
      patienceMs: number
      /** How long it may be silent. */
      timeoutMs: number
      /** How long nothing is sent first: a bootloader that waits for an upload would take a question for one. */
      quietMs?: number
    }>
  | Readonly<{ do: 'write-data'; item: UnitItem }>
  | Readonly<{ do: 'self-test'; test: SelfTest }>
  | Readonly<{ do: 'prove'; proof: ProofName }>
  /** `hash` null: the image that runs, without naming it. Images of other numbers are named. */
  | Readonly<{ do: 'confirm'; hash: string | null }>
  | Readonly<{ do: 'check-confirmed' }>

export type StepName = Step['do']

/** What the board said when a step was done; the machine judges it, not the runner. */
export type Said =
  | Readonly<{ of: 'board'; board: BoardSays }>
  | Readonly<{ of: 'slots'; slots: readonly SlotSays[] }>
  | Readonly<{ of: 'echo'; sent: string; answered: string }>
  | Readonly<{ of: 'measured'; measured: Measured }>
  /** Whether the board gave back the unit data it was given. */
  | Readonly<{ of: 'read-back'; same: boolean }>
  | Readonly<{ of: 'nothing' }>

export type RunEvent =
  | Readonly<{ is: 'stepDone'; said: Said; tookMs: number }>
  | Readonly<{ is: 'stepFailed'; failure: Failure }>
  /** Somebody asked the run to end; the step under way was ended first. */
  | Readonly<{ is: 'stopped' }>

/** How often each thing was tried in this run; every retry is counted against a ceiling in machine.ts. `orders` are uploads and marks that were begun, `writes` images that the board listed after their upload. */
export type Tally = Readonly<{ orders: number; writes: number; asks: number; uploads: number; resets: number; clearings: number; proofs: number; confirms: number }>

export type Outcome = 'confirmed' | 'reverted' | 'unchanged' | 'uploaded' | 'tested' | 'failed' | 'stopped'

/** How a run ended, by the board's own last word. */
export type Ending = Readonly<{
  outcome: Outcome
  /** What went wrong: always there for `failed` and `reverted`, never for a good outcome. */
  failure: Failure | null
  says: string
  /** Null when the board has not said since its last reset. */
  activeHash: string | null
  version: string | null
}>

type Underway = Readonly<{ job: Job; tally: Tally }>

/**
 * Where a run stands. `board` is the board's latest word; its `slots` are emptied by a reset, for then nothing is known
 * until the board speaks again.
 */
export type RunState =
  | (Underway & Readonly<{ at: 'asking'; step: Step; board: BoardSays | null }>)
  | (Underway & Readonly<{ at: 'updating'; step: Step; rest: readonly Step[]; board: BoardSays }>)
  /** Getting past a half-done update that was there before; then the board is asked anew. */
  | (Underway & Readonly<{ at: 'clearing'; step: Step; rest: readonly Step[]; board: BoardSays }>)
  | (Underway & Readonly<{ at: 'reverting'; step: Step; rest: readonly Step[]; board: BoardSays; because: Failure }>)
  | Readonly<{ at: 'ended'; job: Job; ending: Ending }>

export type ActiveState = Exclude<RunState, { at: 'ended' }>

/** A new state and what must be in the log before its step is carried out: intents of it, results of the step before. */
export type Move = Readonly<{ state: RunState; record: readonly EntryDraft[] }>

/** The operator's word for where a run stands. */
export const phaseOf = {
  identify: 'identifying',
  'enter-recovery': 'resetting',
  erase: 'checking',
  'check-erased': 'checking',
  upload: 'uploading',
  'check-slot': 'checking',
  mark: 'marking',
  reset: 'resetting',
  'await-return': 'waiting',
  'write-data': 'proving',
  'self-test': 'proving',
  prove: 'proving',
  confirm: 'confirming',
  'check-confirmed': 'confirming',
} as const satisfies Record<StepName, string>
