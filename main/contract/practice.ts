// What practice boards can be: how their bootloader works and what it was built with. The same words as the command line's
// `practice`, so that whoever trains in the window sees every kind of board that a script can have.
import { z } from 'zod'

/** MCUboot's modes, and three boards that differ otherwise: a second core that no server lists, raw packets, a real part's flash times. */
export const practiceModes = [
  'swap-move', 'swap-scratch', 'swap-offset', 'overwrite-only', 'direct-xip', 'direct-xip-revert', 'ram-load', 'single-slot', 'network-core', 'raw', 'nrf52840',
] as const
export type PracticeMode = typeof practiceModes[number]

/** Modes whose bootloader moves images, and so can take several at once. */
export const movingModes: readonly PracticeMode[] = ['swap-move', 'swap-scratch', 'swap-offset', 'overwrite-only', 'raw', 'nrf52840']
/** Where images run from where they were sent, nothing could decrypt them. */
export const clearModes: readonly PracticeMode[] = ['direct-xip', 'direct-xip-revert', 'single-slot']

export const practiceImagesMax = 4

export const practiceBuild = {
  /** Null: what the loader needs, or swap-move. */
  mode: z.enum(practiceModes).nullable().default(null),
  /** A bootloader that takes firmware packages: unpacked while swapping, or run in place. */
  loader: z.enum(['unwrap', 'in-place']).nullable().default(null),
  /** The application and others that it depends on. */
  images: z.number().int().min(1).max(practiceImagesMax).default(1),
  /** Bits of the AES key with which updates for them are encrypted; null: they take none. */
  encrypted: z.union([z.literal(128), z.literal(256)]).nullable().default(null),
  /** They keep security counters and refuse images below them, or without one. */
  securityCounter: z.boolean().default(false),
  downgradePrevention: z.boolean().default(false),
  /** Ports vanish at a reset and come back under another name. */
  usb: z.boolean().default(false),
}

export type PracticeBuild = Readonly<z.output<z.ZodObject<typeof practiceBuild>>>
