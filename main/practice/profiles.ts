// What kind of board a practice board is: its flash, its buffers, and the habits of the Zephyr release its SMP server
// was built from. `recordedRig` is the board the golden traffic was recorded on (Zephyr 3.4.99, native simulator);
// the others are what a line may meet.
import { Failure, failed } from '../base/failure.ts'
import type { Framing } from '../smp/client.ts'
import type { FlashGeometry, FlashTiming } from './flash.ts'
import type { RamWindow } from './slot-check.ts'
import type { BootMode } from './swap.ts'
import type { MaxAlign } from './trailer.ts'

export type TaskView = Readonly<{ name: string; prio: number; tid: number; state: number }>

/** How a bootloader was built for serial recovery. */
export type RecoveryBuild = Readonly<{
  /** BOOT_SERIAL_MAX_RECEIVE_SIZE */
  receiveBytes: number
  /** MCUBOOT_SERIAL_IMG_GRP_HASH: lists image hashes. */
  listsHash: boolean
  /** MCUBOOT_BOOT_MGMT_MCUMGR_PARAMS: tells its buffer size. */
  tellsParameters: boolean
  /** BOOT_SERIAL_WAIT_FOR_DFU_TIMEOUT, ms: after each restart any packet within it keeps the bootloader; 0 or absent: not built in. */
  waitsMs?: number
}>

type Place = Readonly<{ address: number; sizeBytes: number }>

export type BoardProfile = Readonly<{
  name: string
  flash: FlashGeometry
  timing: FlashTiming
  maxAlign: MaxAlign
  mode: BootMode
  /** Where a RAM-load bootloader may put images; null for every other. */
  ram: RamWindow | null
  /** Serial recovery, entered by `boot_mode` or when there is nothing to boot; null where it is not built in. */
  recovery: RecoveryBuild | null
  /** MCUBOOT_DOWNGRADE_PREVENTION by version; the bootloader info says so. */
  noDowngrade: boolean
  /** Takes firmware packages as they are: unpacked by the bootloader while it swaps, or run from where they lie. Null: images only. */
  packages: 'unwrap' | 'in-place' | null
  /** Hardware type (an object identifier), which a package must name. */
  hardware: string
  slot0: Readonly<{ address: number; sizeBytes: number }>
  slot1: Readonly<{ address: number; sizeBytes: number }>
  scratch: Readonly<{ address: number; sizeBytes: number }>
  /** Slots of the images after the first (BOOT_IMAGE_NUMBER above 1); empty on most boards. */
  others: readonly Readonly<{ slot0: Place; slot1: Place }>[]
  /** What runs as one of them is out of the server's sight, as an nRF5340's network core is: only its upgrade slot is listed. */
  othersUnlisted: boolean
  /** Bytes of the key that encrypted images have (MCUBOOT_ENC_IMAGES; 32 with MCUBOOT_AES_256); 0: not built in. */
  keyBytes: 0 | 16 | 32
  /** Sector of the security counters (MCUBOOT_HW_ROLLBACK_PROT); null: not built in. */
  counters: Readonly<{ address: number }> | null
  /** Base64 lines on the console's UART, or packets as they are on a UART of their own (MCUMGR_TRANSPORT_RAW_UART), which shows no boot chatter. */
  framing: Framing
  /** MCUMGR_TRANSPORT_NETBUF_SIZE: largest message over a console is this less 4. */
  bufferBytes: number
  bufferCount: number
  /** Requests kept while the board is busy with its flash; more are lost, as when the net buffers run out. */
  queuedRequestsMax: number
  /** Longest console line the receiver has room for, with its LF. */
  receiveLineBytesMax: number
  /** CONFIG_IMG_ENABLE_IMAGE_CHECK: compares the upload's SHA and says `match`. */
  imageCheck: boolean
  /** Image group command 6, since Zephyr 4.0. */
  slotInfo: boolean
  /** Newer servers take the erase of an empty slot for done; the recorded one calls it an unknown error. */
  emptyEraseFails: boolean
  /** CONFIG_MCUMGR_GRP_IMG_FRUGAL_LIST: leaves false flags and splitStatus out. */
  frugalList: boolean
  /** CONFIG_MCUMGR_SMP_LEGACY_RC_BEHAVIOUR: adds rc 0 to successes. */
  legacyRc: boolean
  /** Settings, files, shell and self-test of a product's own firmware, and its word on the console; the recorded server has none of it. */
  unitGroups: boolean
  /** What OS info tells, by its format letters; null = not built in. `n` null = the board's serial number. */
  info: Readonly<{ kernel: string; node: string | null; release: string; version: string; machine: string; processor: string; platform: string }>
  tasks: readonly TaskView[]
  /** From reset reply to reset, ms (CONFIG_MCUMGR_GRP_OS_RESET_MS). */
  resetDelayMs: number
  /** From power-on or reset to the first bootloader line, and from the jump to the first application line. */
  romMs: number
  applicationStartMs: number
}>

const nrf52840Timing: FlashTiming = { eraseSectorMs: 85, writeWordUs: 41 }
/** Fast enough never to be the bottleneck, slow enough that a swap is a moment of silence. */
const fastTiming: FlashTiming = { eraseSectorMs: 0.05, writeWordUs: 0 }

const recordedTasks: readonly TaskView[] = [
  { name: '-16', prio: -16, tid: 0, state: 2 },
  { name: '14', prio: 14, tid: 1, state: 128 },
  { name: '3', prio: 3, tid: 2, state: 128 },
  { name: '-1', prio: -1, tid: 3, state: 2 },
  { name: '15', prio: 15, tid: 4, state: 0 },
  { name: '0', prio: 0, tid: 5, state: 16 },
]

/** Hardware type of every practice board. */
export const practiceHardware = '1.3.6.1.4.1.99999.7.1'

export const recordedRig: BoardProfile = {
  name: 'recorded-rig',
  flash: { baseAddress: 0xc000, sizeBytes: 0xf0000, sectorBytes: 4096, writeBlockBytes: 1 },
  timing: { eraseSectorMs: 0, writeWordUs: 0 },
  maxAlign: 8,
  mode: 'swap-move',
  ram: null,
  recovery: null,
  noDowngrade: false,
  packages: null,
  hardware: practiceHardware,
  slot0: { address: 0xc000, sizeBytes: 0x69000 },
  slot1: { address: 0x75000, sizeBytes: 0x69000 },
  scratch: { address: 0xde000, sizeBytes: 0x1e000 },
  others: [],
  othersUnlisted: false,
  keyBytes: 0,
  counters: null,
  framing: 'console',
  bufferBytes: 384,
  bufferCount: 4,
  queuedRequestsMax: 16,
  receiveLineBytesMax: 128,
  imageCheck: false,
  slotInfo: false,
  emptyEraseFails: true,
  frugalList: false,
  legacyRc: false,
  unitGroups: false,
  info: { kernel: 'Zephyr', node: 'unknown', release: '3.4.99', version: '3.4.99', machine: 'posix', processor: 'unknown', platform: 'native_sim' },
  tasks: recordedTasks,
  resetDelayMs: 250,
  romMs: 5,
  applicationStartMs: 20,
}

const practice: BoardProfile = {
  ...recordedRig,
  name: 'practice',
  timing: fastTiming,
  flash: { ...recordedRig.flash, writeBlockBytes: 4 },
  slotInfo: true,
  imageCheck: true,
  unitGroups: true,
  info: { kernel: 'Zephyr', node: null, release: '4.2.0', version: 'v4.2.0', machine: 'arm', processor: 'cortex-m4', platform: 'practice/nrf52840' },
}

const sector = 0x1000
const otherSlotBytes = 0x20000
export const practiceImagesMax = 4

/** The practice board with another bootloader. */
function inMode(mode: BootMode, changes: Partial<BoardProfile> = {}): BoardProfile {
  return { ...practice, name: `practice-${mode}`, mode, ...changes }
}

const otherModes: readonly BoardProfile[] = [
  // One sector more in the upgrade slot than in the other, as MCUboot's documentation has it.
  inMode('swap-offset', { slot0: { address: 0xc000, sizeBytes: 0x68000 }, slot1: { address: 0x74000, sizeBytes: 0x69000 } }),
  inMode('overwrite-only'),
  inMode('direct-xip'),
  inMode('direct-xip-revert'),
  inMode('ram-load', { ram: { address: 0x2000_0000, sizeBytes: 0x4_0000 } }),
  inMode('single-slot', { recovery: { receiveBytes: 1024, listsHash: false, tellsParameters: true } }),
  { ...practice, name: 'practice-recovery', recovery: { receiveBytes: 1024, listsHash: true, tellsParameters: false } },
  { ...practice, name: 'practice-waits', recovery: { receiveBytes: 1024, listsHash: true, tellsParameters: true, waitsMs: 500 } },
  { ...practice, name: 'practice-no-downgrade', noDowngrade: true },
  // Bootloaders that take firmware packages.
  { ...practice, name: 'practice-unwrap', packages: 'unwrap' },
  inMode('direct-xip-revert', { name: 'practice-in-place', packages: 'in-place' }),
  // As an nRF5340 with the nRF Connect SDK: application and network core, which goes over only one way.
  withExtras(inMode('overwrite-only', { name: 'practice-network-core', othersUnlisted: true }), { images: 2 }),
]

export const profiles: Readonly<Record<string, BoardProfile>> = {
  'recorded-rig': recordedRig,
  practice,
  'practice-scratch': { ...practice, name: 'practice-scratch', mode: 'swap-scratch' },
  'practice-large-buffers': { ...practice, name: 'practice-large-buffers', bufferBytes: 2048 },
  'practice-raw': { ...practice, name: 'practice-raw', framing: 'raw' },
  nrf52840: { ...practice, name: 'nrf52840', timing: nrf52840Timing },
  ...Object.fromEntries(otherModes.map((profile) => [profile.name, profile])),
  'nrf52840-raw': { ...practice, name: 'nrf52840-raw', framing: 'raw', timing: nrf52840Timing },
}

export const practiceProfile = practice

/** What a practice board can be built with beside its mode. */
export type BoardExtras = Readonly<{ images?: number; keyBytes?: 0 | 16 | 32; counters?: boolean; noDowngrade?: boolean }>

/** The profile with more images, an encryption key, security counters: their flash comes behind what it has. */
export function withExtras(profile: BoardProfile, { images = 1, keyBytes = 0, counters = false, noDowngrade = false }: BoardExtras): BoardProfile {
  let end = profile.flash.baseAddress + profile.flash.sizeBytes
  const take = (sizeBytes: number): Place => {
    const address = end
    end += sizeBytes
    return { address, sizeBytes }
  }
  const others = images === 1 ? profile.others : Array.from({ length: images - 1 }, () => ({ slot0: take(otherSlotBytes), slot1: take(otherSlotBytes + (profile.mode === 'swap-offset' ? sector : 0)) }))
  // A list of four slots does not fit Zephyr's default of 384; whoever builds such firmware has found that out.
  const bufferBytes = images > 1 ? Math.max(profile.bufferBytes, 1024) : profile.bufferBytes
  const counting = counters ? { address: take(sector).address } : null
  return { ...profile, bufferBytes, others, keyBytes, counters: counting, noDowngrade: profile.noDowngrade || noDowngrade, flash: { ...profile.flash, sizeBytes: end - profile.flash.baseAddress } }
}

/** The profile of that name; a name of a mode is the practice board in that mode. Failure kind `bad-profile`. */
export function findProfile(name: string): BoardProfile | Failure<'bad-profile'> {
  const wanted = name === 'swap-move' ? 'practice' : name === 'swap-scratch' ? 'practice-scratch' : Object.hasOwn(profiles, `practice-${name}`) ? `practice-${name}` : name
  if (Object.hasOwn(profiles, wanted)) return profiles[wanted]!
  return new Failure('bad-profile', `There is no practice board called "${name}". There are: swap-move, swap-scratch, ${otherModes.map((each) => each.name.replace('practice-', '')).join(', ')}, ${Object.keys(profiles).join(', ')}.`)
}

/** A practice board as somebody orders it: `mode` is a mode or a profile's name; null what the loader needs, or swap-move. */
export type BoardOrder = BoardExtras & Readonly<{ mode?: string | null; loader?: 'unwrap' | 'in-place' | null }>

/** The profile that was ordered. Failure kind `bad-profile` where there is no such board, or no bootloader that is all of it. */
export function orderedProfile({ mode = null, loader = null, ...extras }: BoardOrder): BoardProfile | Failure<'bad-profile'> {
  const plain = findProfile(mode ?? loader ?? 'swap-move')
  if (failed(plain)) return plain
  const profile = loader === null ? plain : withLoader(plain, loader)
  if (failed(profile)) return profile
  const moves = profile.mode.startsWith('swap-') || profile.mode === 'overwrite-only'
  if ((extras.images ?? 1) > 1 && (!moves || profile.packages !== null)) {
    return new Failure('bad-profile', `Practice boards with several images swap or overwrite them; this one is in mode ${profile.mode}${profile.packages === null ? '' : ' and takes packages'}. Let it have one image, or choose another mode.`)
  }
  if ((extras.keyBytes ?? 0) > 0 && !moves && profile.mode !== 'ram-load') {
    return new Failure('bad-profile', `A bootloader decrypts images while it moves them, and in mode ${profile.mode} it moves none. Leave encryption out, or choose another mode.`)
  }
  return withExtras(profile, extras)
}

/** That board with a bootloader that takes firmware packages. Failure kind `bad-profile` where its mode cannot. */
export function withLoader(profile: BoardProfile, packages: 'unwrap' | 'in-place'): BoardProfile | Failure<'bad-profile'> {
  const fits = packages === 'unwrap' ? profile.mode === 'swap-move' : profile.mode === 'direct-xip' || profile.mode === 'direct-xip-revert'
  if (fits) return { ...profile, packages }
  return new Failure('bad-profile', packages === 'unwrap'
    ? `A bootloader unpacks packages while it swaps: that goes with --mode swap-move, not with ${profile.mode}.`
    : `A package runs in place where nothing is swapped: that goes with --mode direct-xip or direct-xip-revert, not with ${profile.mode}.`)
}
