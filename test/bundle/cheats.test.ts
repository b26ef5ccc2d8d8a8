// Bundles by somebody who knows how they are checked and has no key: the manifest made to fit, the signature over it taken
// away, and all that hangs on neither changed. What cannot be found out must at least be named as vouched for by nobody.
import { createHash, generateKeyPairSync } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { zipSync } from 'fflate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { utf8 } from '../../main/base/bytes.ts'
import { Failure } from '../../main/base/failure.ts'
import { checkBundle } from '../../main/bundle/check.ts'
import type { BundleVerdict } from '../../main/bundle/check.ts'
import { manifestText, names, parseManifest } from '../../main/bundle/layout.ts'
import type { Manifest } from '../../main/bundle/layout.ts'
import { unpack } from '../../main/bundle/unpack.ts'
import { reportBytes } from '../../main/bundle/views.ts'
import { toBase64 } from '../../main/log/checkpoint.ts'
import { sha256 } from '../../main/store/rows.ts'
import { release, value } from '../store/fixture.ts'
import { bundleOf, keyHash, madeHome, runDrafts, version } from './made.ts'
import type { Made } from './made.ts'

type Files = Map<string, Uint8Array>

let made: Made
let files: Files
const empty = new Uint8Array(0)
const check = async (of: Files, by = version): Promise<BundleVerdict> => value(await checkBundle(of, { version: by, sha256 }))
const broken = ({ findings }: BundleVerdict) => findings.filter(({ is }) => is === 'broken').map(({ says }) => says)
const notes = ({ findings }: BundleVerdict) => findings.filter(({ is }) => is === 'note').map(({ says }) => says)
const pem = () => String(generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }))
const fingerprint = (text: string) => createHash('sha256').update(Buffer.from(text.split('\n').slice(1, -2).join(''), 'base64')).digest('hex')
const [line, other] = [pem(), pem()]

function sign(unit: string, said: string): void {
  const bytes = Buffer.from(said)
  const file = `${unit}.receipt.cms`
  writeFileSync(join(made.home, 'receipts', file), bytes)
  value(made.store.append({ kind: 'receipt-made', data: { unit, outcome: 'confirmed', key: keyHash, file, fileSha256: createHash('sha256').update(bytes).digest('hex') } }))
}

async function whole(): Promise<Files> {
  value(await made.store.checkpoint())
  const to = value(made.store.head()).size
  const { files: all } = await bundleOf(made, { from: 0, to, what: 'The whole log', batch: null }, {
    signer: () => made.store.logSigner(), printPdf: () => Promise.resolve(utf8('%PDF')), keys: [line, other].map((one) => ({ name: `${fingerprint(one)}.pem`, pem: one })),
  })
  return all
}

beforeAll(async () => {
  made = await madeHome()
  for (const folder of ['receipts', 'certificates']) mkdirSync(join(made.home, folder))
  writeFileSync(join(made.home, 'certificates', 'line.pem'), 'a certificate')
  for (const unit of ['SN-b1-0', 'SN-b1-1']) sign(unit, `receipt of ${unit}`)
  files = await whole()
})
afterAll(release)

/** The manifest made to fit, with more of it changed; the log's signature over it gone, or kept. */
function refitted(changed: Files, more: Partial<Manifest> = {}, keepNote = false): Files {
  const manifest = value(parseManifest(changed.get(names.manifest) ?? empty))
  const listed = Object.fromEntries([...changed].filter(([name]) => name !== names.manifest && name !== names.manifestNote).map(([name, bytes]) => [name, { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }]))
  const all = new Map([...changed, [names.manifest, utf8(manifestText({ ...manifest, ...more, files: listed }))]])
  if (!keepNote) all.delete(names.manifestNote)
  return all
}
const put = (name: string, bytes: Uint8Array): Files => new Map([...files, [name, bytes]])

test('a bundle that the station signed holds, and nothing in it is vouched for by nobody', async () => {
  const verdict = await check(files)
  expect(verdict, broken(verdict).join()).toMatchObject({ holds: true, unchecked: [], says: 'The bundle holds.' })
  expect(verdict.findings.filter(({ is }) => is === 'holds').map(({ about }) => about)).toEqual(expect.arrayContaining(['signature', 'receipts', 'views']))
})

test('receipts of two units swapped, one put in that no entry tells of, one left out', async () => {
  const [a, b] = ['SN-b1-0', 'SN-b1-1'].map((unit) => `receipts/${unit}.receipt.cms`) as [string, string]
  const swapped = refitted(new Map([...files, [a, files.get(b) ?? empty], [b, files.get(a) ?? empty]]))
  expect(broken(await check(swapped))).toHaveLength(2)
  expect(broken(await check(refitted(put('receipts/SN-b1-9.receipt.cms', files.get(a) ?? empty))))).toEqual([expect.stringContaining('SN-b1-9')])
  const without = new Map(files)
  without.delete(a)
  expect(notes(await check(refitted(without))).join()).toContain('1 receipt that the entries tell of is not')
})

test('a receipt that was signed again after the range lies in an honest bundle as it is now', async () => {
  const rows = made.store.database.sql.prepare("SELECT seq FROM entries WHERE kind = 'receipt-made' ORDER BY seq").pluck().all() as number[]
  sign('SN-b1-0', 'signed once more')
  value(await made.store.checkpoint())
  const [from = 0] = rows
  const { files: some } = await bundleOf(made, { from, to: from + 2, what: `Entries ${from} to ${from + 1}`, batch: null })
  const verdict = await check(some)
  expect(verdict, broken(verdict).join()).toMatchObject({ holds: true })
  expect(Buffer.from(some.get('receipts/SN-b1-0.receipt.cms') ?? empty).toString()).toBe('signed once more')
})

test('a firmware key under another\'s name', async () => {
  expect(broken(await check(refitted(put(`keys/${fingerprint(line)}.pem`, utf8(other)))))).toEqual([expect.stringContaining('not the key its name says')])
  expect(broken(await check(refitted(put(`keys/${fingerprint(line)}.pem`, utf8('no key'))))) ).toHaveLength(1)
})

test.each([[names.pdf], ['certificates/line.pem']])('%s changed: the log\'s signature is over another bundle, and without it the verdict names what nobody vouches for', async (name) => {
  expect(broken(await check(refitted(put(name, utf8('forged')), {}, true)))).toEqual([expect.stringContaining('another bundle')])
  const unsigned = await check(refitted(put(name, utf8('forged'))))
  expect(unsigned).toMatchObject({ holds: true, unchecked: [names.pdf, 'certificates/'], says: 'The bundle holds, but nothing vouches for report.pdf, certificates/.' })
})

test('any bit of any file, the manifest made to fit: what is wrong is said, or that nothing vouches for the file', async () => {
  const changeable = [...files].flatMap(([name, bytes]) => (bytes.length === 0 || name === names.manifest || name === names.manifestNote ? [] : [name]))
  await fc.assert(fc.asyncProperty(fc.constantFrom(...changeable), fc.nat(), fc.integer({ min: 0, max: 7 }), async (name, at, bit) => {
    const bytes = Uint8Array.from(files.get(name) ?? empty)
    bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ (1 << bit)
    const verdict = await checkBundle(refitted(put(name, bytes)), { version, sha256 })
    if (verdict instanceof Failure || !verdict.holds) return
    expect(verdict.unchecked.some((one) => name === one || (one.endsWith('/') && name.startsWith(one))), name).toBe(true)
  }), { numRuns: 60 })
})

test('another log\'s signature over the manifest, and one in the log\'s name that is none', async () => {
  const stranger = await madeHome()
  const theirs = (await bundleOf(stranger, {}, { signer: () => stranger.store.logSigner() })).files.get(names.manifestNote) ?? empty
  expect((await check(put(names.manifestNote, theirs))).holds).toBe(false)
  expect((await check(put(names.manifestNote, utf8('signed, the station\n')))).holds).toBe(false)
})

test('a report edited under the name of another version is not taken for one that was compared', async () => {
  const edited = refitted(put(names.report, utf8('<h1>100 % yield</h1>')), { madeBy: '0.0.1' })
  const verdict = await check(edited)
  expect(verdict.unchecked).toEqual(expect.arrayContaining([names.report, names.csv, 'openhtf/', names.readme]))
  expect(verdict.says).toContain('nothing vouches for')
  expect(verdict.says).toContain(names.report)
  // The same pages, whoever made them, are compared all the same.
  expect((await check(files, '1.2.3')).findings.some(({ is, says }) => is === 'holds' && says.includes('exactly what the entries say'))).toBe(true)
})

test('a title of somebody\'s own, with the report made to fit', async () => {
  const { read } = await check(files)
  const what = 'Every unit confirmed'
  const forged = (more: Partial<Manifest>) => {
    const about = { ...(read?.manifest ?? value(parseManifest(empty))), ...more }
    return refitted(put(names.report, reportBytes(about, read?.facts ?? { note: '', checkpoint: { size: 0, root: empty }, key: value(made.store.logSigner()) as never, redacted: 0 }, read?.story ?? (null as never))), more)
  }
  expect(broken(await check(forged({ what }))).join()).toContain('The title, "Every unit confirmed"')
  expect(broken(await check(forged({ what, batch: 'b1' }))).join()).toContain('it would be "Batch b1"')
})

test('a batch whose end was left out, and a whole log that is not', async () => {
  const rows = made.store.database.sql.prepare("SELECT min(seq) AS low, max(seq) AS high FROM entries WHERE batch = 'b1' AND kind <> 'receipt-made'").get() as { low: number; high: number }
  const { files: cut } = await bundleOf(made, { from: rows.low, to: rows.high - 20 })
  expect(notes(await check(cut)).join()).toContain('do not have the end of the batch b1')
  const { files: short } = await bundleOf(made, { from: 0, to: 30, what: 'The whole log', batch: null })
  expect(notes(await check(short)).join()).toMatch(/The log had \d+ entries when its checkpoint was signed; \d+ of them are not in here/)
})

test('a read-me of somebody\'s own, and a page that no bundle has', async () => {
  expect(broken(await check(refitted(put(names.readme, utf8('Open verify.html here.')))))).toEqual([expect.stringContaining(names.readme)])
  for (const name of ['verify.html', 'Report.html', 'openhtf/../x', 'checkpoints/note.txt']) {
    expect((await check(refitted(put(name, utf8('x'))))).holds, name).toBe(false)
  }
})

test.each([names.manifest, names.proofs])('%s with a member twice is read by nobody', async (name) => {
  const text = new TextDecoder().decode(files.get(name))
  const first = /^\{\n ("[a-z]+": )/.exec(text)?.[1] ?? ''
  expect(first).not.toBe('')
  expect(await checkBundle(put(name, utf8(text.replace('{\n', `{\n ${first}1,\n`))), { version, sha256 })).toMatchObject({ kind: 'bad-bundle' })
})

test('a line in the name of a witness is called what it is', async () => {
  const { checkpoint } = value(parseManifest(files.get(names.manifest) ?? empty))
  const line = utf8(`— audit.example.com/ada ${toBase64(new Uint8Array(76).fill(7))}\n`)
  const verdict = await check(refitted(put(checkpoint, Buffer.concat([files.get(checkpoint) ?? empty, line]))))
  expect(notes(verdict).join()).toContain('lines in the name of audit.example.com/ada that nobody checked')
})

test('a unit that looks like another is told by its letters', async () => {
  const { home, store, clock } = await madeHome()
  for (const draft of runDrafts('b1', 'SN-\u0411-\u041e', 'confirmed', 2)) value(store.append(draft))
  for (const draft of runDrafts('b1', 'SN-\u0411-O', 'failed', 3)) value(store.append(draft))
  value(await store.checkpoint())
  const to = value(store.head()).size
  const { files: some } = await bundleOf({ home, store, clock }, { from: 0, to, what: 'The whole log', batch: null })
  expect(notes(await check(some)).join()).toContain('look alike and are different names: "SN-[U+0411]-[U+041E]", "SN-[U+0411]-O"')
})

describe('an archive in which two programs see different files', () => {
  const zip = () => zipSync(Object.fromEntries(files), { level: 0 })
  const named = (bytes: Uint8Array, from: string, to: string, which: 'first' | 'last') => {
    const text = Buffer.from(bytes)
    // Names also stand in the read-me, which is stored as it is.
    let at = which === 'first' ? text.indexOf(from) : text.lastIndexOf(from)
    while (which === 'first' && text.readUInt32LE(at - 30) !== 0x04034b50) at = text.indexOf(from, at + 1)
    text.write(to, at)
    return new Uint8Array(text)
  }
  const local = (name: string) => zipSync({ [name]: utf8('forged') }, { level: 0 }).subarray(0, 30 + name.length + 6)

  test('as it was made it is taken', () => {
    expect([...value(unpack(zip())).keys()].sort()).toEqual([...files.keys()].sort())
  })

  test.each<[string, () => Uint8Array]>([
    ['one name twice', () => named(named(zip(), 'entries.csv', 'report.html', 'first'), 'entries.csv', 'report.html', 'last')],
    ['a name in front of the bytes that the directory does not have', () => named(zip(), 'report.html', 'r3port.html', 'first')],
    ['a file before all others', () => new Uint8Array(Buffer.concat([local('report.html'), zip()]))],
    ['something behind the end', () => new Uint8Array(Buffer.concat([zip(), Buffer.from('PK')]))],
  ])('%s', (_name, forge) => {
    expect((unpack(forge()) as Failure).kind).toBe('bad-archive')
  })

  test('a file between the others that no directory names', () => {
    const [bytes, hidden] = [Buffer.from(zip()), Buffer.from(local('report.html'))]
    const end = bytes.length - 22
    const directory = bytes.readUInt32LE(end + 16)
    const grown = Buffer.concat([bytes.subarray(0, directory), hidden, bytes.subarray(directory)])
    grown.writeUInt32LE(directory + hidden.length, grown.length - 6)
    expect((unpack(new Uint8Array(grown)) as Failure).kind).toBe('bad-archive')
  })
})
