// Files named on the command line: each way of naming the wrong one is its own sentence, and nothing is read or written
// beyond what was asked.
import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Failure } from '../../main/base/failure.ts'
import { readInput, writeOutput } from '../../main/cli/files.ts'
import { folder } from './command.ts'

const kindOf = (value: unknown) => (value instanceof Failure ? value.kind : 'no failure')

describe('reading', () => {
  test('a name that does not exist, a folder, an empty file, a path through a file', async () => {
    const dir = folder()
    writeFileSync(join(dir, 'empty'), '')
    expect(kindOf(await readInput(join(dir, 'nothing.bin'), 'firmware file', 100))).toBe('no-file')
    expect(kindOf(await readInput(dir, 'firmware file', 100))).toBe('is-directory')
    expect(kindOf(await readInput(join(dir, 'empty'), 'firmware file', 100))).toBe('empty-file')
    expect(kindOf(await readInput(join(dir, 'empty', 'x'), 'firmware file', 100))).toBe('cannot-read')
    expect(kindOf(await readInput(`${dir}/${'n'.repeat(300)}`, 'firmware file', 100))).toBe('cannot-read')
  })

  test('a file of 100 MB is refused by its size, before it is read', async () => {
    const path = join(folder(), 'huge.bin')
    writeFileSync(path, '')
    truncateSync(path, 100_000_000)
    const before = process.memoryUsage().arrayBuffers
    const refused = await readInput(path, 'firmware file', 64 * 1024 * 1024)
    expect(kindOf(refused)).toBe('too-large')
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 1024 * 1024)
  })

  test('a device that never ends is given up at the limit', async () => {
    expect(kindOf(await readInput('/dev/zero', 'firmware file', 3_000_000))).toBe('too-large')
  })

  test('a file of exactly the limit is read whole', async () => {
    const path = join(folder(), 'full.bin')
    writeFileSync(path, new Uint8Array(5000).fill(7))
    expect(await readInput(path, 'firmware file', 5000)).toEqual(new Uint8Array(5000).fill(7))
  })
})

describe('writing', () => {
  test('a file is replaced whole, keeps its mode, and no neighbour is left behind', async () => {
    const dir = folder()
    const path = join(dir, 'image.bin')
    writeFileSync(path, 'old', { mode: 0o640 })
    expect(await writeOutput(path, new Uint8Array([1, 2, 3]))).toBe(null)
    expect([...readFileSync(path)]).toEqual([1, 2, 3])
    expect(statSync(path).mode & 0o777).toBe(0o640)
    expect(readdirSync(dir)).toEqual(['image.bin'])
  })

  test('a folder in the way, a missing folder, a path through a file: refused and nothing changed', async () => {
    const dir = folder()
    mkdirSync(join(dir, 'taken'))
    writeFileSync(join(dir, 'file'), 'x')
    expect(kindOf(await writeOutput(join(dir, 'taken'), new Uint8Array(1)))).toBe('is-directory')
    expect(kindOf(await writeOutput(join(dir, 'none', 'out.bin'), new Uint8Array(1)))).toBe('no-file')
    expect(kindOf(await writeOutput(join(dir, 'file', 'out.bin'), new Uint8Array(1)))).toBe('cannot-write')
    expect(readdirSync(dir).sort()).toEqual(['file', 'taken'])
  })

  test('a key file is made readable for its owner only and never overwrites another', async () => {
    const path = join(folder(), 'key.pem')
    expect(await writeOutput(path, new Uint8Array([1]), { mode: 0o600, keep: true })).toBe(null)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(kindOf(await writeOutput(path, new Uint8Array([2]), { mode: 0o600, keep: true }))).toBe('file-exists')
    expect([...readFileSync(path)]).toEqual([1])
  })

  test('a device takes the bytes without being replaced', async () => {
    expect(await writeOutput('/dev/null', new Uint8Array([1, 2]))).toBe(null)
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true)
  })
})
