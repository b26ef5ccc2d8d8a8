// Keys in hardware as the station's clients use them: tokens are listed, unlocked and locked, their keys taken into the ring or
// made there. Whatever goes wrong at a token is in the log. A client may name only modules that are installed, that the
// ring's keys lie in, or that were added on purpose: loading any other file is running it.
import { stat } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { z } from 'zod'
import { fromHex, toHex } from '../base/bytes.ts'
import { Failure, failed } from '../base/failure.ts'
import type { CheckedArgsOf } from '../contract/api.ts'
import type { KeyView, TokenKeyView, TokenModuleView, TokenView } from '../contract/views.ts'
import { keyHash } from '../image/keyhash.ts'
import { publicKeyFromSpki } from '../image/publickey.ts'
import type { KeyEntry } from '../keys/keyring.ts'
import { Tokens } from '../keys/pkcs11-tokens.ts'
import { formatPkcs11Uri, parsePkcs11Uri } from '../keys/pkcs11-uri.ts'
import type { TokenKeyRow, TokenRow } from '../keys/pkcs11-words.ts'
import type { OpenDatabase } from '../store/database.ts'
import { readSetting, writeSetting } from '../store/settings.ts'
import type { DeskWorld } from './desk-world.ts'
import { filed, residenceView } from './key-rows.ts'
import type { Logbook } from './logbook.ts'
import { failureView } from './views.ts'

const modulesSetting = 'token-modules'
const modulesSchema = z.array(z.string().min(1).max(4096)).max(16)
const logTextMax = 1000

/** The tokens of a station: trouble goes into its log. `entry` null: this program was built without the tokens' process. */
export function openTokens(entry: string | null, database: OpenDatabase, log: Logbook, changed: () => void): Tokens | null {
  if (entry === null) return null
  const modules = readSetting(database, modulesSetting, modulesSchema, [])
  return new Tokens({
    entry,
    modules: failed(modules) ? [] : modules,
    trouble(failure, where) {
      // What failed is told to the person whether or not it can be noted.
      log.recordAct({ kind: 'token-trouble', data: { token: where.slice(0, logTextMax), failure: failure.kind.slice(0, 64), says: failure.says.slice(0, logTextMax) } }, 'engineer')
      changed()
    },
  })
}

const without = () => new Failure('no-pkcs11', 'Keys in hardware are not available here: this station was started without the process that talks to tokens.')

/** The tokens, with the modules of the ring's keys known to them. */
async function tokensOf({ tokens = null, keyring }: DeskWorld): Promise<Tokens | Failure> {
  if (tokens === null) return without()
  const entries = await keyring.list()
  if (failed(entries)) return entries
  for (const { token } of entries) {
    const uri = token === null ? null : parsePkcs11Uri(token.uri)
    if (uri !== null && !failed(uri) && uri.modulePath !== undefined) tokens.include(uri.modulePath)
  }
  return tokens
}

/** The tokens, when this URI is one a client may use. Kinds: `bad-uri`, `pin-in-uri`, `module-not-listed`. */
async function allowed(world: DeskWorld, text: string): Promise<Tokens | Failure> {
  const tokens = await tokensOf(world)
  if (failed(tokens)) return tokens
  const uri = parsePkcs11Uri(text)
  if (failed(uri)) return uri
  if (uri.pinSource !== undefined) return new Failure('bad-uri', 'Here the PIN is typed, not read from a file: leave pin-source out.')
  if (uri.modulePath === undefined || (await tokens.modules()).some(({ path }) => path === uri.modulePath)) return tokens
  return new Failure('module-not-listed', `${uri.modulePath} is not a PKCS#11 module of this station. Add it first with: slotwright key module ${uri.modulePath}`, { path: uri.modulePath })
}

export async function listTokens(world: DeskWorld): Promise<TokenModuleView[] | Failure> {
  const tokens = await tokensOf(world)
  if (failed(tokens)) return tokens
  const ring = await world.keyring.list()
  if (failed(ring)) return ring
  return Promise.all((await tokens.list()).map(async ({ module, tokens: rows, problem }): Promise<TokenModuleView> => ({
    name: module.name, path: module.path, problem: problem === null ? null : failureView(problem),
    tokens: await Promise.all(rows.map(async (row) => {
      const keys = row.unlocked ? await tokens.keys(row.uri) : []
      return tokenView(row, failed(keys) ? [] : keys, ring, module.path)
    })),
  })))
}

export async function unlockToken(world: DeskWorld, { token, pin }: CheckedArgsOf<'unlockToken'>): Promise<TokenModuleView[] | Failure> {
  const tokens = await allowed(world, token)
  if (failed(tokens)) return world.log.refuse('unlock a token', tokens)
  const unlocked = await unlock(world, tokens, token, pin)
  return failed(unlocked) ? unlocked : listTokens(world)
}

/** Unlocks and notes it. */
export async function unlock(world: DeskWorld, tokens: Tokens, token: string, pin: string | null): Promise<TokenRow | Failure> {
  const row = await tokens.unlock(token, pin)
  if (failed(row)) return row
  const noted = world.log.recordAct({ kind: 'token-unlocked', data: { token: token.slice(0, logTextMax) } }, 'engineer')
  if (!failed(noted)) return row
  await tokens.lock(token)
  return noted
}

export async function lockToken(world: DeskWorld, { token }: CheckedArgsOf<'lockToken'>): Promise<TokenModuleView[] | Failure> {
  const tokens = token === null ? await tokensOf(world) : await allowed(world, token)
  if (failed(tokens)) return world.log.refuse('lock a token', tokens)
  const locked = await tokens.lock(token)
  if (failed(locked)) return locked
  const noted = world.log.recordAct({ kind: 'token-locked', data: { token: token?.slice(0, logTextMax) ?? 'all tokens' } }, 'engineer')
  return failed(noted) ? noted : listTokens(world)
}

export async function addTokenKey(world: DeskWorld, { uri, name, class: keyClass }: CheckedArgsOf<'addTokenKey'>): Promise<KeyView | Failure> {
  const tokens = await allowed(world, uri)
  const key = failed(tokens) ? tokens : await tokens.key(uri)
  const entry = failed(key) ? key : await world.keyring.addToken(name, { publicKey: key.publicKey, uri: key.uri, residence: key.residence, class: keyClass })
  return filed(world.log, 'take in a key from a token', entry, 'key-imported')
}

export async function generateTokenKey(world: DeskWorld, { token, name, algorithm, class: keyClass }: CheckedArgsOf<'generateTokenKey'>): Promise<KeyView | Failure> {
  const tokens = await allowed(world, token)
  const free = failed(tokens) ? tokens : await world.keyring.checkFree(name)
  const key = failed(tokens) ? tokens : failed(free) ? free : await tokens.generate(token, algorithm, name)
  const entry = failed(key) ? key : await world.keyring.addToken(name, { publicKey: key.publicKey, uri: key.uri, residence: key.residence, class: keyClass })
  return filed(world.log, 'make a key in a token', entry, 'key-created')
}

/** Kinds: `module-not-found`, and those of loading it: one that does not work is not kept. */
export async function addTokenModule(world: DeskWorld, database: OpenDatabase, { path }: CheckedArgsOf<'addTokenModule'>): Promise<TokenModuleView[] | Failure> {
  const tokens = world.tokens ?? null
  if (tokens === null) return without()
  const file = isAbsolute(path) ? await stat(path).catch(() => null) : null
  if (file?.isFile() !== true) return new Failure('module-not-found', `There is no PKCS#11 module at ${path}. Give its whole path.`, { path })
  const works = await tokens.tryModule(path)
  if (failed(works)) return world.log.refuse('add a PKCS#11 module', works)
  const before = readSetting(database, modulesSetting, modulesSchema, [])
  if (failed(before)) return before
  if (!before.includes(path)) {
    const after = [...before, path]
    if (!modulesSchema.safeParse(after).success) return new Failure('too-many-modules', 'This station knows as many extra PKCS#11 modules as it can. Take one out of its settings first.')
    const noted = world.log.recordAct({ kind: 'settings', data: { name: modulesSetting, after: path.slice(0, logTextMax) } }, 'engineer')
    if (failed(noted)) return noted
    const written = writeSetting(database, modulesSetting, after)
    if (failed(written)) return written
  }
  tokens.include(path)
  return listTokens(world)
}

function tokenView(row: TokenRow & { readonly uri: string }, keys: readonly TokenKeyRow[], ring: readonly KeyEntry[], modulePath: string): TokenView {
  const { uri, label, manufacturer, model, serial, slot, needsPin, pinPad, pin, readOnly, unlocked, signs, makes } = row
  return { uri, label, manufacturer, model, serial, slot, needsPin, pinPad, pin, readOnly, unlocked, signs, makes, keys: keys.map((key) => tokenKeyView(row, key, ring, modulePath)) }
}

function tokenKeyView(token: TokenRow, { label, id, algorithm, called, spki, canSign, residence }: TokenKeyRow, ring: readonly KeyEntry[], modulePath: string): TokenKeyView {
  const key = spki === null ? null : publicKeyFromSpki(fromHex(spki) ?? new Uint8Array(0))
  const uri = formatPkcs11Uri({ token: token.label, serial: token.serial, ...(label === '' ? {} : { object: label }), ...(id === '' ? {} : { id }), modulePath })
  return {
    uri, label, id, algorithm, called, canSign, residence: residenceView(residence),
    fingerprint: key === null || failed(key) ? null : toHex(keyHash(key)),
    name: ring.find((entry) => entry.token !== null && entry.spki === spki)?.name ?? null,
  }
}
