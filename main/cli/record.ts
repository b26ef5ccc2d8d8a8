// Log entries of commands that need no station: keys made and images signed. The log is opened for the moment of the
// entry only, so that a build may sign on many cores at once; whoever holds it meanwhile is waited for, a stated time.
import { randomUUID } from 'node:crypto'
import { hostname, userInfo } from 'node:os'
import { basename } from 'node:path'
import { toHex } from '../base/bytes.ts'
import { pause, realClock } from '../base/clock.ts'
import { failed } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import type { PublicKey } from '../base/signer.ts'
import { keyHash } from '../image/keyhash.ts'
import type { AnyPublicKey } from '../image/publickey.ts'
import type { KeyEntry } from '../keys/keyring.ts'
import type { Entry, EntryDraft, Role } from '../log/entry.ts'
import type { KindData } from '../log/kinds.ts'
import type { AuditStore } from '../store/audit.ts'
import type { Call } from './call.ts'
import { homeFolder } from './home.ts'

/** How long a call waits for another one to finish its entry, and how often it looks. */
const logWaitMs = 5_000
const logLookMs = 20

const nameMax = 200

type KeyClass = 'production' | 'test'

/** `key-created` for a key file. */
export async function recordKeyMade(call: Call, key: Readonly<{ publicKey: AnyPublicKey; class: KeyClass; path: string }>): Promise<Entry | Failure> {
  return record(call, {
    kind: 'key-created',
    data: { key: toHex(keyHash(key.publicKey)), algorithm: key.publicKey.algorithm, class: key.class, name: basename(key.path).slice(0, nameMax), home: 'file' },
  })
}

/** What happened to a key of the ring. */
export async function recordKey(call: Call, kind: 'key-created' | 'key-imported' | 'key-retired' | 'key-exported', entry: KeyEntry): Promise<Entry | Failure> {
  const data = { key: entry.fingerprint, algorithm: entry.algorithm, class: entry.class, name: entry.name, home: entry.token === null ? 'file' as const : 'pkcs11' as const }
  return record(call, kind === 'key-exported' ? { kind, data: { ...data, form: 'private PEM' } } : { kind, data })
}

export type SignedFacts = Readonly<{
  publicKey: PublicKey
  keyName: string | null
  keyClass: KeyClass
  path: string
  inputSha256: string
  outputSha256: string
  imageHash: string
  version: string
  bytes: number
  /** Null for a key that is elsewhere. */
  home: 'file' | 'pkcs11' | null
  policy: KindData<'image-signed'>['policy']
  /** The approval's entry, for a key that needs two people. */
  approval: number | null
}>

/** `image-signed`, after the file was written and read back. */
export async function recordSignedImage(call: Call, signed: SignedFacts): Promise<Entry | Failure> {
  const { publicKey, keyName, path, inputSha256, outputSha256, imageHash, version, bytes, home, policy, approval } = signed
  return record(call, {
    kind: 'image-signed',
    data: {
      key: toHex(keyHash(publicKey)), algorithm: publicKey.algorithm, ...(keyName === null ? {} : { keyName }),
      inputSha256, outputSha256, imageHash, version, file: basename(path).slice(0, nameMax), bytes, ...(home === null ? {} : { home }),
      ...(policy === undefined ? {} : { policy }), ...(approval === null ? {} : { approval }), ...(call.actor === null ? {} : { account: call.actor.account }),
    },
  })
}

/** `image-refused`; when that cannot be written either, the refusal itself is what the person needs to read. */
export async function recordRefusedImage(call: Call, refused: Readonly<{ path: string; failure: Failure; inputSha256: string; key: Readonly<{ fingerprint: string }>; policy?: KindData<'image-refused'>['policy'] }>): Promise<void> {
  const { path, failure, inputSha256, key, policy } = refused
  await record(call, {
    kind: 'image-refused',
    data: { file: basename(path).slice(0, nameMax), failure: failure.kind.slice(0, 64), says: failure.says.slice(0, 1000), inputSha256, key: key.fingerprint, ...(policy === undefined ? {} : { policy }) },
  })
}

/** Appends one entry to the home's log. Kinds: those of `openLog`. */
export async function record(call: Call, draft: EntryDraft): Promise<Entry | Failure> {
  const entry = { ...draft, ...whoActs(call) }
  const held = holds.get(call)
  if (held !== undefined) return held.append(entry)
  const store = await openLog(call)
  if (failed(store)) return store
  try {
    return store.append(entry)
  } finally {
    store.close()
  }
}

/** How long a call with many entries keeps the log open, and leaves it to others then: they look every `logLookMs`. */
const holdMs = 400
const restMs = 25

/** The log of a call that makes many entries: each is on disk when it is answered, but the database is opened once for some hundred. */
class HeldLog {
  readonly #call: Call
  #store: AuditStore | null = null
  #cancel: () => void = () => {}
  #restedMs = -Infinity

  constructor(call: Call) {
    this.#call = call
  }

  async append(draft: EntryDraft): Promise<Entry | Failure> {
    if (this.#store === null) {
      await pause(realClock, this.#restedMs + restMs - realClock.monotonicMs())
      const store = await openForWriting(this.#call)
      if (failed(store)) return store
      this.#store = store
      this.#cancel = realClock.after(holdMs, () => this.rest())
    }
    return this.#store.append(draft)
  }

  /** Closes the log until the next entry. */
  rest(): void {
    if (this.#store === null) return
    this.#cancel()
    this.#store.close()
    this.#store = null
    this.#restedMs = realClock.monotonicMs()
  }
}

const holds = new WeakMap<Call, HeldLog>()

/** While `work` runs, entries of this call share an open log; one call at a time, as a call's work is. */
export async function withHeldLog<T>(call: Call, work: () => Promise<T>): Promise<T> {
  const held = new HeldLog(call)
  holds.set(call, held)
  try {
    return await work()
  } finally {
    holds.delete(call)
    held.rest()
  }
}

/** Opens the home's log for writing; the caller closes it soon. Waits for another call, not for ever (`database-locked`). */
export async function openLog(call: Call): Promise<AuditStore | Failure> {
  holds.get(call)?.rest()
  return openForWriting(call)
}

async function openForWriting(call: Call): Promise<AuditStore | Failure> {
  const { openAuditStore } = await import('../store/audit.ts')
  const identity = { station: hostname().slice(0, nameMax) || 'unnamed', session: randomUUID(), clock: realClock }
  const until = realClock.monotonicMs() + logWaitMs
  for (;;) {
    const store = openAuditStore(homeFolder(call), identity)
    if (!failed(store) || store.kind !== 'database-locked' || realClock.monotonicMs() >= until || call.signal.aborted) return store
    await pause(realClock, logLookMs, call.signal)
  }
}

/** Person and role for an entry of this call: whoever was proven, else the machine's own user. */
export function whoActs(call: Call): { person: string; role: Role } {
  return call.actor === null ? { person: personHere(), role: 'engineer' } : { person: call.actor.person, role: call.actor.role }
}

/** The account's name, as the log's `person`; empty where the system knows none. */
export function personHere(): string {
  try {
    return userInfo().username.slice(0, nameMax)
  } catch {
    // An account without an entry in the user database (containers): os.userInfo throws.
    return ''
  }
}
