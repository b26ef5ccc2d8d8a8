// One PKCS#11 module and its tokens, inside the process that belongs to it. Every call here may block for as long as the
// hardware likes. One session a token; the PIN is kept while the token is unlocked, so that a token that was pulled and put
// back signs on, and is wiped on lock. What surprised us: many modules learn of a new token only from C_Finalize and
// C_Initialize, which end every session; so that is done when a token is missing or a session is lost, and not before. A reader
// with keys of its own (CKF_PROTECTED_AUTHENTICATION_PATH) gets a PIN of no length, as pkcs11js has no null for one.
import { Failure, attempt, failed, must, refuse } from '../base/failure.ts'
import { keyAlgorithms } from '../base/signer.ts'
import type { KeyAlgorithm } from '../base/signer.ts'
import { ckr, codeOf, connectionCodes, failureOf } from './pkcs11-codes.ts'
import { findKey, generatePair, readKeys, signatureBytesMax } from './pkcs11-objects.ts'
import type { FoundObject, Pkcs11Api } from './pkcs11-objects.ts'
import { makeMechanisms, mechanismNames, signMechanisms } from './pkcs11-public.ts'
import { called, clean, fits, flags, identityOf, mechanismFor, pinState, sameToken, slotNumber, wrongPin } from './pkcs11-rows.ts'
import type { AnswerTo, Ask, KeyAsked, PinState, TokenAsked, TokenKeyRow, TokenRow } from './pkcs11-words.ts'

const serialSession = 4
const readWrite = 2
const userType = 1
const contextUser = 2
const tokensMax = 64
/** States of C_GetSessionInfo in which the user is logged in. */
const loggedInStates: ReadonlySet<number> = new Set([1, 3])

type Handle = Buffer
type Slot = Readonly<{ handle: Handle; row: TokenRow; identity: string }>
/** What is open towards one token. */
type Session = { readonly slot: Slot; readonly handle: Handle; readonly mechanisms: ReadonlySet<number>; readonly keys: Map<string, FoundObject> }

export class TokenModule {
  readonly #api: Pkcs11Api
  readonly #sessions = new Map<string, Session>()
  /** PINs that a token has taken, by the token's identity, until it is locked. */
  readonly #pins = new Map<string, Uint8Array>()
  /** Tokens seen since the start: one of these that is gone was removed. */
  readonly #seen: TokenRow[] = []
  /** False after a start that failed: the next ask tries again. */
  #started = false
  #library: { manufacturer: string; description: string; version: string } = { manufacturer: '', description: '', version: '' }

  constructor(api: Pkcs11Api) {
    this.#api = api
  }

  /** Kind `module-broken`. */
  initialize(): null | Failure {
    try {
      this.#api.C_Initialize()
    } catch (error) {
      this.#started = false
      const why = codeOf(error)
      if (why?.code !== ckr.cryptokiAlreadyInitialized) return new Failure('module-broken', `The PKCS#11 module does not start (${why?.name ?? 'unknown error'}). Check its own configuration, and that its service or middleware runs.`)
    }
    this.#started = true
    try {
      const { manufacturerID, libraryDescription, libraryVersion: { major, minor } } = this.#api.C_GetInfo()
      this.#library = { manufacturer: clean(manufacturerID), description: clean(libraryDescription), version: `${major}.${minor}` }
    } catch {
      // A module that says nothing of itself still signs.
    }
    return null
  }

  /** Carries out one ask. Anything a token says no to is a failure; what else is thrown is a bug. */
  carryOut<A extends Ask>(ask: A): AnswerTo[A['is']] | Failure {
    const done = attempt(() => this.#do(ask))
    if (failed(done)) return new Failure(done.kind, done.says.replace(/(^|[.:] )the token /g, '$1The token '), done.facts)
    return done as AnswerTo[A['is']]
  }

  /** Logs out everywhere and wipes what was kept. */
  end(): void {
    this.#lock(null)
    try {
      this.#api.C_Finalize()
    } catch {
      // It is ending anyway.
    }
  }

  #do(ask: Ask): AnswerTo[keyof AnswerTo] {
    if (!this.#started) must(this.#restart())
    switch (ask.is) {
      case 'tokens': return this.#tokens()
      case 'keys': return this.#withSession(ask.token, false, (session) => readKeys(this.#api, session.handle))
      case 'unlock': return this.#unlockOrWipe(ask.token, ask.pin)
      case 'lock': return this.#lock(ask.token)
      case 'key': return this.#withSession(ask.key.token, true, (session) => this.#key(session, ask.key).row)
      case 'sign': return this.#withSession(ask.key.token, true, (session) => this.#sign(session, ask.key, ask.algorithm, ask.data))
      case 'generate': return this.#withSession(ask.token, true, (session) => this.#generate(session, ask))
    }
  }

  #tokens(): TokenRow[] {
    // Nothing is lost by starting the module anew while nothing is open, and newly put in tokens show.
    if (this.#sessions.size === 0) must(this.#restart())
    return this.#slots().map(({ row }) => row)
  }

  #slots(): Slot[] {
    const handles = this.#call('The PKCS#11 module', () => this.#api.C_GetSlotList(true)).slice(0, tokensMax)
    return handles.flatMap((handle) => this.#slot(handle) ?? [])
  }

  /** Null for a slot whose token is gone, blank or not to be read: there is nothing to sign with. */
  #slot(handle: Handle): Slot | null {
    try {
      const slot = this.#api.C_GetSlotInfo(handle)
      const token = this.#api.C_GetTokenInfo(handle)
      if ((token.flags & flags.initialized) === 0) return null
      const [label, manufacturer, model, serial] = [token.label, token.manufacturerID, token.model, token.serialNumber].map(clean) as [string, string, string, string]
      const mechanisms = new Set(this.#api.C_GetMechanismList(handle))
      const identity = `${label}\n${manufacturer}\n${model}\n${serial}`
      const row: TokenRow = {
        label, manufacturer, model, serial, slotId: slotNumber(handle), slot: clean(slot.slotDescription),
        needsPin: (token.flags & flags.loginRequired) !== 0, pinPad: (token.flags & flags.pinPad) !== 0, pin: pinState(token.flags), readOnly: (token.flags & flags.writeProtected) !== 0,
        unlocked: this.#sessions.has(identity) && this.#loggedIn(this.#sessions.get(identity)),
        signs: keyAlgorithms.filter((algorithm) => mechanisms.has(signMechanisms[algorithm])),
        makes: keyAlgorithms.filter((algorithm) => mechanisms.has(makeMechanisms[algorithm])),
      }
      if (!this.#seen.some((one) => sameToken(one, row)) && this.#seen.length < tokensMax) this.#seen.push(row)
      return { handle, row, identity }
    } catch (error) {
      if (codeOf(error) === null) throw error
      return null
    }
  }

  #find(asked: TokenAsked): Slot {
    let found = this.#matching(asked)
    if (found.length === 0) {
      must(this.#restart())
      found = this.#matching(asked)
    }
    const [slot, second] = found
    if (second !== undefined) refuse('ambiguous-token', `Several tokens fit: ${found.map(({ row }) => `${row.label} (serial ${row.serial})`).join(', ')}. Name the serial number too, as pkcs11:…;serial=….`)
    if (slot !== undefined) return slot
    const was = this.#seen.find((row) => fits(row, asked))
    if (was !== undefined) refuse('token-removed', `${called(was.label)} was removed. Put it back, then do it again; nothing needs to be restarted.`, { token: was.label })
    return refuse('token-not-found', `There is no token${asked.token === undefined ? ' that fits' : ` called "${asked.token}"`} in this module's slots. Put it in, or check its name with: slotwright key tokens`, { token: asked.token ?? '' })
  }

  #matching(asked: TokenAsked): Slot[] {
    return this.#slots().filter(({ row }) => fits(row, asked))
  }

  /** Whether this module is the library that was asked for; a version may leave its minor part out. */
  #isAsked({ libraryManufacturer, libraryDescription, libraryVersion }: TokenAsked): boolean {
    const library = this.#library
    if ((libraryManufacturer ?? library.manufacturer) !== library.manufacturer || (libraryDescription ?? library.description) !== library.description) return false
    return libraryVersion === undefined || libraryVersion === library.version || `${libraryVersion}.0` === library.version
  }

  /** Runs `work` in the token's one session, opened and logged in where needed; a lost one is forgotten and told. */
  #withSession<T>(asked: TokenAsked, login: boolean, work: (session: Session) => T): T {
    const session = this.#session(asked)
    const token = called(session.slot.row.label)
    try {
      if (login) this.#logIn(session)
      return work(session)
    } catch (error) {
      const why = codeOf(error)
      if (why === null) throw error
      if (!connectionCodes.has(why.code)) refuseAs(failureOf(why, token))
      return this.#lost(session, why)
    }
  }

  #session(asked: TokenAsked): Session {
    if (!this.#isAsked(asked)) refuse('token-not-found', `This module is ${this.#library.description || 'unnamed'} ${this.#library.version} by ${this.#library.manufacturer || 'nobody'}, which is not the library that was asked for.`)
    for (const session of this.#sessions.values()) {
      if (!fits(session.slot.row, asked) || this.#state(session) === null) continue
      // Another token that fits as well makes it ambiguous, but only a look at all slots would tell; the first stays.
      return session
    }
    const slot = this.#find(asked)
    const token = called(slot.row.label)
    const handle = this.#call(token, () => this.#api.C_OpenSession(slot.handle, serialSession))
    const session: Session = { slot, handle, mechanisms: new Set(this.#call(token, () => this.#api.C_GetMechanismList(slot.handle))), keys: new Map() }
    this.#sessions.set(slot.identity, session)
    return session
  }

  #state(session: Session): number | null {
    try {
      return this.#api.C_GetSessionInfo(session.handle).state
    } catch (error) {
      if (codeOf(error) === null) throw error
      this.#sessions.delete(session.slot.identity)
      return null
    }
  }

  #loggedIn(session: Session | undefined): boolean {
    return session !== undefined && loggedInStates.has(this.#state(session) ?? -1)
  }

  /** With the PIN that this very token has taken before; a token that now says no to it is not asked twice. */
  #logIn(session: Session): void {
    const { row, identity } = session.slot
    if (!row.needsPin || this.#loggedIn(session)) return
    const pin = this.#pins.get(identity)
    // Nobody stands at the reader unasked.
    if (pin === undefined) refuse('needs-pin', `${called(row.label)} is locked: ${row.pinPad ? 'unlock it, and type its PIN on the reader' : 'give its PIN'}.`, { token: row.label, pinPad: row.pinPad })
    this.#logInWith(session, pin)
  }

  #logInWith(session: Session, pin: Uint8Array | null): void {
    const { row, identity } = session.slot
    const token = called(row.label)
    const before = this.#pinState(session)
    if (before === 'locked') refuse('pin-locked', `${token} is locked after too many wrong PINs; this one was not tried. Whoever has its security officer's PIN (SO PIN or PUK) must unlock it with the maker's tool.`)
    if (before === 'unset') refuse('pin-unset', `${token} has no user PIN yet. Set one with the maker's tool.`)
    try {
      this.#api.C_Login(session.handle, userType, textOf(pin))
    } catch (error) {
      const why = codeOf(error)
      if (why?.code === ckr.userAlreadyLoggedIn) return
      this.#forgetPin(identity)
      if (why?.code === ckr.pinIncorrect) refuseAs(wrongPin(token, this.#pinState(session)))
      throw error
    }
  }

  #pinState(session: Session): PinState {
    return pinState(this.#call(called(session.slot.row.label), () => this.#api.C_GetTokenInfo(session.slot.handle)).flags)
  }

  #unlockOrWipe(asked: TokenAsked, pin: Uint8Array | null): TokenRow {
    try {
      return this.#unlock(asked, pin)
    } catch (error) {
      pin?.fill(0)
      throw error
    }
  }

  #unlock(asked: TokenAsked, pin: Uint8Array | null): TokenRow {
    return this.#withSession(asked, false, (session) => {
      const { row, identity, handle } = session.slot
      if (row.pinPad && pin !== null) refuse('pin-pad', `${called(row.label)} takes its PIN on the reader's own keys only; the one given here was not sent. Leave it out, and type it on the reader when it asks.`)
      if (!row.pinPad && pin === null) refuse('needs-pin', `${called(row.label)} is locked: give its PIN.`, { token: row.label, pinPad: false })
      // Logged in by whomever: only a login proves this PIN, and asks before a wrong one is kept.
      if (this.#loggedIn(session)) this.#api.C_Logout(session.handle)
      this.#logInWith(session, pin)
      this.#forgetPin(identity)
      if (pin !== null) this.#pins.set(identity, pin)
      session.keys.clear()
      return this.#slot(handle)?.row ?? row
    })
  }

  #lock(asked: TokenAsked | null): boolean {
    for (const session of [...this.#sessions.values()]) {
      if (asked !== null && !fits(session.slot.row, asked)) continue
      this.#forgetPin(session.slot.identity)
      this.#sessions.delete(session.slot.identity)
      try {
        if (loggedInStates.has(this.#api.C_GetSessionInfo(session.handle).state)) this.#api.C_Logout(session.handle)
      } catch (error) {
        if (codeOf(error) === null) throw error
      }
      this.#closeSession(session)
    }
    for (const identity of [...this.#pins.keys()]) {
      const row = this.#seen.find((one) => identityOf(one) === identity)
      if (asked === null || row === undefined || fits(row, asked)) this.#forgetPin(identity)
    }
    return this.#pins.size > 0 || [...this.#sessions.values()].some((session) => this.#loggedIn(session))
  }

  #forgetPin(identity: string): void {
    this.#pins.get(identity)?.fill(0)
    this.#pins.delete(identity)
  }

  #key(session: Session, asked: KeyAsked): FoundObject {
    const name = `${asked.object ?? ''}\n${asked.id ?? ''}`
    const known = session.keys.get(name)
    if (known !== undefined) return known
    const key = findKey(this.#api, session.handle, asked, called(session.slot.row.label))
    // Some modules show a pulled token as one that has become empty.
    if (failed(key) && key.kind === 'token-key-missing') this.#stillThere(session, 'no keys shown')
    session.keys.set(name, must(key))
    return must(key)
  }

  #sign(session: Session, asked: KeyAsked, algorithm: KeyAlgorithm, data: Uint8Array): Uint8Array {
    const { row, identity } = session.slot
    const key = this.#key(session, asked)
    if (key.row.algorithm !== algorithm) refuse('key-changed', `The key "${key.row.label}" in ${called(row.label)} is ${key.row.called} and not ${algorithm}: another key lies there now. Check which token is in.`)
    const mechanism = signMechanisms[algorithm]
    if (!session.mechanisms.has(mechanism)) refuse('mechanism-missing', `${called(row.label)} does not sign with ${algorithm} keys: it lacks ${mechanismNames[mechanism] ?? mechanism}. Use a key of another type, or another token.`, { mechanism: mechanismNames[mechanism] ?? '' })
    this.#api.C_SignInit(session.handle, mechanismFor(algorithm), key.handle)
    try {
      if (key.alwaysAuthenticate) this.#logInForOne(session)
      return new Uint8Array(this.#api.C_Sign(session.handle, Buffer.from(data.buffer, data.byteOffset, data.length), Buffer.alloc(signatureBytesMax)))
    } catch (error) {
      // After some errors the operation stays active, and the session would refuse every other from then on.
      this.#sessions.delete(identity)
      this.#closeSession(session)
      throw error
    }
  }

  /** CKA_ALWAYS_AUTHENTICATE: the PIN again for each signature, between its beginning and its end. */
  #logInForOne(session: Session): void {
    const { row, identity } = session.slot
    const pin = this.#pins.get(identity)
    if (pin === undefined && !row.pinPad) return
    try {
      this.#api.C_Login(session.handle, contextUser, textOf(pin ?? null))
    } catch (error) {
      if (codeOf(error)?.code !== ckr.pinIncorrect) throw error
      this.#forgetPin(identity)
      refuseAs(wrongPin(called(row.label), this.#pinState(session)))
    }
  }

  #closeSession(session: Session): void {
    try {
      this.#api.C_CloseSession(session.handle)
    } catch (error) {
      // A token that is gone has forgotten us already.
      if (codeOf(error) === null) throw error
    }
  }

  #generate(session: Session, ask: Extract<Ask, { is: 'generate' }>): TokenKeyRow {
    const { row, handle } = session.slot
    const token = called(row.label)
    const mechanism = makeMechanisms[ask.algorithm]
    if (!session.mechanisms.has(mechanism)) refuse('mechanism-missing', `${token} does not make ${ask.algorithm} keys: it lacks ${mechanismNames[mechanism] ?? mechanism}. Choose another kind of key.`, { mechanism: mechanismNames[mechanism] ?? '' })
    const there = readKeys(this.#api, session.handle).find((key) => key.label === ask.label || key.id === ask.id)
    if (there !== undefined) refuse('token-key-taken', `${token} already holds a key called "${there.label}" (id ${there.id}). Choose another name.`)
    // The lasting session is read-only, as nothing else here changes a token.
    const writing = this.#api.C_OpenSession(handle, serialSession | readWrite)
    try {
      generatePair(this.#api, writing, mechanism, ask)
    } finally {
      this.#api.C_CloseSession(writing)
    }
    session.keys.clear()
    return must(findKey(this.#api, session.handle, { token: ask.token, id: ask.id }, token)).row
  }

  /** Ends what is open and starts the module anew: the one way in which every module looks at its slots again. */
  #restart(): null | Failure {
    this.#sessions.clear()
    try {
      this.#api.C_Finalize()
    } catch (error) {
      if (codeOf(error) === null) throw error
    }
    return this.initialize()
  }

  /** Whether the token is still there decides what is told; the next ask opens a new session by itself. */
  #lost(session: Session, why: { code: number; name: string }): never {
    const { label } = session.slot.row
    this.#stillThere(session, why.name)
    return refuse('session-lost', `The connection to ${called(label)} was lost (${why.name}). Nothing was signed. The token is there: do it again.`, { token: label, code: why.code })
  }

  #stillThere(session: Session, why: string): void {
    const { row: { label }, identity } = session.slot
    must(this.#restart())
    if (this.#slots().some((slot) => slot.identity === identity)) return
    refuse('token-removed', `${called(label)} was removed while it was in use (${why}). Nothing was signed. Put it back, then do it again; nothing needs to be restarted.`, { token: label })
  }

  #call<T>(token: string, work: () => T): T {
    try {
      return work()
    } catch (error) {
      const why = codeOf(error)
      if (why === null) throw error
      return refuseAs(failureOf(why, token))
    }
  }
}

function refuseAs({ kind, says, facts }: Failure): never {
  return refuse(kind, says, facts)
}

/** A PIN as pkcs11js takes it; empty where the reader asks for it. */
function textOf(pin: Uint8Array | null): string {
  return pin === null ? '' : new TextDecoder().decode(pin)
}
