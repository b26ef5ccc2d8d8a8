// Entries: nothing unforeseen gets in, everything that is there can be read, also what a later version wrote.
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../main/base/bytes.ts'
import { Failure } from '../../main/base/failure.ts'
import { canonicalBytes } from '../../main/log/canonical.ts'
import { derivedTables, deriveRows } from '../../main/log/derived.ts'
import { entryBytesMax, makeEntry, parseEntry } from '../../main/log/entry.ts'
import type { Entry, EntryDraft, Envelope } from '../../main/log/entry.ts'
import { isKnownKind, kindNames } from '../../main/log/kinds.ts'
import { sayEntry } from '../../main/log/sentence.ts'

const where: Envelope = { seq: 7, time: '2026-03-01T08:00:00.000Z', mono: 12, session: 's1', station: 'line 1', person: 'Ada', role: 'operator' }
const signed: EntryDraft = {
  kind: 'image-signed',
  data: { key: 'ab'.repeat(32), algorithm: 'ed25519', inputSha256: 'cd'.repeat(32), outputSha256: 'ef'.repeat(32), imageHash: '12'.repeat(32), version: '1.2.3', file: 'app.bin', bytes: 100 },
}

function made(draft: EntryDraft): { entry: Entry; bytes: Uint8Array } {
  const answer = makeEntry(where, draft)
  if (answer instanceof Failure) throw new Error(answer.says)
  return answer
}

function bytesOf(value: unknown): Uint8Array {
  const bytes = canonicalBytes(value)
  if (bytes instanceof Failure) throw new Error(bytes.says)
  return bytes
}

test('the bytes of an entry are these and no others, whoever writes them', () => {
  const { bytes } = made({ kind: 'batch-ended', data: { batch: 'b1', reason: 'done', confirmed: 8, reverted: 0, unchanged: 0, failed: 0, stopped: 0 } })
  expect(new TextDecoder().decode(bytes)).toBe(
    '{"data":{"batch":"b1","confirmed":8,"failed":0,"reason":"done","reverted":0,"stopped":0,"unchanged":0},"kind":"batch-ended","mono":12,"person":"Ada","role":"operator","seq":7,"session":"s1","station":"line 1","time":"2026-03-01T08:00:00.000Z","v":1}',
  )
  expect(createHash('sha256').update(Uint8Array.of(0)).update(bytes).digest('hex')).toBe('7f38be9d7152b3f623b295c0e052f4f4f5f1ee0de420d2becaa3728aa1e5d814')
})

test('an entry is read back as it was made', () => {
  const { entry, bytes } = made(signed)
  expect(parseEntry(bytes)).toEqual(entry)
  expect(entry).toMatchObject({ ...where, v: 1, ...signed })
})

describe('what does not fit the schema is refused by name', () => {
  const with_ = (more: object) => ({ kind: 'image-signed', data: { ...signed.data, ...more } }) as EntryDraft
  test.each([
    ['an unknown field', with_({ passphrase: 'hunter2' }), 'passphrase'],
    ['a hash in upper case', with_({ imageHash: 'AB'.repeat(32) }), 'imageHash'],
    ['a hash too short', with_({ imageHash: 'ab' }), 'imageHash'],
    ['a text too long', with_({ file: 'x'.repeat(201) }), 'file'],
    ['a fraction', with_({ bytes: 1.5 }), 'bytes'],
    ['a missing field', with_({ version: undefined }), 'version'],
    ['image bytes', with_({ file: new Uint8Array(4) }), 'file'],
    ['half a character', with_({ file: '\ud800' }), 'character'],
    ['an unknown kind', { kind: 'nonsense', data: {} } as unknown as EntryDraft, 'nonsense'],
    ['a kind named like a thing every object has', { kind: 'toString', data: {} } as unknown as EntryDraft, 'toString'],
  ])('%s', (_name, draft, word) => {
    const answer = makeEntry(where, draft)
    expect(answer).toBeInstanceOf(Failure)
    expect((answer as Failure).says).toContain(word)
    expect((answer as Failure).says).not.toContain('hunter2')
  })

  test('an envelope with a wrong time', () => {
    expect(makeEntry({ ...where, time: 'yesterday' }, signed)).toMatchObject({ kind: 'entry-refused' })
  })
})

describe('reading', () => {
  test('kinds, roles and fields of later versions are kept', () => {
    const { entry } = made(signed)
    const later = { ...entry, kind: 'board-polished', role: 'robot', shift: 3, data: { grit: 400, deep: { er: [1, null, true] } } }
    expect(parseEntry(bytesOf(later))).toEqual(later)
    expect(sayEntry(later)).toContain('board-polished')
    expect(deriveRows(later)).toEqual([])
  })

  test('an entry of another version is refused as such', () => {
    expect(parseEntry(bytesOf({ ...made(signed).entry, v: 2 }))).toMatchObject({ kind: 'entry-newer' })
  })

  test.each(['v', 'seq', 'time', 'mono', 'session', 'station', 'person', 'role', 'kind', 'data'])('an entry without %s is none', (field) => {
    const entry: Record<string, unknown> = { ...made(signed).entry }
    delete entry[field]
    expect(parseEntry(bytesOf(entry))).toBeInstanceOf(Failure)
    entry[field] = []
    expect(parseEntry(bytesOf(entry))).toBeInstanceOf(Failure)
  })

  test('overlong bytes are refused unread', () => {
    expect(parseEntry(new Uint8Array(entryBytesMax + 1))).toMatchObject({ kind: 'entry-too-long' })
    expect(parseEntry(utf8('[]'))).toMatchObject({ kind: 'entry-malformed' })
  })

  test('a known kind with fields of a wrong type derives nulls instead of failing', () => {
    const { entry } = made(signed)
    const row = deriveRows({ ...entry, data: { version: 5, bytes: 'many', file: null } })[0]?.row
    expect(row).toMatchObject({ seq: 7, version: null, bytes: null, file: null, image_hash: null })
  })
})

test('every kind that a derived table reads is a kind that is written', () => {
  for (const { kinds } of derivedTables) for (const kind of kinds) expect(isKnownKind(kind)).toBe(true)
})

test('every kind has its own sentence, also when all its fields are missing', () => {
  for (const kind of kindNames) {
    const says = sayEntry({ ...made(signed).entry, kind, data: {} })
    expect(says, kind).toMatch(/^\S.*[.–]$/)
    expect(says, kind).not.toContain('does not know')
  }
})
