// The audit bundle: what is written holds, and whatever is changed in it afterwards is found.
import fc from 'fast-check'
import { decodeQR } from 'qr/decode.js'
import encodeQR from 'qr'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { utf8 } from '../../main/base/bytes.ts'
import { Failure } from '../../main/base/failure.ts'
import type { Signer } from '../../main/base/signer.ts'
import { checkBundle } from '../../main/bundle/check.ts'
import type { BundleVerdict } from '../../main/bundle/check.ts'
import { manifestText, names, parseManifest, rangeTitle } from '../../main/bundle/layout.ts'
import { checkMerged, isMerged, mergeBundles, mergedName } from '../../main/bundle/merge.ts'
import { mergedNoteName, signMerged } from '../../main/bundle/merged-note.ts'
import { unpack } from '../../main/bundle/unpack.ts'
import { noteKey, parseNoteKey } from '../../main/log/checkpoint.ts'
import type { NoteKey } from '../../main/log/checkpoint.ts'
import { exportBundle } from '../../main/store/export.ts'
import { sha256 } from '../../main/store/rows.ts'
import { readLogPublicKey } from '../../main/store/checkpoints.ts'
import { logOrigin, openLogKey } from '../../main/store/logkey.ts'
import { newHome, outcomeDraft, release, storeIn, value } from '../store/fixture.ts'
import { bundleOf, imageHash, keyHash, madeHome, version } from './made.ts'
import type { Made } from './made.ts'

let made: Made
let files: Map<string, Uint8Array>
const text = (name: string) => new TextDecoder().decode(files.get(name))
const check = async (of = files): Promise<BundleVerdict> => value(await checkBundle(of, { version, sha256 }))

beforeAll(async () => {
  made = await madeHome()
  ;({ files } = await bundleOf(made))
})
afterAll(release)

/** The manifest made to fit again, as somebody would who edits a bundle. */
function refitted(changed: Map<string, Uint8Array>): Map<string, Uint8Array> {
  const manifest = value(parseManifest(changed.get(names.manifest) ?? new Uint8Array(0)))
  const listed = Object.fromEntries([...changed].filter(([name]) => name !== names.manifest).map(([name, bytes]) => [name, { bytes: bytes.length, sha256: Buffer.from(sha256(bytes)).toString('hex') }]))
  return new Map([...changed, [names.manifest, utf8(manifestText({ ...manifest, files: listed }))]])
}

describe('what is written', () => {
  test('holds, with the log’s own key and with its copy, and says which was used', async () => {
    const own = await check()
    expect(own).toMatchObject({ holds: true, firstWrong: null, redacted: [] })
    expect(own.findings.find(({ about }) => about === 'key')).toMatchObject({ is: 'note' })
    const key = value(readLogPublicKey(made.home))
    const trusted = key === null ? [] : [key]
    const verdict = value(await checkBundle(files, { version, trusted, sha256 }))
    expect(verdict.findings.every(({ is }) => is === 'holds'), JSON.stringify(verdict.findings)).toBe(true)
    // Without the runtime's own SHA-256, as in a browser.
    expect(value(await checkBundle(files, { version })).holds).toBe(true)
  })

  test('is a zip other programs open, with entries whose lines give the leaves', () => {
    const listing = execFileSync('python3', ['-c', 'import sys, zipfile, hashlib, json\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\nlines = z.read("entries.jsonl").splitlines()\nprint(len(z.namelist()), len(lines), hashlib.sha256(b"\\0" + lines[0]).hexdigest(), json.loads(lines[0])["kind"])', join(made.home, 'bundle.zip')], { encoding: 'utf8' })
    const [count, lines, leaf, kind] = listing.trim().split(' ')
    expect(Number(count)).toBe(files.size)
    expect(kind).toBe('batch-started')
    const { from, to } = value(parseManifest(files.get(names.manifest) ?? new Uint8Array(0)))
    expect(Number(lines)).toBe(to - from)
    expect(leaf).toBe(value(made.store.get(from))?.leaf)
  })

  test('brings the signature and the key along, each proven by itself', () => {
    const kinds = text(names.related).trim().split('\n').map((line) => (JSON.parse(line) as { kind: string }).kind)
    expect(kinds).toEqual(['key-created', 'image-signed'])
    expect(text(names.related)).toContain(keyHash)
  })

  test('has an OpenHTF record for each unit, with the board’s own words and no outcome better than it was', () => {
    const units = [...files.keys()].filter((name) => name.startsWith('openhtf/'))
    expect(units).toHaveLength(12)
    const [reverted] = JSON.parse(text('openhtf/SN-b1-3.json')) as [{ dut_id: string; outcome: string; phases: { name: string; outcome: string; measurements: { active_hash?: { measured_value: string } } }[]; start_time_millis: number; end_time_millis: number }]
    expect(reverted).toMatchObject({ dut_id: 'SN-b1-3', outcome: 'FAIL', station_id: 'line 1', metadata: { test_name: 'Line A', batch: 'b1', slotwright_outcome: 'reverted', image_hash: imageHash } })
    expect(reverted.phases.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual(['upload PASS', 'mark PASS', 'reset PASS', 'return PASS', 'proof echo FAIL'])
    expect(reverted.end_time_millis - reverted.start_time_millis).toBe(9_000)
    expect((JSON.parse(text('openhtf/SN-b1-5.json')) as [{ outcome: string; outcome_details: object[] }])[0]).toMatchObject({ outcome: 'ERROR', outcome_details: [{ code: 'unplugged' }] })
  })

  test('has a table that no spreadsheet takes for formulas, one line for each entry', () => {
    const lines = text(names.csv).split('\r\n')
    const { from, to } = value(parseManifest(files.get(names.manifest) ?? new Uint8Array(0)))
    expect(lines).toHaveLength(to - from + 2)
    expect(files.get(names.csv)?.subarray(0, 3)).toEqual(Uint8Array.of(0xef, 0xbb, 0xbf))
    expect(lines.join('\n')).not.toMatch(/(^|,)"?[=@]/m)
  })

  test('has a report without script or network, in which no board’s text is markup', () => {
    const page = text(names.report)
    expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org\/2000\/svg)|<b>&"quoted"|javascript:|src=/)
    expect(page).toContain('&#60;b&#62;')
    expect(page).toContain('83.3 %')
    for (const unit of ['SN-b1-0', 'SN-b1-11']) expect(page).toContain(unit)
  })

  test('carries the whole signed checkpoint in a code that reads back from the page', () => {
    const note = text(value(parseManifest(files.get(names.manifest) ?? new Uint8Array(0))).checkpoint)
    const drawn = encodeQR(note, 'svg', { ecc: 'medium', border: 2 })
    expect(text(names.report)).toContain(drawn)
    const rows = encodeQR(note, 'raw', { ecc: 'medium', border: 2 })
    const scale = 4
    const side = rows.length * scale
    const data = new Uint8Array(side * side * 4).fill(255)
    for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) if (rows[Math.floor(y / scale)]?.[Math.floor(x / scale)] === true) data.fill(0, (y * side + x) * 4, (y * side + x) * 4 + 3)
    expect(decodeQR({ width: side, height: side, data })).toBe(note)
  })

  test('leaves nothing behind when it cannot be written or the log does not bear it out', async () => {
    const made = await madeHome()
    const order = { file: join(made.home, 'other.zip'), from: 0, to: 10, what: 'x', batch: null }
    const world = { version, wallMs: 0 }
    expect(await exportBundle(made.store, { ...order, file: join(made.home, 'no', 'such', 'folder.zip') }, world)).toBeInstanceOf(Failure)
    expect(await exportBundle(made.store, { ...order, to: 5_000 }, world)).toMatchObject({ kind: 'no-checkpoint' })
    expect(await exportBundle(made.store, { ...order, to: 0 }, world)).toMatchObject({ kind: 'no-such-entry' })
    made.store.database.sql.exec("DROP TRIGGER entries_stay; UPDATE entries SET bytes = CAST(replace(CAST(bytes AS TEXT), 'Ada', 'Eve') AS BLOB) WHERE seq = 4")
    expect(await exportBundle(made.store, order, world)).toMatchObject({ kind: 'bundle-does-not-hold' })
    expect(await exportBundle(made.store, order, { ...world, signal: AbortSignal.abort() })).toMatchObject({ kind: 'stopped' })
    expect(existsSync(order.file)).toBe(false)
    expect(readdirSync(made.home).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  test('any range of a log with many checkpoints holds', async () => {
    const size = value(made.store.head()).size
    await fc.assert(fc.asyncProperty(fc.nat(size - 1), fc.nat(), async (from, more) => {
      const to = from + 1 + (more % (size - from))
      const { files: some } = await bundleOf(made, { from, to, what: rangeTitle(from, to), batch: null })
      expect((await check(some)).holds).toBe(true)
    }), { numRuns: 12 })
  })

  test('redacted text is redacted in every file of it, and the verdict says redacted, not broken', async () => {
    const made = await madeHome()
    const seq = value(parseManifest(files.get(names.manifest) ?? new Uint8Array(0))).to - 2
    const entry = value(made.store.get(seq))?.entry as { person: string }
    expect(entry.person).toBe('Ada')
    const from = seq - 5
    value(made.store.redact([seq], ['person', 'says'], 'Asked for.'))
    const early = await exportBundle(made.store, { file: join(made.home, 'x.zip'), from, to: seq + 1, what: 'x', batch: null }, { version, wallMs: 0 })
    expect(early).toMatchObject({ kind: 'no-checkpoint' })
    value(await made.store.checkpoint())
    const { files: struck, exported } = await bundleOf(made, { from, to: seq + 1 })
    expect(exported).toMatchObject({ redacted: 1 })
    const verdict = await check(struck)
    expect(verdict).toMatchObject({ holds: true, redacted: [seq] })
    expect(verdict.says).toContain('redacted')
    expect(new TextDecoder().decode(struck.get(names.csv))).toContain('[redacted]')
  })
})

describe('what is changed afterwards', () => {
  const changed = (name: string, change: (bytes: Uint8Array) => Uint8Array) => refitted(new Map([...files, [name, change(files.get(name) ?? new Uint8Array(0))]]))
  const lines = (change: (lines: string[]) => string[]) => (bytes: Uint8Array) => utf8(`${change(new TextDecoder().decode(bytes).trimEnd().split('\n')).join('\n')}\n`)

  test.each([
    ['an entry dropped', lines((all) => all.toSpliced(20, 1))],
    ['an entry doubled', lines((all) => all.toSpliced(20, 0, all[20] ?? ''))],
    ['two entries swapped', lines((all) => all.with(20, all[21] ?? '').with(21, all[20] ?? ''))],
    ['the last entry cut off', lines((all) => all.slice(0, -1))],
    ['the first entry cut off', lines((all) => all.slice(1))],
    ['an outcome turned good', lines((all) => all.map((line) => line.replace('"outcome":"reverted"', '"outcome":"confirmed"')))],
    ['everything emptied', () => new Uint8Array(0)],
  ])('entries: %s', async (_name, change) => {
    const verdict = await check(changed(names.entries, change))
    expect(verdict.holds).toBe(false)
    expect(verdict.findings.some(({ is, about }) => is === 'broken' && about === 'entries')).toBe(true)
  })

  test('any byte of the entries or of the related ones, even with a manifest made to fit', async () => {
    await fc.assert(fc.asyncProperty(fc.constantFrom(names.entries, names.related), fc.nat(), fc.integer({ min: 0, max: 7 }), async (name, at, bit) => {
      const verdict = await check(changed(name, (bytes) => bytes.with(at % bytes.length, (bytes[at % bytes.length] ?? 0) ^ (1 << bit))))
      expect(verdict.holds).toBe(false)
    }), { numRuns: 60 })
  })

  test('any letter of the report, the table or a test record', async () => {
    for (const name of [names.report, names.csv, 'openhtf/SN-b1-3.json']) {
      const verdict = await check(changed(name, (bytes) => bytes.with(bytes.length >> 1, (bytes[bytes.length >> 1] ?? 0) ^ 1)))
      expect(verdict.findings.filter(({ is }) => is === 'broken').map(({ says }) => says).join()).toContain(name)
    }
  })

  test('a checkpoint, a proof, a key; a file added or taken away', async () => {
    const checkpoints = [...files.keys()].filter((name) => name.startsWith('checkpoints/'))
    expect(checkpoints).toHaveLength(2)
    for (const name of checkpoints) expect((await check(changed(name, (bytes) => bytes.with(40, (bytes[40] ?? 0) ^ 1)))).holds, name).toBe(false)
    expect((await check(changed(names.proofs, lines((all) => all.map((line) => line.replace(/"[A-Za-z0-9+/]{43}="/, `"${'A'.repeat(43)}="`)))))).holds).toBe(false)
    expect((await check(changed(names.logKey, () => utf8('rubbish')))).holds).toBe(false)
    expect((await check(new Map([...files, ['extra.txt', utf8('x')]]))).holds).toBe(false)
    for (const name of [names.csv, names.report, names.entries, 'openhtf/SN-b1-0.json']) {
      const without = new Map(files)
      without.delete(name)
      expect((await check(without)).holds, name).toBe(false)
    }
  })

  test('all of it made anew by somebody with another key: the key the auditor brought shows it', async () => {
    const other = await madeHome()
    const forged = (await bundleOf(other)).files
    expect((await check(forged)).holds).toBe(true)
    const trusted = [value(parseNoteKey(text(names.logKey)))]
    expect(value(await checkBundle(forged, { version, trusted, sha256 })).holds).toBe(false)
  })

  test('hostile archives and manifests are refused in words', async () => {
    expect(unpack(utf8('PK nothing'))).toMatchObject({ kind: 'bad-archive' })
    expect(await checkBundle(new Map(), { version })).toMatchObject({ kind: 'bad-bundle' })
    for (const json of ['{}', '[]', 'null', '{"format":"slotwright-audit-bundle","version":1}', '\u0000']) {
      expect(await checkBundle(new Map([...files, [names.manifest, utf8(json)]]), { version })).toMatchObject({ kind: 'bad-bundle' })
      expect(await checkBundle(new Map([...files, [names.proofs, utf8(json)]]), { version })).toMatchObject({ kind: 'bad-bundle' })
    }
    const newer = text(names.manifest).replace('"version": 1', '"version": 2')
    expect(await checkBundle(new Map([...files, [names.manifest, utf8(newer)]]), { version })).toMatchObject({ kind: 'bundle-newer' })
  })

  test('a verifier of another version compares no wording, and says so', async () => {
    const verdict = value(await checkBundle(changed(names.report, (bytes) => bytes.slice(1)), { version: '1.2.3', sha256 }))
    expect(verdict.holds).toBe(true)
    expect(verdict.findings.find(({ about }) => about === 'views')).toMatchObject({ is: 'note' })
  })
})

/** The log key of a home, made there. */
function keyIn(home: string): { signer: Signer; key: NoteKey } {
  const signer = value(openLogKey(home))
  return { signer, key: value(noteKey(logOrigin(signer), signer.publicKey)) }
}

describe('a report over several stations', () => {
  test('signed by who put it together: by a station in it, by one whose key is given, by somebody unknown; and not by a note over another', async () => {
    await bundleOf(made)
    const { files: unsigned } = value(await mergeBundles([new Uint8Array(readFileSync(join(made.home, 'bundle.zip')))], { what: 'One hall', madeAt: '2026-03-02T00:00:00.000Z', madeBy: version }, { version, sha256 }))
    const list = unsigned.get(mergedName) ?? new Uint8Array(0)
    const own = keyIn(made.home)
    const office = keyIn(newHome())
    const signedBy = async ({ signer, key }: typeof own, over = list) => new Map([...unsigned, [mergedNoteName, utf8(value(await signMerged(over, key.name, signer)))]])
    const said = async (files: ReadonlyMap<string, Uint8Array>, trusted: readonly NoteKey[] = []) => {
      const { holds, findings } = value(await checkMerged(files, { version, sha256, trusted }))
      return { holds, signature: findings.filter(({ about }) => about === 'signature').map(({ is, says }) => `${is}: ${says}`).join() }
    }
    expect(await said(unsigned)).toEqual({ holds: true, signature: '' })
    expect(await said(await signedBy(own))).toMatchObject({ holds: true, signature: expect.stringMatching(new RegExp(`^holds: .*${own.key.name}`)) as string })
    expect(await said(await signedBy(office), [own.key, office.key])).toMatchObject({ holds: true, signature: expect.stringMatching(/^holds/) as string })
    expect(await said(await signedBy(office))).toMatchObject({ holds: true, signature: expect.stringMatching(new RegExp(`^note: .*${office.key.name}`)) as string })
    expect(await said(await signedBy(own, utf8('{}')))).toMatchObject({ holds: false, signature: expect.stringContaining('another report') as string })
    // Whoever takes the station's name, and not its key.
    expect((await said(await signedBy({ signer: office.signer, key: own.key }))).signature).toMatch(/^(note|broken)/)
    const [name, bytes] = [mergedNoteName, (await signedBy(own)).get(mergedNoteName) ?? new Uint8Array(0)]
    expect(await said(new Map([...unsigned, [name, bytes.with(bytes.length - 20, (bytes.at(-20) ?? 0) ^ 1)]]))).toMatchObject({ holds: false })
  })

  test('holds with every bundle in it; an edited report, a swapped bundle or a missing one does not', async () => {
    const other = await madeHome()
    const bundles = await Promise.all([made, other].map(async (one) => {
      await bundleOf(one)
      return new Uint8Array(readFileSync(join(one.home, 'bundle.zip')))
    }))
    const about = { what: 'Two halls', madeAt: '2026-03-02T00:00:00.000Z', madeBy: version }
    const merged = value(await mergeBundles(bundles, about, { version, sha256 }))
    expect(merged).toMatchObject({ stations: 2, runs: 12 })
    expect(isMerged(merged.files)).toBe(true)
    expect(value(await checkMerged(merged.files, { version, sha256 }))).toMatchObject({ holds: true })
    const page = new TextDecoder().decode(merged.files.get(names.report))
    expect(page.match(/How this can be checked/g)).toHaveLength(2)
    for (const [name, bytes] of merged.files) {
      const edited = new Map([...merged.files, [name, bytes.with(bytes.length >> 1, (bytes[bytes.length >> 1] ?? 0) ^ 1)]])
      expect(await checkMerged(edited, { version, sha256 }), name).toMatchObject({ holds: false })
      const without = new Map(merged.files)
      without.delete(name)
      expect(await checkMerged(without, { version, sha256 }), name).toMatchObject({ holds: false })
    }
    // The list counts also where a later version made the report, whose wording nobody compares.
    const cut = new Map([...merged.files, [mergedName, utf8(new TextDecoder().decode(merged.files.get(mergedName)).replace(`"madeBy": "${version}"`, '"madeBy": "99.0.0"'))]])
    expect(value(await checkMerged(cut, { version, sha256 })).says).toContain('nothing vouches for report.html')
    cut.delete('stations/02.zip')
    expect(value(await checkMerged(cut, { version, sha256 })).findings.filter(({ is }) => is === 'broken').map(({ says }) => says)).toEqual(['stations/02.zip, which merged.json lists, is missing.'])
    // The keys an auditor brings are held against the bundles of their logs: one that somebody made himself has none.
    const keys = [made, other].map((one) => value(readLogPublicKey(one.home))).filter((key) => key !== null)
    const [first] = keys
    const stranger = keyIn(newHome()).key
    expect(keys).toHaveLength(2)
    expect(value(await checkMerged(merged.files, { version, sha256, trusted: keys })).findings.every(({ is }) => is === 'holds')).toBe(true)
    if (first === undefined) throw new Error('both logs have keys')
    expect(value(await checkMerged(merged.files, { version, sha256, trusted: [first] })), 'one of two keys').toMatchObject({ holds: false })
    expect(value(await checkMerged(merged.files, { version, sha256, trusted: [stranger] })), 'a stranger').toMatchObject({ holds: false })
    expect(value(await checkMerged(merged.files, { version, sha256, trusted: [...keys, stranger] })).findings.find(({ is }) => is === 'note')?.says).toContain(`nothing of the log ${stranger.name}`)
    expect(await mergeBundles([bundles[0] ?? new Uint8Array(0), bundles[0] ?? new Uint8Array(0)], about, { version })).toMatchObject({ kind: 'same-log-twice' })
  })
})

test('a log without any checkpoint has nothing to prove with', async () => {
  const home = newHome()
  const store = storeIn(home)
  value(store.append(outcomeDraft('u')))
  expect(await exportBundle(store, { file: join(home, 'x.zip'), from: 0, to: 1, what: 'x', batch: null }, { version, wallMs: 0 })).toMatchObject({ kind: 'no-checkpoint' })
  expect(readFileSync(join(home, 'slotwright.db')).length).toBeGreaterThan(0)
})
