// The practice line as the station runs it: boards in a process of their own (the app) or in this one (command line and
// tests), their ports watched like real ones. Its key and its two images are made on first use, by the same desk and
// into the same log as any others.
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { assert, Failure, attemptAsync, failed, must } from '../base/failure.ts'
import type { PublicKey } from '../base/signer.ts'
import type { PracticeView } from '../contract/views.ts'
import { updateArchive } from '../image/update-zip.ts'
import { parseVersion } from '../image/version.ts'
import { publicKeyOf } from '../keys/keyring.ts'
import type { KeyEntry } from '../keys/keyring.ts'
import { startPracticeProcess } from '../practice/child.ts'
import { startPracticeLine } from '../practice/line.ts'
import { findProfile } from '../practice/profiles.ts'
import type { BoardProfile } from '../practice/profiles.ts'
import { signAndFile } from './desk.ts'
import type { DeskWorld } from './desk.ts'
import type { OpenedFile } from './files.ts'
import { keyData } from './key-rows.ts'
import type { Ports } from './ports.ts'
import { practiceFirmware, practiceVersions } from './sample.ts'

export const practiceKeyName = 'practice'

export type PracticeOrder = Readonly<{ folder: string; boards: number; baud: number; faults: string; seed: number; firmware: Uint8Array; trust: readonly PublicKey[]; profile?: BoardProfile }>

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

const off: PracticeView = { status: 'off', boards: 0, baud: 0, folder: null }

export class Practice {
  readonly #world: PracticeWorld
  #view: PracticeView = off
  #life: { handle: PracticeHandle; unwatch: () => Promise<void> } | null = null
  /** Start and stop take their turns. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(world: PracticeWorld) {
    this.#world = world
  }

  view(): PracticeView {
    return this.#view
  }

  /** Starts the boards; a line that runs already is stopped first. */
  start({ fresh, loader = null, ...args }: { boards: number; baud: number; faults: string; seed: number; fresh: boolean; loader?: 'unwrap' | 'in-place' | null }): Promise<PracticeView | Failure> {
    return this.#inTurn(async () => {
      await this.#stopNow()
      this.#show({ status: 'starting', boards: args.boards, baud: args.baud, folder: null })
      const started = await attemptAsync(async () => {
        const { firmware, trust } = must(await factoryImage(this.#world))
        const folder = join(this.#world.home, 'practice', 'line')
        if (fresh) must(await forgetFlash(folder))
        const handle = must(await this.#world.host.start({ ...args, folder, firmware, trust, ...(loader === null ? {} : { profile: must(findProfile(loader)) }) }))
        const unwatch = await this.#world.ports.addFolder(folder)
        if (failed(unwatch)) {
          await handle.stop()
          must(unwatch)
        } else this.#life = { handle, unwatch }
        handle.onLost(() => void this.#inTurn(() => this.#stopNow()))
        return folder
      })
      if (failed(started)) {
        this.#show(off)
        return started
      }
      return this.#show({ status: 'on', boards: args.boards, baud: args.baud, folder: started })
    })
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
export async function practiceKey({ keyring, log }: DeskWorld): Promise<KeyEntry | Failure> {
  const keys = await keyring.list()
  if (failed(keys)) return keys
  const known = keys.find((key) => key.name === practiceKeyName)
  if (known !== undefined) return known
  const made = await keyring.generate(practiceKeyName, 'ed25519', 'test', null)
  if (failed(made)) return made
  const written = log.record([{ kind: 'key-created', data: keyData(made) }])
  return written ?? made
}

/** The update every newcomer begins with: 1.1.0, signed with the practice key. */
export function sampleImage(world: Pick<PracticeWorld, 'home' | 'desk'>): Promise<OpenedFile | Failure> {
  return attemptAsync(async () => must(await practiceImage(world, must(await practiceKey(world.desk)), practiceVersions.update)))
}

/** What practice images are made for, beside the plain board. */
export type PracticeSpecial = Readonly<{
  /** Where boards that load into RAM want their images; 0: from flash. */
  loadAddress?: number
  /** How many images the boards have. */
  images?: number
  /** Boards that keep security counters. */
  counters?: boolean
}>

export type PracticeFactory = Readonly<{ firmware: Uint8Array; others: readonly Uint8Array[]; trust: readonly PublicKey[] }>

type Making = Pick<PracticeWorld, 'home' | 'desk'>

/** What practice boards come with from their factory, and whom they trust. */
export function factoryImage(world: Making, special: PracticeSpecial = {}): Promise<PracticeFactory | Failure> {
  return attemptAsync(async () => {
    const key = must(await practiceKey(world.desk))
    const [first, ...others] = must(await practiceImages(world, key, practiceVersions.factory, special))
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
    const path = join(world.home, 'practice', `practice-${practiceVersions.update}-${files.length}-images${special.counters === true ? '-counted' : ''}-${key.fingerprint.slice(0, 8)}.zip`)
    await writeFile(path, updateArchive(files.map(({ name, bytes }, image) => ({ image, name, bytes, version: practiceVersions.update }))))
    return path
  })
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
  const { loadAddress = 0, counters = false, images = 1, number = 0 } = special
  const folder = join(home, 'practice')
  await mkdir(folder, { recursive: true })
  const parts = [
    `practice-${version}-${key.fingerprint.slice(0, 8)}`, ...(loadAddress === 0 ? [] : [`at-${loadAddress.toString(16)}`]),
    ...(images === 1 ? [] : [`image-${number}-of-${images}`]), ...(counters ? ['counted'] : []),
  ]
  const saveAs = join(folder, `${parts.join('-')}.bin`)
  if (await stat(saveAs).then((about) => about.isFile(), () => false)) return desk.files.open(saveAs, 'image')
  return await attemptAsync(async () => {
    const firmware = desk.files.adopt(`practice-${version}.bin`, practiceFirmware(number === 0 ? version : `${version} image ${number}`))
    const parsed = must(parseVersion(version))
    const dependencies = number === 0 ? Array.from({ length: images - 1 }, (_, index) => ({ image: index + 1, version: parsed })) : []
    const options = { version: parsed, headerBytes: 0x200, padHeader: true, slotBytes: 0x69000, align: 4, loadAddress, dependencies, ...(counters ? { securityCounter: 'auto' as const } : {}) } as const
    return must(await signAndFile(desk, { firmware, key, passphrase: null, options, saveAs })).file
  })
}
