// The tokens a station can reach, through all modules of the machine: listed, unlocked, locked, asked to sign and to make keys.
// What a token signed is verified with the public key before it is given out, here and not in the token's process, since that
// one runs a vendor's code. A URI without a module is looked for in every module that is installed.
import { randomBytes } from 'node:crypto'
import { utf8 } from '../base/bytes.ts'
import { Failure, attemptAsync, failed, must, refuse } from '../base/failure.ts'
import type { KeyAlgorithm, PublicKey, Signer, ToSign } from '../base/signer.ts'
import { checkSignature, hashesOf } from '../image/verify.ts'
import { ModuleProcess } from './pkcs11-child.ts'
import { findModule, installedModules } from './pkcs11-modules.ts'
import type { KnownModule } from './pkcs11-modules.ts'
import { publicKeyOfRow } from './pkcs11-objects.ts'
import { derFromRaw } from './pkcs11-public.ts'
import { formatPkcs11Uri, parsePkcs11Uri } from './pkcs11-uri.ts'
import type { Pkcs11Uri } from './pkcs11-uri.ts'
import type { Ask, KeyAsked, Residence, TokenAsked, TokenKeyRow, TokenRow } from './pkcs11-words.ts'

export type TokensOptions = Readonly<{
  /** The built main/keys/pkcs11-process.ts. */
  entry: string
  /** Modules to look into besides the installed ones: whole paths. */
  modules?: readonly string[]
  /** Whether the usual places are looked at too; true unless a test wants only its own. */
  installed?: boolean
  /** Hears of everything that went wrong at a token, for the log. */
  trouble?(failure: Failure, where: string): void
  timeoutsMs?: Partial<Record<Ask['is'], number>>
}>

export type ModuleRow = Readonly<{ module: KnownModule; tokens: readonly (TokenRow & { readonly uri: string })[]; problem: Failure | null }>

/** A private key in a token. */
export type TokenKey = Readonly<{ row: TokenKeyRow; publicKey: PublicKey; residence: Residence; /** Names it for good: token, serial number, label, id and module. */ uri: string; token: TokenRow }>

/** Not worth a log entry: nothing went wrong yet. */
const silent: ReadonlySet<string> = new Set(['needs-pin', 'stopped', 'bad-uri', 'pin-in-uri'])

const ownModulesMax = 32

type Place = Readonly<{ process: ModuleProcess; asked: TokenAsked }>

export class Tokens {
  readonly #options: TokensOptions
  readonly #processes = new Map<string, ModuleProcess>()
  /** Where a URI without a module was found. */
  readonly #places = new Map<string, string>()
  readonly #own: string[]

  constructor(options: TokensOptions) {
    this.#options = options
    this.#own = [...(options.modules ?? [])]
  }

  /** Looks into this module too from now on; one too many is left out. */
  include(path: string): void {
    if (!this.#own.includes(path) && this.#own.length < ownModulesMax) this.#own.push(path)
  }

  /** Whether a file works as a module, by loading it. Kinds: `module-broken`, `module-crashed`, `token-timeout`. */
  async tryModule(path: string, signal?: AbortSignal): Promise<null | Failure> {
    const tokens = await this.#process(path).ask({ is: 'tokens' }, signal)
    if (!failed(tokens)) return null
    await this.#process(path).close()
    this.#processes.delete(path)
    return tokens
  }

  /** Modules of this machine, without loading them. */
  async modules(): Promise<KnownModule[]> {
    const own = this.#own.map((path) => ({ name: path.replace(/^.*[\\/]/, ''), path }))
    const installed = this.#options.installed === false ? [] : await installedModules()
    return [...own, ...installed.filter(({ path }) => own.every((one) => one.path !== path))]
  }

  /** Every module with its tokens; a module that does not work is listed with what is wrong. */
  async list(signal?: AbortSignal): Promise<ModuleRow[]> {
    return Promise.all((await this.modules()).map(async (module): Promise<ModuleRow> => {
      const tokens = await this.#process(module.path).ask({ is: 'tokens' }, signal)
      if (failed(tokens)) return { module, tokens: [], problem: this.#told(tokens, module.path) }
      return { module, tokens: tokens.map((row) => ({ ...row, uri: tokenUri(row, module.path) })), problem: null }
    }))
  }

  /** Keys of one token; while it is locked, only those whose public half shows. */
  async keys(uri: string, signal?: AbortSignal): Promise<readonly TokenKeyRow[] | Failure> {
    return this.#at(uri, signal, async ({ process, asked }) => process.ask({ is: 'keys', token: asked }, signal))
  }

  /** The token a URI names, as it is now. */
  async token(uri: string, signal?: AbortSignal): Promise<TokenRow | Failure> {
    return this.#at(uri, signal, async ({ process, asked }) => this.#token(process, asked, signal))
  }

  /**
   * Unlocks until `lock` or the end; a null PIN is typed on the reader's own keys. Kinds: `wrong-pin`, `pin-locked`,
   * `pin-unset`, `bad-pin`, `needs-pin`, `pin-pad` (the token takes it on the reader only) and those of finding it.
   */
  async unlock(uri: string, pin: string | null, signal?: AbortSignal): Promise<TokenRow | Failure> {
    return this.#at(uri, signal, async ({ process, asked }) => process.ask({ is: 'unlock', token: asked, pin: pin === null ? null : utf8(pin) }, signal))
  }

  /** Locks one token, or all. A module without an unlocked token loses its process, and so its memory. */
  async lock(uri: string | null): Promise<null | Failure> {
    if (uri === null) {
      await Promise.all([...this.#processes.values()].map((process) => process.end()))
      return null
    }
    return this.#at(uri, undefined, async ({ process, asked }) => {
      const others = process.isRunning ? await process.ask({ is: 'lock', token: asked }) : false
      // One that does not answer is ended all the same: that locks it too.
      if (others !== true) await process.end()
      return null
    })
  }

  /** The private key a URI names. The token must be unlocked (`needs-pin`). */
  async key(uri: string, signal?: AbortSignal): Promise<TokenKey | Failure> {
    return this.#at(uri, signal, async ({ process, asked }, read) => attemptAsync(async () => {
      const row = must(await process.ask({ is: 'key', key: keyAsked(asked, read) }, signal))
      const token = must(await this.#token(process, asked, signal))
      const publicKey = must(publicKeyOfRow(row))
      return { row, publicKey, residence: row.residence, uri: keyUri(token, row, process.modulePath), token }
    }))
  }

  /**
   * A signer for that key, which must be this public key. Nothing is asked of the token before the first signature. Kinds of
   * `sign`: `needs-pin`, `token-removed`, `session-lost`, `token-key-missing`, `mechanism-missing`, `token-bad-signature`,
   * `key-changed`, `token-timeout`, `module-crashed`, `module-not-found`, `bad-request`, `token-refused` …
   */
  signer(uri: string, publicKey: PublicKey): Signer {
    return {
      publicKey,
      sign: (what, stop) => this.#at(uri, stop, async ({ process, asked }, read) => {
        const data = dataFor(what, publicKey.algorithm)
        if (failed(data)) return data
        const raw = await process.ask({ is: 'sign', key: keyAsked(asked, read), algorithm: publicKey.algorithm, data }, stop)
        return failed(raw) ? raw : checked(raw, what, publicKey)
      }),
    }
  }

  /**
   * Makes a key in the token a URI names, and tries it: signs with it, verifies that. Kinds as above, and `token-key-taken`,
   * `token-full`, `token-read-only`.
   */
  async generate(uri: string, algorithm: KeyAlgorithm, label: string, signal?: AbortSignal): Promise<TokenKey | Failure> {
    const made = await this.#at(uri, signal, async ({ process, asked }) => attemptAsync(async () => {
      const row = must(await process.ask({ is: 'generate', token: asked, algorithm, label, id: randomBytes(8).toString('hex') }, signal))
      const token = must(await this.#token(process, asked, signal))
      const publicKey = must(publicKeyOfRow(row))
      if (publicKey.algorithm !== algorithm) refuse('token-refused', `The token was asked for an ${algorithm} key and made one that is ${publicKey.algorithm}. Delete it with the maker's tool.`)
      return { row, publicKey, residence: row.residence, uri: keyUri(token, row, process.modulePath), token }
    }))
    if (failed(made)) return made
    const trial = algorithm === 'ed25519' ? { message: new Uint8Array(randomBytes(32)) } : { digest: new Uint8Array(randomBytes(algorithm === 'ecdsa-p384' ? 48 : 32)), hash: hashesOf[algorithm][0] ?? 'sha256' }
    const signature = await this.signer(made.uri, made.publicKey).sign(trial, signal)
    return failed(signature) ? signature : made
  }

  /** Ends every process; nothing of a PIN is left in this machine's memory that was ours to clear. */
  async close(): Promise<void> {
    await Promise.all([...this.#processes.values()].map((process) => process.close()))
    this.#processes.clear()
  }

  #process(path: string): ModuleProcess {
    const there = this.#processes.get(path)
    if (there !== undefined) return there
    const made = new ModuleProcess(this.#options.entry, path, this.#options.timeoutsMs)
    this.#processes.set(path, made)
    return made
  }

  async #at<T>(text: string, signal: AbortSignal | undefined, work: (place: Place, uri: Pkcs11Uri) => Promise<T | Failure>): Promise<T | Failure> {
    const uri = parsePkcs11Uri(text)
    if (failed(uri)) return uri
    const place = await this.#place(uri, signal)
    const done = failed(place) ? place : await work(place, uri)
    return failed(done) ? this.#told(done, withoutPin(uri)) : done
  }

  async #place(uri: Pkcs11Uri, signal: AbortSignal | undefined): Promise<Place | Failure> {
    const asked = tokenAsked(uri)
    if (uri.modulePath !== undefined || uri.moduleName !== undefined) {
      const module = await findModule({ path: uri.modulePath, name: uri.moduleName }, await this.modules())
      return failed(module) ? module : { process: this.#process(module.path), asked }
    }
    const name = formatPkcs11Uri(asked)
    const before = this.#places.get(name)
    if (before !== undefined) return { process: this.#process(before), asked }
    const path = await this.#search(asked, signal)
    if (failed(path)) return path
    this.#places.set(name, path)
    return { process: this.#process(path), asked }
  }

  async #search(asked: TokenAsked, signal: AbortSignal | undefined): Promise<string | Failure> {
    const modules = await this.list(signal)
    if (modules.length === 0) return new Failure('module-not-found', 'No PKCS#11 module is installed in the usual places. Install the token\'s software, or name its module: pkcs11:…?module-path=/path/to/module.so')
    const fitting = modules.filter(({ tokens }) => tokens.some((row) => fitsToken(row, asked)))
    const [found, second] = fitting
    if (found !== undefined && second === undefined) return found.module.path
    if (second !== undefined) return new Failure('ambiguous-token', `Several modules show such a token: ${fitting.map(({ module }) => module.path).join(', ')}. Name the module too: pkcs11:…?module-path=PATH`)
    const tokens = modules.flatMap((one) => one.tokens.map(({ label }) => `"${label}"`))
    return new Failure('token-not-found', `There is no token${asked.token === undefined ? ' that fits' : ` called "${asked.token}"`}. ${tokens.length === 0 ? 'No token is in any slot' : `Tokens here: ${tokens.slice(0, 8).join(', ')}`}. Put it in, or check its name.`, { token: asked.token ?? '' })
  }

  async #token(process: ModuleProcess, asked: TokenAsked, signal?: AbortSignal): Promise<TokenRow | Failure> {
    const rows = await process.ask({ is: 'tokens' }, signal)
    if (failed(rows)) return rows
    return rows.find((row) => fitsToken(row, asked)) ?? new Failure('token-removed', `The token "${asked.token ?? ''}" was removed. Put it back, then do it again.`, { token: asked.token ?? '' })
  }

  #told(failure: Failure, where: string): Failure {
    if (!silent.has(failure.kind)) this.#options.trouble?.(failure, where)
    return failure
  }
}

function tokenAsked({ token, manufacturer, serial, model, slotId, slotDescription, slotManufacturer, libraryManufacturer, libraryDescription, libraryVersion }: Pkcs11Uri): TokenAsked {
  return Object.fromEntries(Object.entries({ token, manufacturer, serial, model, slotId, slotDescription, slotManufacturer, libraryManufacturer, libraryDescription, libraryVersion }).filter(([, value]) => value !== undefined))
}

function keyAsked(token: TokenAsked, { object, id }: Pkcs11Uri): KeyAsked {
  return { token, ...(object === undefined ? {} : { object }), ...(id === undefined ? {} : { id }) }
}

function fitsToken(row: TokenRow, asked: TokenAsked): boolean {
  return (asked.token ?? row.label) === row.label && (asked.serial ?? row.serial) === row.serial && (asked.model ?? row.model) === row.model
    && (asked.manufacturer ?? row.manufacturer) === row.manufacturer && (asked.slotId ?? row.slotId) === row.slotId
}

/** What names a token for good: not its slot, which changes with the socket. */
function tokenUri({ label, serial }: TokenRow, modulePath: string): string {
  return formatPkcs11Uri({ token: label, ...(serial === '' ? {} : { serial }), modulePath })
}

function keyUri(token: TokenRow, { label, id }: TokenKeyRow, modulePath: string): string {
  return formatPkcs11Uri({ token: token.label, ...(token.serial === '' ? {} : { serial: token.serial }), ...(label === '' ? {} : { object: label }), ...(id === '' ? {} : { id }), modulePath })
}

/** The URI for people and logs, without where a PIN could be read. */
function withoutPin({ pinSource: _pinSource, ...uri }: Pkcs11Uri): string {
  return formatPkcs11Uri(uri)
}

function dataFor(what: ToSign, algorithm: KeyAlgorithm): Uint8Array | Failure {
  if (algorithm === 'ed25519') return 'message' in what ? what.message : new Failure('bad-request', 'An ed25519 key signs messages, not digests.')
  if (!('digest' in what)) return new Failure('bad-request', `An ${algorithm} key signs a digest, not a whole message.`)
  if (!hashesOf[algorithm].includes(what.hash)) return new Failure('bad-request', `An ${algorithm} key signs ${hashesOf[algorithm].join(' or ').toUpperCase()} digests, not ${what.hash.toUpperCase()}.`)
  return what.digest
}

function checked(raw: Uint8Array, what: ToSign, publicKey: PublicKey): Uint8Array | Failure {
  const { algorithm } = publicKey
  const signature = algorithm === 'ecdsa-p256' || algorithm === 'ecdsa-p384' ? derFromRaw(raw, algorithm) : raw
  if (failed(signature) || checkSignature(signature, publicKey, what)) return signature
  return new Failure('token-bad-signature', 'The token gave a signature that this key\'s public half does not verify. It was thrown away: another key may lie under that name now, or the token does not work as it should.')
}
