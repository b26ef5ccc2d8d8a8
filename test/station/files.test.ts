// Files as people choose them: each wrong one has its own sentence, none is read beyond its limit, and what was opened
// stays what it was whatever happens on disk.
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Failure } from '../../main/base/failure.ts'
import { OpenFiles } from '../../main/station/files.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slotwright-files-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const kindOf = (value: unknown) => (value instanceof Failure ? value.kind : 'opened')
const at = (name: string) => join(folder, name)

test('an opened file keeps its bytes when the file on disk changes', async () => {
  writeFileSync(at('a.bin'), 'before')
  const files = new OpenFiles()
  const opened = await files.open(at('a.bin'), 'firmware')
  writeFileSync(at('a.bin'), 'after it')
  if (opened instanceof Failure) throw new Error(opened.says)
  expect(files.get(opened.id)).toMatchObject({ name: 'a.bin', sha256: opened.sha256 })
  expect(new TextDecoder().decode(opened.bytes)).toBe('before')
})

test('a missing file, a folder, an empty file and a pipe are each told apart', async () => {
  const files = new OpenFiles()
  writeFileSync(at('empty.bin'), '')
  execFileSync('mkfifo', [at('pipe')])
  expect(kindOf(await files.open(at('nowhere.bin'), 'image'))).toBe('no-such-file')
  expect(kindOf(await files.open(join(at('empty.bin'), 'x'), 'image'))).toBe('no-such-file')
  expect(kindOf(await files.open(folder, 'image'))).toBe('is-folder')
  expect(kindOf(await files.open(at('empty.bin'), 'image'))).toBe('empty-file')
  expect(kindOf(await files.open(at('pipe'), 'image'))).toBe('not-a-file')
  expect(kindOf(await files.open('/dev/zero', 'image'))).toBe('not-a-file')
})

test('a 100 MB file is refused by its size, without being read', async () => {
  closeSync(openSync(at('large.bin'), 'w'))
  truncateSync(at('large.bin'), 100_000_000)
  const before = process.memoryUsage().arrayBuffers
  const refused = await new OpenFiles().open(at('large.bin'), 'firmware')
  expect(refused).toMatchObject({ kind: 'file-too-large', says: expect.stringContaining('95.4 MiB') as string })
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000)
  expect(kindOf(await new OpenFiles().open(at('large.bin'), 'key'))).toBe('file-too-large')
})

test('the file opened longest ago goes first when too many are open', async () => {
  const files = new OpenFiles()
  writeFileSync(at('b.bin'), 'b')
  const first = files.adopt('first', new Uint8Array(1))
  for (let i = 0; i < 64; i++) files.adopt(`f${i}`, new Uint8Array(1))
  expect(kindOf(files.get(first.id))).toBe('file-not-open')
  expect(kindOf(files.get('f65'))).toBe('opened')
})
