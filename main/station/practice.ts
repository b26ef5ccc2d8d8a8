// The practice line as the station runs it: boards in a process of their own (the app) or in this one (command line and
// tests), their ports watched like real ones. Its key and its two images are made on first use, by the same desk and
// into the same log as any others.
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fromHex, toHex } from '../base/bytes.ts'
import { assert, Failure, attemptAsync, failed, must } from '../base/failure.ts'
import type { PublicKey } from '../base/signer.ts'
import type { PracticeBuild } from '../contract/practice.ts'
import type { PracticeView } from '../contract/views.ts'
import { keyHash } from '../image/keyhash.ts'
import { publicKeyFromSpki } from '../image/publickey.ts'
import type { AnyPublicKey } from '../image/publickey.ts'
import { updateArchive } from '../image/update-zip.ts'
import { parseVersion } from '../image/version.ts'
import { publicKeyOf } from '../keys/keyring.ts'
import type { KeyEntry } from '../keys/keyring.ts'
import { startPracticeProcess } from '../practice/child.ts'
import { parseFaults } from '../practice/faults.ts'
import { startPracticeLine } from '../practice/line.ts'
import { orderedProfile } from '../practice/profiles.ts'
import type { BoardProfile } from '../practice/profiles.ts'
import { secretOf } from '../practice/secrets.ts'
import type { BoardSecret } from '../practice/secrets.ts'
import { signAndFile } from './desk.ts'
import type { DeskWorld } from './desk.ts'
import type { OpenedFile } from './files.ts'
import { keyData } from './key-rows.ts'
import type { Ports } from './ports.ts'
import { practiceFirmware, practiceVersions } from './sample.ts'

export const practiceKeyName = 'practice'

/** With it practice boards decrypt: an X25519 key of class test, made on first use. */
const encryptionKeyName = 'practice-encryption'

export type PracticeOrder = Readonly<{
  folder: string
  boards: number
  baud: number
  faults: string
  seed: number
  usb: boolean
  firmware: Uint8Array
  others: readonly Uint8Array[]
  trust: readonly PublicKey[]
  secret: BoardSecret | null
  profile: BoardProfile
}>

export type PracticeHandle = Readonly<{
  stop(): Promise<void>
  /** Calls back when the boards are gone without having been stopped. */
  onLost(listener: () => void): void
}>

/** Where practice boards live. Ready when it answers: their ports are in the folder. */
export interface PracticeHost {
  start(order: PracticeOrder): Promise<PracticeHandle | Failure>
}

/** Practice boards in this very process. */
export const ownProcessHost: PracticeHost = {
  async start(order) {
    const line = await startPracticeLine({ ...order, dir: order.folder })
    return failed(line) ? line : { stop: () => line.stop(), onLost: () => {} }
  },
}

/** Practice boards in a child process that runs the built `practice.js`, so that a busy window never slows them. */
export function childProcessHost(entry: string): PracticeHost {
  return {
    async start(order) {
      const child = await startPracticeProcess(entry, { ...order, dir: order.folder })
      return failed(child) ? child : { stop: () => child.stop(), onLost: (listener) => child.onLost(() => listener()) }
    },
  }
}

export type PracticeWorld = Readonly<{ host: PracticeHost; home: string; ports: Ports; desk: DeskWorld; onChange(view: PracticeView): void }>

const off: PracticeView = { status: 'off', boards: 0, baud: 0, folder: null, build: null }

/** `startPractice`'s arguments, checked. */
export type PracticeStart = PracticeBuild & Readonly<{ boards: number; baud: number; faults: string; seed: number; fresh: boolean }>

export class Practice {
  readonly #world: PracticeWorld
  #view: PracticeView = off
  #life: { handle: PracticeHandle; unwatch: () => Promise<void> } | null = null
  /** What images are for the boards that were started last. */
  #special: PracticeSpecial = {}
  /** Start and stop take their turns. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(world: PracticeWorld) {
    this.#world = world
  }

  view(): PracticeView {
    return this.#view
  }

  /** Starts the boards; a line that runs already is stopped first, unless what is ordered cannot be. Kinds: `bad-profile`, `bad-faults`, those of the host, of the keys and of signing. */
  start({ fresh, boards, baud, faults, seed, ...build }: PracticeStart): Promise<PracticeView | Failure> {
    return this.#inTurn(async () => {
      const profile = orderedProfile({ ...build, keyBytes: build.encrypted === null ? 0 : build.encrypted === 128 ? 16 : 32, counters: build.securityCounter, noDowngrade: build.downgradePrevention })
      if (failed(profile)) return profile
      const plan = parseFaults(faults, boards, seed)
      if (failed(plan)) return plan
      await this.#stopNow()
      this.#show({ status: 'starting', boards, baud, folder: null, build })
      const started = await attemptAsync(async () => {
        const special = specialOf(profile)
        const factory = must(await factoryImage(this.#world, special))
        const secret = build.encrypted === null ? null : must(await practiceSecret(this.#world.desk, build.encrypted))
        // Made here, so that nobody who asks for the sample meanwhile makes the same keys and files.
        must(await practiceUpdate(this.#world, special))
        this.#special = special
        const folder = join(this.#world.home, 'practice', 'line')
        if (fresh) must(await forgetFlash(folder))
        const handle = must(await this.#world.host.start({ folder, boards, baud, faults, seed, usb: build.usb, ...factory, secret, profile }))
        const unwatch = await this.#world.ports.addFolder(folder)
        if (failed(unwatch)) {
          await handle.stop()
          must(unwatch)
        } else this.#life = { handle, unwatch }
        handle.onLost(() => void this.#inTurn(() => this.#stopNow()))
        return folder
      })
      if (failed(started)) {
        this.#special = {}
        this.#show(off)
        return started
      }
      return this.#show({ status: 'on', boards, baud, folder: started, build })
    })
  }

  /** The file of the update every newcomer begins with, 1.1.0, made for the boards there are: an image, or an archive of several; encrypted where they decrypt. */
  sample(): Promise<string | Failure> {
    return practiceUpdate(this.#world, this.#special)
  }

  /** Ends the boards and waits until their ports are gone. */
  stop(): Promise<PracticeView> {
    return this.#inTurn(() => this.#stopNow())
  }

  async #stopNow(): Promise<PracticeView> {
    const life = this.#life
    this.#life = null
    if (life === null) return this.#view
    await life.handle.stop()
    await life.unwatch()
    this.#special = {}
    return this.#show(off)
  }

  #show(view: PracticeView): PracticeView {
    this.#view = view
    this.#world.onChange(view)
    return view
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => {})
    return turn
  }
}

/** Removes the boards' flash of an earlier time, so that they come from the factory again. */
async function forgetFlash(folder: string): Promise<void | Failure> {
  try {
    const names = await readdir(folder)
    await Promise.all(names.filter((name) => /^PB-\d+\.flash$/.test(name)).map((name) => rm(join(folder, name), { force: true })))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code !== 'ENOENT') return new Failure('bad-folder', `The practice boards in ${folder} cannot be made new (${code}). Check the folder's permissions.`)
  }
}

/** The key of this home's practice boards: class test, unencrypted, made on first use. */
export const practiceKey = (desk: DeskWorld): Promise<KeyEntry | Failure> => keyCalled(desk, practiceKeyName, 'ed25519')

/** The private key with which practice boards decrypt. Kinds: of the key ring, of the log. */
async function practiceSecret({ keyring, log }: DeskWorld, bits: 128 | 256): Promise<BoardSecret | Failure> {
  const entry = await encryptionKey({ keyring, log })
  const key = failed(entry) ? entry : await keyring.open(entry.name)
  if (failed(key)) return key
  try {
    return secretOf(key.pkcs8, bits === 128 ? 16 : 32)
  } finally {
    key.wipe()
  }
}

const encryptionKey = (desk: Pick<DeskWorld, 'keyring' | 'log'>): Promise<KeyEntry | Failure> => keyCalled(desk, encryptionKeyName, 'x25519')

/** Unencrypted and of class test; what it is for is nothing worth keeping from anybody. */
async function keyCalled({ keyring, log }: Pick<DeskWorld, 'keyring' | 'log'>, name: string, algorithm: 'ed25519' | 'x25519'): Promise<KeyEntry | Failure> {
  const keys = await keyring.list()
  if (failed(keys)) return keys
  const known = keys.find((key) => key.name === name)
  if (known !== undefined) return known
  const made = await keyring.generate(name, algorithm, 'test', null)
  if (failed(made)) return made
  const written = log.record([{ kind: 'key-created', data: keyData(made) }])
  return written ?? made
}

/** What practice images are made for, beside the plain board. */
export type PracticeSpecial = Readonly<{
  /** Where boards that load into RAM want their images; 0: from flash. */
  loadAddress?: number
  /** How many images the boards have. */
  images?: number
  /** Boards that keep security counters. */
  counters?: boolean
  /** Updates are encrypted for them, with an AES key of so many bits; they leave the factory in the clear. */
  encrypted?: 128 | 256
  /** Whose private half they decrypt with; left out: the home's own practice key for that. */
  encryptFor?: AnyPublicKey
}>

function specialOf({ ram, others, counters, keyBytes }: BoardProfile): PracticeSpecial {
  return { loadAddress: ram?.address ?? 0, images: others.length + 1, counters: counters !== null, ...(keyBytes === 0 ? {} : { encrypted: keyBytes === 16 ? 128 : 256 }) }
}

export type PracticeFactory = Readonly<{ firmware: Uint8Array; others: readonly Uint8Array[]; trust: readonly PublicKey[] }>

type Making = Pick<PracticeWorld, 'home' | 'desk'>

/** What practice boards come with from their factory, and whom they trust. */
export function factoryImage(world: Making, special: PracticeSpecial = {}): Promise<PracticeFactory | Failure> {
  return attemptAsync(async () => {
    const key = must(await practiceKey(world.desk))
    const { encrypted: _, encryptFor: __, ...plain } = special
    const [first, ...others] = must(await practiceImages(world, key, practiceVersions.factory, plain))
    assert(first !== undefined, 'every board has an image')
    return { firmware: first.bytes, others: others.map(({ bytes }) => bytes), trust: [must(publicKeyOf(key))] }
  })
}

/** The file that brings such boards to 1.1.0: an image, or for several an archive as the nRF Connect SDK makes it. */
export function practiceUpdate(world: Making, special: PracticeSpecial = {}): Promise<string | Failure> {
  return attemptAsync(async () => {
    const key = must(await practiceKey(world.desk))
    const files = must(await practiceImages(world, key, practiceVersions.update, special))
    const [first] = files
    assert(first !== undefined, 'every board has an image')
    if (files.length === 1) return first.path
    const path = join(world.home, 'practice', `practice-${practiceVersions.update}-${files.length}-images${marksOf(special).map((mark) => `-${mark}`).join('')}-${key.fingerprint.slice(0, 8)}.zip`)
    await writeFile(path, updateArchive(files.map(({ name, bytes }, image) => ({ image, name, bytes, version: practiceVersions.update }))))
    return path
  })
}

/** What sets the name of a file made for such boards apart. */
function marksOf({ counters = false, encrypted, encryptFor }: PracticeSpecial): string[] {
  const sealed = encrypted === undefined ? [] : [`sealed-${encrypted}`, ...(encryptFor === undefined ? [] : [`for-${toHex(keyHash(encryptFor)).slice(0, 8)}`])]
  return [...(counters ? ['counted'] : []), ...sealed]
}

async function practiceImages(world: Making, key: KeyEntry, version: string, { images = 1, ...special }: PracticeSpecial): Promise<OpenedFile[] | Failure> {
  const files: OpenedFile[] = []
  for (let number = 0; number < images; number++) {
    const file = await practiceImage(world, key, version, { ...special, number, images })
    if (failed(file)) return file
    files.push(file)
  }
  return files
}

/**
 * Signed once for each practice key; the file name carries the key, so a new key makes new images. Of several, the
 * application needs the others to be of its own version.
 */
export async function practiceImage({ home, desk }: Making, key: KeyEntry, version: string, special: PracticeSpecial & { number?: number } = {}): Promise<OpenedFile | Failure> {
  const { loadAddress = 0, counters = false, images = 1, number = 0, encrypted, encryptFor } = special
  const folder = join(home, 'practice')
  await mkdir(folder, { recursive: true })
  const parts = [
    `practice-${version}-${key.fingerprint.slice(0, 8)}`, ...(loadAddress === 0 ? [] : [`at-${loadAddress.toString(16)}`]),
    ...(images === 1 ? [] : [`image-${number}-of-${images}`]), ...marksOf(special),
  ]
  const saveAs = join(folder, `${parts.join('-')}.bin`)
  if (await stat(saveAs).then((about) => about.isFile(), () => false)) return desk.files.open(saveAs, 'image')
  return await attemptAsync(async () => {
    const firmware = desk.files.adopt(`practice-${version}.bin`, practiceFirmware(number === 0 ? version : `${version} image ${number}`))
    const parsed = must(parseVersion(version))
    const dependencies = number === 0 ? Array.from({ length: images - 1 }, (_, index) => ({ image: index + 1, version: parsed })) : []
    const readers = encrypted === undefined ? null : encryptFor ?? must(publicKeyFromSpki(fromHex(must(await encryptionKey(desk)).spki) ?? new Uint8Array(0)))
    const sealed = encrypted === undefined || readers === null ? {} : { encrypt: { publicKey: readers, keyBits: encrypted, random: (bytes: number) => new Uint8Array(randomBytes(bytes)) } }
    const options = { version: parsed, headerBytes: 0x200, padHeader: true, slotBytes: 0x69000, align: 4, loadAddress, dependencies, ...(counters ? { securityCounter: 'auto' as const } : {}), ...sealed } as const
    return must(await signAndFile(desk, { firmware, key, passphrase: null, options, saveAs })).file
  })
}
