// The station's own keys: a folder with one PEM file (mode 0600) and one JSON sidecar a key. The sidecar says what a list
// needs without any passphrase; the PEM is the key. Names are checked so that none can walk out of the folder, and files
// appear whole or not at all, under a name nobody had.
import { randomBytes } from 'node:crypto'
import { constants, copyFile, link, mkdir, open, readFile, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { toHex, utf8 } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { realClock } from '../base/clock.ts'
import { Failure, attemptAsync, failed, must, refuse } from '../base/failure.ts'
import type { PublicKey } from '../base/signer.ts'
import { keyHash, knownTestKey } from '../image/keyhash.ts'
import type { AnyKeyAlgorithm } from '../image/publickey.ts'
import { generateKey, readKeyPem, writeKeyPem } from './filekey.ts'
import type { FileKey } from './filekey.ts'
import { checkName, publicKeyOf, readSidecar, sidecarText, warningFor } from './key-entry.ts'
import type { KeyEntry, TokenHome } from './key-entry.ts'
import { checkLength } from './pbes2.ts'
import { PEM_BYTES_MAX } from './pem.ts'
import { formatPkcs11Uri, parsePkcs11Uri } from './pkcs11-uri.ts'
import type { Residence } from './pkcs11-words.ts'
import { checkPolicy, openPolicy } from './policy.ts'
import type { KeyClass, KeyPolicy } from './policy.ts'
import { openSigner } from './signer.ts'
import type { FileSigner } from './signer.ts'

export type { KeyClass } from './policy.ts'
export { checkName, publicKeyOf }
export type { KeyEntry, TokenHome }

/** A key of the ring, or a PEM file somewhere else. */
export type FoundKey = Readonly<{ entry: KeyEntry | null; path: string }>

const keysMax = 10_000
const sidecarBytesMax = 16 * 1024
const fingerprintPrefixMin = 8

/** One folder of keys. Nothing is held open or remembered between calls, so two stations may look at one folder. */
export class Keyring {
  readonly folder: string
  readonly #clock: Clock

  constructor(folder: string, clock: Clock = realClock) {
    this.folder = folder
    this.#clock = clock
  }

  /** All readable keys by name; a damaged sidecar hides its own key only, see `troubles`. */
  async list(): Promise<KeyEntry[] | Failure> {
    const read = await this.#readAll()
    return failed(read) ? read : read.entries
  }

  /** What is wrong in the folder, a sentence each. */
  async troubles(): Promise<Failure[]> {
    const read = await this.#readAll()
    return failed(read) ? [read] : read.troubles
  }

  /**
   * Makes a key and files it, encrypted; a null passphrase is allowed for class test only. Kinds: `bad-name`,
   * `name-taken`, `needs-passphrase`, `weak-passphrase`, `home-unwritable`.
   */
  async generate(name: string, algorithm: AnyKeyAlgorithm, keyClass: KeyClass, passphrase: string | null): Promise<KeyEntry | Failure> {
    return attemptAsync(async () => {
      must(checkName(name))
      must(checkPassphrase(keyClass, passphrase))
      must(await this.#free(name))
      const key = await generateKey(algorithm)
      try {
        return must(await this.#file(name, key, keyClass, passphrase))
      } finally {
        key.wipe()
      }
    })
  }

  /**
   * Takes in a key from PEM text. It is filed under `newPassphrase` (null: plain, test keys only). MCUboot's published
   * test keys are refused for production (`public-test-key`). An x25519 key can be filed, but only encrypts. A key that the ring
   * has is refused under a second name too (`key-taken`): it would sign there past its retirement and its policy.
   */
  async add(name: string, pem: string, options: { class: KeyClass; passphrase?: string; newPassphrase: string | null }): Promise<KeyEntry | Failure> {
    return attemptAsync(async () => {
      must(checkName(name))
      must(checkPassphrase(options.class, options.newPassphrase))
      must(await this.#free(name))
      const key = must(await readKeyPem(pem, options.passphrase))
      try {
        must(await this.#unknown(toHex(key.publicKey.spki)))
        return must(await this.#file(name, key, options.class, options.newPassphrase))
      } finally {
        key.wipe()
      }
    })
  }

  /**
   * Files a public key whose private half rests elsewhere, to verify with; only its description is written. Kinds:
   * `bad-name`, `name-taken`, `home-unwritable`.
   */
  async know(name: string, publicKey: PublicKey, keyClass: KeyClass): Promise<KeyEntry | Failure> {
    return attemptAsync(async () => {
      must(checkName(name))
      must(await this.#free(name))
      const fingerprint = toHex(keyHash(publicKey))
      const testKey = knownTestKey(fingerprint)
      const entry: KeyEntry = {
        name, algorithm: publicKey.algorithm, fingerprint, class: testKey === undefined ? keyClass : 'test', encrypted: keyClass === 'production',
        createdAt: this.#now(), retiredAt: null, spki: toHex(publicKey.spki), token: null, policy: openPolicy, warning: warningFor(testKey, keyClass === 'production'),
      }
      const made = await mkdir(this.folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => unwritable(this.folder, error))
      if (made instanceof Failure) return made
      must(await this.#write(`${name}.json`, sidecarText(entry), 'create'))
      return entry
    })
  }

  /**
   * Takes in a key that lies in a token: only its description is written, with the URI that finds it again (a place to read
   * the PIN from is left out). Kinds: `bad-name`, `name-taken`, `key-taken`, `public-test-key`, `bad-uri`,
   * `home-unwritable`.
   */
  async addToken(name: string, key: Readonly<{ publicKey: PublicKey; uri: string; residence: Residence; class: KeyClass }>): Promise<KeyEntry | Failure> {
    return attemptAsync(async () => {
      must(checkName(name))
      must(await this.#free(name))
      must(await this.#unknown(toHex(key.publicKey.spki)))
      const { pinSource: _pinSource, ...uri } = must(parsePkcs11Uri(key.uri))
      const fingerprint = toHex(keyHash(key.publicKey))
      const testKey = knownTestKey(fingerprint)
      if (testKey !== undefined && key.class === 'production') return publicTestKey(testKey, fingerprint)
      const token: TokenHome = { uri: formatPkcs11Uri(uri), residence: key.residence }
      const entry: KeyEntry = {
        name, algorithm: key.publicKey.algorithm, fingerprint, class: key.class, encrypted: true, createdAt: this.#now(), retiredAt: null, spki: toHex(key.publicKey.spki),
        token, policy: openPolicy, warning: warningFor(testKey, true, key.class, token),
      }
      const made = await mkdir(this.folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => unwritable(this.folder, error))
      if (made instanceof Failure) return made
      must(await this.#write(`${name}.json`, sidecarText(entry), 'create'))
      return entry
    })
  }

  /** Whether a key of that name could be filed; asked before one is made in a token. Kinds: `bad-name`, `name-taken`. */
  async checkFree(name: string): Promise<null | Failure> {
    return checkName(name) ?? this.#free(name)
  }

  /** Sets who may use a key, for what and when. Kinds: `bad-policy`, `no-such-key`, `home-unwritable`. */
  async setPolicy(name: string, wanted: KeyPolicy): Promise<KeyEntry | Failure> {
    return attemptAsync(async () => {
      const entry = must(await this.#entry(name))
      const changed: KeyEntry = { ...entry, policy: must(checkPolicy(wanted)) }
      must(await this.#write(`${entry.name}.json`, sidecarText(changed), 'replace'))
      return changed
    })
  }

  /** Marks a key as no longer to be used; its files stay, since old images still name it. */
  async retire(name: string): Promise<KeyEntry | Failure> {
    return attemptAsync(async () => {
      const entry = must(await this.#entry(name))
      if (entry.retiredAt !== null) return entry
      const retired: KeyEntry = { ...entry, retiredAt: this.#now() }
      must(await this.#write(`${name}.json`, sidecarText(retired), 'replace'))
      return retired
    })
  }

  /**
   * A key by its name, its fingerprint (whole or its first 8 or more digits), or a path to a PEM file. Kinds:
   * `no-such-key`, `ambiguous-key`.
   */
  async find(what: string): Promise<FoundKey | Failure> {
    const entries = await this.list()
    if (failed(entries)) return entries
    const named = entries.find((entry) => entry.name === what)
    if (named !== undefined) return this.#found(named)
    const prefix = what.toLowerCase()
    if (prefix.length >= fingerprintPrefixMin && /^[0-9a-f]+$/.test(prefix)) {
      const matches = entries.filter((entry) => entry.fingerprint.startsWith(prefix))
      const [match, second] = matches
      if (second !== undefined) return new Failure('ambiguous-key', `Several keys' fingerprints begin with ${prefix}: ${matches.map((entry) => entry.name).join(', ')}. Give more digits, or the name.`)
      if (match !== undefined) return this.#found(match)
    }
    const file = await stat(what).catch(() => null)
    if (file?.isFile() === true) return { entry: null, path: what }
    const names = entries.filter((entry) => entry.retiredAt === null).map((entry) => entry.name)
    const known = names.length === 0 ? 'The key ring is empty: make a key first.' : `Keys here: ${names.slice(0, 8).join(', ')}${names.length > 8 ? ', …' : ''}.`
    return new Failure('no-such-key', `There is no key and no key file called "${what.slice(0, 200)}". ${known}`, { name: what.slice(0, 200) })
  }

  /** The public half of a key of the ring, without its passphrase. */
  async publicKey(name: string): Promise<PublicKey | Failure> {
    const entry = await this.#entry(name)
    return failed(entry) ? entry : publicKeyOf(entry)
  }

  /**
   * Opens a key for signing; close the signer to wipe it. Kinds beside those of `find` and `readKeyPem`: `key-retired`,
   * `damaged-key` (the PEM is not the key the sidecar describes).
   */
  async signer(what: string, passphrase?: string): Promise<FileSigner | Failure> {
    const key = await this.open(what, passphrase)
    if (failed(key)) return key
    const signer = openSigner(key)
    if (failed(signer)) key.wipe()
    return signer
  }

  /** Opens a private key, for export or decryption; the caller wipes it. */
  async open(what: string, passphrase?: string): Promise<FileKey | Failure> {
    return attemptAsync(async () => {
      const { entry, path } = must(await this.find(what))
      if (entry !== null && entry.retiredAt !== null) refuse('key-retired', `The key ${entry.name} was retired on ${entry.retiredAt.slice(0, 10)} and no longer signs. Choose another key.`, { name: entry.name })
      if (entry !== null && entry.token !== null) refuse('key-in-token', `The private half of ${entry.name} lies in a token and cannot be opened as a file. It signs there; it cannot be exported or decrypt.`, { name: entry.name })
      const key = must(await readKeyPem(must(await readBounded(path, PEM_BYTES_MAX)), passphrase))
      if (entry !== null && toHex(key.publicKey.spki) !== entry.spki) {
        key.wipe()
        refuse('damaged-key', `The file ${path} does not hold the key ${entry.name} that its description names: one of the two was changed. Restore the key folder from a backup.`, { name: entry.name })
      }
      return key
    })
  }

  #found(entry: KeyEntry): FoundKey {
    return { entry, path: join(this.folder, `${entry.name}.pem`) }
  }

  #now(): string {
    return new Date(this.#clock.wallMs()).toISOString()
  }

  async #entry(name: string): Promise<KeyEntry | Failure> {
    const found = await this.find(name)
    if (failed(found)) return found
    return found.entry ?? new Failure('no-such-key', `"${name}" is a key file outside the key ring. Add it first.`, { name })
  }

  async #free(name: string): Promise<null | Failure> {
    const taken = await Promise.all(['pem', 'json'].map((ending) => stat(join(this.folder, `${name}.${ending}`)).catch(() => null)))
    return taken.some((file) => file !== null) ? nameTaken(name) : null
  }

  async #unknown(spki: string): Promise<null | Failure> {
    const entries = await this.list()
    if (failed(entries)) return entries
    const there = entries.find((entry) => entry.spki === spki)
    if (there === undefined) return null
    const how = there.retiredAt === null ? 'Use it under that name; its policy holds wherever it lies' : 'It is retired and stays so; make a new key'
    return new Failure('key-taken', `This very key is in the ring already, as ${there.name}. ${how}.`, { name: there.name })
  }

  async #file(name: string, key: FileKey, keyClass: KeyClass, passphrase: string | null): Promise<KeyEntry | Failure> {
    const fingerprint = toHex(keyHash(key.publicKey))
    const testKey = knownTestKey(fingerprint)
    if (testKey !== undefined && keyClass === 'production') {
      return publicTestKey(testKey, fingerprint)
    }
    const entry: KeyEntry = {
      name, algorithm: key.algorithm, fingerprint, class: keyClass, encrypted: passphrase !== null,
      createdAt: this.#now(), retiredAt: null, spki: toHex(key.publicKey.spki), token: null, policy: openPolicy,
      warning: warningFor(testKey, passphrase !== null),
    }
    const made = await mkdir(this.folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => unwritable(this.folder, error))
    if (made instanceof Failure) return made
    const pem = await this.#write(`${name}.pem`, await writeKeyPem(key, passphrase), 'create')
    if (failed(pem)) return pem.kind === 'name-taken' ? nameTaken(name) : pem
    const sidecar = await this.#write(`${name}.json`, sidecarText(entry), 'create')
    if (failed(sidecar)) {
      await rm(join(this.folder, `${name}.pem`), { force: true })
      return sidecar.kind === 'name-taken' ? nameTaken(name) : sidecar
    }
    return entry
  }

  /** Whole or not at all: a synced file beside, then a link (which refuses a taken name) or a rename. */
  async #write(file: string, text: string, how: 'create' | 'replace'): Promise<null | Failure> {
    const target = join(this.folder, file)
    const beside = join(this.folder, `.${file}.${randomBytes(6).toString('hex')}.new`)
    try {
      const handle = await open(beside, 'wx', 0o600)
      try {
        await handle.writeFile(utf8(text))
        await handle.sync()
      } finally {
        await handle.close()
      }
      if (how === 'replace') await rename(beside, target)
      else {
        await link(beside, target).catch(async (error: unknown) => {
          // FAT and some network folders have no links; a copy refuses a taken name too, if not as atomically.
          if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP'].includes(codeOf(error))) throw error
          await copyFile(beside, target, constants.COPYFILE_EXCL)
        })
      }
      return null
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return nameTaken(file)
      return unwritable(this.folder, error)
    } finally {
      await rm(beside, { force: true }).catch(() => null)
    }
  }

  async #readAll(): Promise<{ entries: KeyEntry[]; troubles: Failure[] } | Failure> {
    const entries: KeyEntry[] = []
    const troubles: Failure[] = []
    let files: string[]
    try {
      files = await readdir(this.folder)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return { entries, troubles }
      return new Failure('home-unreadable', `The key folder ${this.folder} cannot be read (${codeOf(error)}). Check its owner and permissions.`, { path: this.folder })
    }
    const sidecars = files.filter((file) => file.endsWith('.json') && !file.startsWith('.')).sort().slice(0, keysMax)
    for (const file of sidecars) {
      const text = await readBounded(join(this.folder, file), sidecarBytesMax)
      const entry = failed(text) ? text : readSidecar(text, file)
      if (failed(entry)) troubles.push(entry)
      else entries.push(entry)
    }
    return { entries, troubles }
  }
}

function publicTestKey(testKey: string, fingerprint: string): Failure {
  return new Failure('public-test-key', `This is MCUboot's public test key ${testKey}: anyone can download its private half and sign for your boards. Make a key of your own; this one can be added as a test key only.`, { fingerprint, testKey })
}

function checkPassphrase(keyClass: KeyClass, passphrase: string | null): null | Failure {
  if (passphrase === null) {
    return keyClass === 'test' ? null : new Failure('needs-passphrase', 'A production key is always encrypted at rest: give a passphrase, or make it a test key.')
  }
  return checkLength(passphrase)
}

function nameTaken(name: string): Failure {
  return new Failure('name-taken', `There is already a key called ${name}. Choose another name; a retired key keeps its name too.`, { name })
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error'
}

function unwritable(folder: string, error: unknown): Failure {
  const full = codeOf(error) === 'ENOSPC'
  return new Failure(full ? 'disk-full' : 'home-unwritable', full ? `The disk that holds ${folder} is full. Free some space and try again.` : `The key folder ${folder} cannot be written (${codeOf(error)}). Check its owner and permissions, or choose another home folder.`, { path: folder })
}

async function readBounded(path: string, bytesMax: number): Promise<string | Failure> {
  try {
    const { size } = await stat(path)
    if (size > bytesMax) return new Failure('not-a-key', `${path} has ${size} bytes; that is no key file.`, { path, bytes: size })
    return await readFile(path, 'utf8')
  } catch (error) {
    return new Failure('unreadable-key', `The key file ${path} cannot be read (${codeOf(error)}). Check that it exists and that you may read it.`, { path })
  }
}
