// Files from strangers, made to hurt: archives whose directory lies, tables and JSON with names that reach into every
// object, nesting without end. Each was tried as an attack first; what broke then is told beside its test.
import { constants, deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { zipSync } from 'fflate/browser'
import { describe, expect, test } from 'vitest'
import { Failure, attempt } from '../../main/base/failure.ts'
import { unzip } from '../../main/base/unzip.ts'
import { unpack } from '../../main/bundle/unpack.ts'
import { readPackage } from '../../main/cms/package.ts'
import { checkArguments } from '../../main/contract/arguments.ts'
import { openUpdateZip } from '../../main/image/update-zip.ts'
import { decodeBody } from '../../main/smp/message.ts'

const mib = 1024 * 1024
const kindOf = (value: unknown) => (value instanceof Failure ? value.kind : 'opened')

let made: Buffer | null = null

type Claim = Readonly<{ name: string; packed: Uint8Array; bytes: number; method?: number; flags?: number; at?: number }>

/** A zip with one file after the other, whose directory says whatever is claimed. */
function zipOf(...files: readonly Claim[]): Uint8Array {
  const [bodies, rows]: [Buffer[], Buffer[]] = [[], []]
  let at = 0
  for (const { name, packed, bytes, method = 8, flags = 0, at: claimedAt } of files) {
    const title = Buffer.from(name)
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    // The same words as in the directory: only the lies that a test wants are told.
    local.writeUInt16LE(flags, 6)
    local.writeUInt16LE(method, 8)
    local.writeUInt32LE(packed.length, 18)
    local.writeUInt32LE(bytes, 22)
    local.writeUInt16LE(title.length, 26)
    const row = Buffer.alloc(46)
    row.writeUInt32LE(0x02014b50, 0)
    row.writeUInt16LE(flags, 8)
    row.writeUInt16LE(method, 10)
    row.writeUInt32LE(packed.length, 20)
    row.writeUInt32LE(bytes, 24)
    row.writeUInt16LE(title.length, 28)
    row.writeUInt32LE(claimedAt ?? at, 42)
    bodies.push(local, title, Buffer.from(packed))
    rows.push(row, title)
    at += 30 + title.length + packed.length
  }
  const directory = Buffer.concat(rows)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(files.length, 8)
  end.writeUInt16LE(files.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(at, 16)
  return new Uint8Array(Buffer.concat([...bodies, directory, end]))
}

/** 4 GiB of zeros in 4 MB: one piece that ends on a byte, again and again. */
const zeros = new Uint8Array(Buffer.concat([...Array.from({ length: 256 }, () => piece()), deflateRawSync(Buffer.alloc(0))]))

function piece(): Buffer {
  return (made ??= deflateRawSync(Buffer.alloc(16 * mib), { level: 9, finishFlush: constants.Z_FULL_FLUSH }))
}

describe('an archive', () => {
  test('that unfolds to more than its directory says is left at the first piece, not unfolded to its end', () => {
    const bomb = zipOf({ name: 'app.bin', packed: zeros, bytes: 100 })
    const before = performance.now()
    expect(kindOf(openUpdateZip(bomb))).toBe('bad-archive')
    expect(kindOf(unpack(bomb))).toBe('bad-archive')
    // All of it took half a minute, each.
    expect(performance.now() - before).toBeLessThan(5_000)
  })

  test('of many small lies is left at the first one', () => {
    const small = new Uint8Array(deflateRawSync(Buffer.alloc(8 * mib), { level: 9 }))
    const before = performance.now()
    expect(kindOf(unpack(zipOf(...Array.from({ length: 5_000 }, (_, i) => ({ name: `f${i}`, packed: small, bytes: 10 })))))).toBe('bad-archive')
    expect(performance.now() - before).toBeLessThan(5_000)
  })

  test('whose files lie over each other, are shorter than stated, encrypted, packed otherwise or not there', () => {
    const packed = new Uint8Array(deflateRawSync(Buffer.from('hello')))
    const wrong: [string, Uint8Array][] = [
      ['over each other', zipOf({ name: 'a', packed: zeros, bytes: 1, at: 0 }, ...Array.from({ length: 3 }, (_, i) => ({ name: `b${i}`, packed, bytes: 5, at: 0 })))],
      ['shorter', zipOf({ name: 'a', packed, bytes: 6 })],
      ['longer', zipOf({ name: 'a', packed, bytes: 4 })],
      ['encrypted', zipOf({ name: 'a', packed, bytes: 5, flags: 1 })],
      ['packed otherwise', zipOf({ name: 'a', packed, bytes: 5, method: 14 })],
      ['stored with two lengths', zipOf({ name: 'a', packed, bytes: 5, method: 0 })],
      ['elsewhere', zipOf({ name: 'a', packed, bytes: 5, at: 7 })],
      ['beyond the end', zipOf({ name: 'a', packed, bytes: 5, at: 0xffff_fff0 })],
      ['no zip', new Uint8Array(100)],
      ['nothing', new Uint8Array(0)],
    ]
    for (const [what, zip] of wrong) expect(() => unzip(zip, () => true), what).toThrow(/./)
    expect(unzip(zipOf({ name: 'a', packed, bytes: 5 }), () => true).get('a')).toEqual(new Uint8Array(Buffer.from('hello')))
  })

  test('is read as fflate wrote it, whatever the names and lengths; and any damage is told, never thrown', () => {
    fc.assert(fc.property(fc.dictionary(fc.string({ minLength: 1, maxLength: 20 }).filter((name) => !/^\/|\\|(^|\/)\.\.?(\/|$)|^[A-Za-z]:|\/$/.test(name)), fc.uint8Array({ maxLength: 3000 }), { minKeys: 1, maxKeys: 6, noNullPrototype: true }), fc.nat(), fc.nat(255), (files, place, value) => {
      const zip = zipSync(files)
      const read = unpack(zip)
      expect(read instanceof Failure ? read.kind : Object.fromEntries(read)).toEqual(files)
      const hurt = zip.slice()
      hurt[place % hurt.length] = value
      unpack(hurt)
      openUpdateZip(hurt)
    }), { numRuns: 100 })
  })
})

describe('names that every object has', () => {
  const untouched = () => {
    expect(Object.keys(Object.prototype)).toEqual([])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  }
  const poison = () => JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}') as Record<string, unknown>

  test('in a recipe, a profile and any call are arguments that do not fit', () => {
    expect(checkArguments('startBatch', { file: 'f1', recipe: poison() }).fits).toBe(false)
    expect(checkArguments('saveRecipe', { id: null, body: { recipe: { name: 'x' }, ...poison() } }).fits).toBe(false)
    expect(checkArguments('saveProfile', { profile: poison() }).fits).toBe(false)
    expect(checkArguments('changeSettings', poison()).fits).toBe(false)
    untouched()
  })

  test('in a board\'s answer are keys like others', () => {
    // {"__proto__": {"polluted": true}, "rc": 0}
    const body = decodeBody(Uint8Array.from([0xa2, 0x69, ...Buffer.from('__proto__'), 0xa1, 0x68, ...Buffer.from('polluted'), 0xf5, 0x62, ...Buffer.from('rc'), 0x00]))
    expect(body instanceof Failure).toBe(false)
    expect((body as Record<string, unknown>)['polluted']).toBeUndefined()
    untouched()
  })

  test('in an archive are files like others', () => {
    const read = unpack(zipOf({ name: '__proto__', packed: new Uint8Array(deflateRawSync(Buffer.from('x'))), bytes: 1 }))
    expect(read instanceof Map && [...read.keys()]).toEqual(['__proto__'])
    untouched()
  })
})

describe('nesting without end', () => {
  test('in a call\'s arguments', () => {
    for (const deep of ['['.repeat(200_000) + ']'.repeat(200_000), `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`]) {
      const value: unknown = JSON.parse(deep)
      expect(checkArguments('startBatch', { file: 'f1', recipe: { name: 'x', tests: value } }).fits).toBe(false)
    }
  })

  test('in a board\'s answer', () => {
    for (const opening of [0x81, 0x9f, 0xa1, 0xbf]) expect(kindOf(decodeBody(new Uint8Array(60_000).fill(opening)))).toBe('bad-cbor')
  })

  test('in a firmware package, definite and open-ended', () => {
    let definite = Buffer.from([0x05, 0x00])
    for (let depth = 0; depth < 5_000; depth++) {
      const { length } = definite
      const header = length < 128 ? [0x30, length] : length < 256 ? [0x30, 0x81, length] : length < 65_536 ? [0x30, 0x82, length >> 8, length & 255] : [0x30, 0x83, length >> 16, (length >> 8) & 255, length & 255]
      definite = Buffer.concat([Buffer.from(header), definite])
    }
    const open = Buffer.concat([...Array.from({ length: 20_000 }, () => Buffer.from([0x30, 0x80])), Buffer.alloc(40_000)])
    for (const bytes of [definite, open]) {
      const before = performance.now()
      expect(kindOf(attempt(() => readPackage(new Uint8Array(bytes))))).not.toBe('opened')
      expect(performance.now() - before).toBeLessThan(10_000)
    }
  })
})
