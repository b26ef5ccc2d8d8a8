// A log whose key hands over: what either key signed verifies across the change, whoever of the two is trusted; what neither
// may sign is refused, and a change cut short anywhere leaves a key that signs.
import { generateKeyPairSync, sign } from 'node:crypto'
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { Failure } from '../../main/base/failure.ts'
import type { Signer } from '../../main/base/signer.ts'
import { checkpointText, keysOf, noteKey, noteKeyText, openCheckpoint, parseNoteKey, signNote } from '../../main/log/checkpoint.ts'
import { handoversMax, parseLogKeys, presentKey, signHandover, trustWithin } from '../../main/log/handover.ts'
import type { AuditStore } from '../../main/store/audit.ts'
import { readLogPublicKey } from '../../main/store/checkpoints.ts'
import { logOrigin } from '../../main/store/logkey.ts'
import { changeLogKey } from '../../main/store/rotation.ts'
import { handClock, newHome, outcomeDraft, release, storeIn, value } from './fixture.ts'

afterEach(release)

function ed25519Signer(): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }))
  return { publicKey: { algorithm: 'ed25519', spki, encoded: spki }, sign: (what) => Promise.resolve(new Uint8Array(sign(null, 'message' in what ? what.message : new Uint8Array(), privateKey))) }
}

const keysIn = (store: AuditStore) => {
  const known = value(readLogPublicKey(store.database.folder))
  if (known === null) throw new Error('the log has a key')
  return known
}

/** A log of some entries, its key handed over twice. */
async function changedTwice(): Promise<{ store: AuditStore; home: string }> {
  const home = newHome()
  const store = storeIn(home)
  value(store.appendAll(Array.from({ length: 20 }, (_, i) => outcomeDraft(`a${i}`))))
  value(await changeLogKey(store, { is: 'file' }, { person: 'ada', role: 'engineer' }))
  value(store.append(outcomeDraft('between')))
  value(await store.checkpoint())
  value(await changeLogKey(store, { is: 'file' }))
  value(store.append(outcomeDraft('after')))
  value(await store.checkpoint())
  return { store, home }
}

test('what every key signed verifies, and the log tells of each change', async () => {
  const { store } = await changedTwice()
  const verdict = value(await store.verify())
  expect(verdict).toMatchObject({ holds: true, wrongs: [], checkpointsHeld: 5 })
  const lives = keysOf(keysIn(store))
  expect(lives.map(({ from, to }) => [from, to])).toEqual([[0, 21], [21, 23], [23, 2 ** 48]])
  const told = value(store.list({ kind: 'log-key-changed' })).map(({ entry }) => value(entry))
  expect(told.map(({ data, person }) => [data['after'], person])).toEqual([[noteKeyText(lives[2]?.key ?? keysIn(store)), ''], [noteKeyText(lives[1]?.key ?? keysIn(store)), 'ada']])
})

test.each([0, 1, 2])('an auditor who trusts key %i alone sees the whole log hold', async (which) => {
  const { store } = await changedTwice()
  const trusted = value(parseNoteKey(noteKeyText(keysOf(keysIn(store))[which]?.key ?? keysIn(store))))
  expect(value(await store.verify(undefined, { trusted }))).toMatchObject({ holds: true, checkpointsHeld: 5 })
})

test('another key than any of these accuses the log', async () => {
  const { store } = await changedTwice()
  const stranger = keysIn(storeWithCheckpoint(await signedHome()))
  expect(value(await store.verify(undefined, { trusted: stranger }))).toMatchObject({ holds: false, checkpointsHeld: 0 })
})

async function signedHome(): Promise<string> {
  const home = newHome()
  const store = storeIn(home)
  value(store.append(outcomeDraft('u')))
  value(await store.checkpoint())
  store.close()
  return home
}
const storeWithCheckpoint = (home: string) => storeIn(home, { session: 's2' })

test('a key that was handed over signs nothing later, and one to come nothing earlier', async () => {
  const [before, after] = [ed25519Signer(), ed25519Signer()]
  const origin = logOrigin(before)
  const root = new Uint8Array(32)
  const first = `${noteKeyText(value(keyOf(origin, before)))}\n`
  const keys = value(parseLogKeys(`${first}\n${value(await signHandover(origin, 10, before, after))}`))
  const checkpoint = async (size: number, signer: Signer) => openCheckpoint(value(await signNote(checkpointText({ origin, size, root, extensions: [] }), origin, signer)), [keys])
  for (const [size, signer] of [[9, before], [10, before], [10, after], [11, after]] as const) expect(await checkpoint(size, signer)).toMatchObject({ size })
  for (const [size, signer] of [[11, before], [9, after]] as const) expect(await checkpoint(size, signer)).toMatchObject({ kind: 'note-key-over' })
})

const keyOf = (origin: string, signer: Signer) => noteKey(origin, signer.publicKey)

describe('a handover that was tampered with', () => {
  test.each([
    ['a byte of it changed', (text: string) => text.replace('\n21\n', '\n22\n')],
    ['the old key\'s signature gone', (text: string) => { const lines = text.split('\n'); lines.splice(8, 1); return lines.join('\n') }],
    ['the new key\'s signature taken twice', (text: string) => { const lines = text.split('\n'); lines[8] = lines[9] ?? ''; return lines.join('\n') }],
    ['one left out between two others', (text: string) => { const lines = text.split('\n'); lines.splice(1, 9); return lines.join('\n') }],
    ['more of them than there can be', (text: string) => `${text}${'\n\nx\nx\n1\nx\n\nx\nx'.repeat(handoversMax + 1)}`],
    ['cut', (text: string) => text.slice(0, -20)],
  ])('%s: the keys do not read', async (_name, tamper) => {
    const { store, home } = await changedTwice()
    store.close()
    const text = readFileSync(join(home, 'log-key.pub'), 'utf8')
    expect(tamper(text)).not.toBe(text)
    expect(parseLogKeys(text)).not.toBeInstanceOf(Failure)
    expect(parseLogKeys(tamper(text))).toMatchObject({ kind: 'bad-note-key' })
  })

  test('a stranger\'s own handover to a trusted key trusts nothing of the stranger', async () => {
    const { store } = await changedTwice()
    const trusted = presentKey(keysIn(store))
    const thief = ed25519Signer()
    const own = value(keyOf(trusted.name, thief))
    expect(trustWithin(trusted, own)).toBe(trusted)
  })

  test('a stranger who puts a signature of his own beside the trusted key\'s does not pass for the log\'s first key', async () => {
    const [first, second, thief] = [ed25519Signer(), ed25519Signer(), ed25519Signer()]
    const origin = logOrigin(first)
    const one = (signer: Signer) => noteKeyText(value(keyOf(origin, signer)))
    const note = value(await signHandover(origin, 5, first, second))
    const keys = `${one(first)}\n\n${note}`
    expect(keysOf(value(parseLogKeys(keys)))).toHaveLength(2)
    const text = note.slice(0, note.indexOf('\n\n') + 1)
    const trusted = note.trimEnd().split('\n').at(-1) ?? ''
    const own = async (signed: string) => `${value(await signNote(signed, origin, thief))}${trusted}\n`
    expect(parseLogKeys(`${one(thief)}\n\n${await own(text)}`)).toBeInstanceOf(Failure)
    expect(parseLogKeys(`${one(thief)}\n\n${await own(text.replace(one(first), one(thief)))}`)).toBeInstanceOf(Failure)
    // The first form of a handover did not say which key it came from.
    const older = `slotwright/log-key-handover/v1\n${origin}\n5\n${one(second)}\n`
    const [before, after] = [value(await signNote(older, origin, first)), value(await signNote(older, origin, second)).slice(older.length + 1)]
    expect(keysOf(value(parseLogKeys(`${one(first)}\n\n${before}${after}`)))).toHaveLength(2)
    expect(parseLogKeys(`${one(thief)}\n\n${value(await signNote(older, origin, thief))}${after}`)).toMatchObject({ kind: 'bad-note-key' })
  })
})

describe('a change cut short', () => {
  /** Files of the home before and after the change. */
  async function around(): Promise<{ before: string; after: string }> {
    const before = await signedHome()
    const after = newHome()
    cpSync(before, after, { recursive: true })
    const store = storeWithCheckpoint(after)
    value(await changeLogKey(store, { is: 'file' }))
    store.close()
    return { before, after }
  }

  test('before the handover is on disk: the old key goes on', async () => {
    const { before, after } = await around()
    cpSync(join(before, 'log-key.pub'), join(after, 'log-key.pub'))
    renameSync(join(after, 'log-key.pem'), join(after, 'log-key-next.pem'))
    cpSync(join(before, 'log-key.pem'), join(after, 'log-key.pem'))
    // The new key had not signed yet.
    for (const name of readdirSync(join(after, 'checkpoints')).slice(1)) rmSync(join(after, 'checkpoints', name))
    const store = storeIn(after, { session: 's3' })
    value(await store.checkpoint())
    expect(value(await store.verify())).toMatchObject({ holds: true, checkpointsHeld: 2 })
  })

  test('after it: the new key is put in place and signs', async () => {
    const { before, after } = await around()
    renameSync(join(after, 'log-key.pem'), join(after, 'log-key-next.pem'))
    cpSync(join(before, 'log-key.pem'), join(after, 'log-key.pem'))
    const store = storeIn(after, { session: 's3' })
    value(store.append(outcomeDraft('later')))
    value(await store.checkpoint())
    expect(existsSync(join(after, 'log-key-next.pem'))).toBe(false)
    expect(value(await store.verify())).toMatchObject({ holds: true, wrongs: [] })
  })
})

test('a key in a token signs through the way that the station has there; without one that is said', async () => {
  const home = await signedHome()
  const store = storeIn(home, { session: 's2', clock: handClock() })
  const token = ed25519Signer()
  const uri = 'pkcs11:token=Audit;object=log'
  value(await changeLogKeyInToken(store, uri, token))
  expect(readdirSync(home)).not.toContain('log-key.pem')
  expect(value(await store.verify())).toMatchObject({ holds: true, wrongs: [] })
  store.close()
  const again = storeIn(home, { session: 's3' })
  value(again.append(outcomeDraft('later')))
  expect(await again.checkpoint()).toMatchObject({ kind: 'log-key-in-token', facts: { uri } })
  again.reachTokens((at) => (at === uri ? token : new Failure('no-token', at)))
  value(await again.checkpoint())
  // And back to a file.
  value(await changeLogKey(again, { is: 'file' }))
  expect(value(await again.verify())).toMatchObject({ holds: true, wrongs: [] })
  expect(readdirSync(home)).not.toContain('log-key.uri')
})

async function changeLogKeyInToken(store: AuditStore, uri: string, signer: Signer) {
  store.reachTokens(() => signer)
  return await changeLogKey(store, { is: 'token', uri, publicKey: signer.publicKey, signer })
}

test('a token that answers with another key is found out before anything is signed with it', async () => {
  const home = await signedHome()
  const store = storeIn(home, { session: 's2' })
  value(await changeLogKeyInToken(store, 'pkcs11:token=Audit', ed25519Signer()))
  const other = ed25519Signer()
  store.reachTokens((_uri, publicKey) => ({ publicKey, sign: other.sign }))
  value(store.append(outcomeDraft('later')))
  expect(await store.checkpoint()).toMatchObject({ kind: 'signature-does-not-hold' })
})

test('the same key again, and a public half that does not read, are refused', async () => {
  const home = await signedHome()
  const store = storeIn(home, { session: 's2' })
  const token = ed25519Signer()
  value(await changeLogKeyInToken(store, 'pkcs11:token=Audit', token))
  expect(await changeLogKey(store, { is: 'token', uri: 'pkcs11:token=Audit', publicKey: token.publicKey, signer: token })).toMatchObject({ kind: 'same-log-key' })
  writeFileSync(join(home, 'log-key.pub'), 'rubbish\n')
  expect(await store.checkpoint()).toMatchObject({ kind: 'bad-log-key' })
})
