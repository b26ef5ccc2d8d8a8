// Archives that bring images: Nordic's own form with its strings for numbers, one image for each slot, and everything a
// hostile archive can be: bombs, names that lead outside, doubled and missing files, lies in the manifest.
import { strToU8, zipSync } from 'fflate/browser'
import type { Zippable } from 'fflate/browser'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Failure } from '../../main/base/failure.ts'
import { looksLikeZip, openUpdateZip, updateArchive } from '../../main/image/update-zip.ts'

const app = new Uint8Array(5_000).map((_, i) => (i * 31) & 0xff)
const net = new Uint8Array(3_000).map((_, i) => (i * 17) & 0xff)

const zip = (files: Zippable, manifest?: unknown) => zipSync({ ...files, ...(manifest === undefined ? {} : { 'manifest.json': strToU8(typeof manifest === 'string' ? manifest : JSON.stringify(manifest)) }) })
const read = (bytes: Uint8Array) => {
  const opened = openUpdateZip(bytes)
  return opened instanceof Failure ? opened.kind : opened.files.map(({ image, slot, name, bytes: content }) => `${image}/${slot ?? '-'} ${name} ${content.length}`)
}

/** As generate_zip.py writes it for an nRF5340 (nRF Connect SDK 2.7). */
const nordic = {
  'format-version': 1, time: 1_733_000_000, name: 'nrf5340_audio',
  files: [
    { type: 'application', board: 'nrf5340dk/nrf5340/cpuapp', soc: 'nrf5340', load_address: 49_664, image_index: '0', slot_index_primary: '1', slot_index_secondary: '2', version_MCUBOOT: '1.1.0+0', size: app.length, file: 'app.signed.bin', modtime: 1_733_000_000 },
    { type: 'application', board: 'nrf5340dk/nrf5340/cpunet', soc: 'nrf5340', load_address: 16_812_032, image_index: '1', slot_index_primary: '3', slot_index_secondary: '4', version: '1', size: net.length, file: 'ipc_radio.bin', modtime: 1_733_000_000 },
  ],
}
const both = { 'app.signed.bin': app, 'ipc_radio.bin': net }

describe('an archive of the nRF Connect SDK', () => {
  test('brings both images under their numbers, the application first', () => {
    expect(read(zip(both, nordic))).toEqual(['0/- app.signed.bin 5000', '1/- ipc_radio.bin 3000'])
    expect(read(zip(both, { ...nordic, files: [...nordic.files].reverse() }))).toEqual(['0/- app.signed.bin 5000', '1/- ipc_radio.bin 3000'])
  })

  test('of an old release has no image_index: the slot says which image it is', () => {
    const files = nordic.files.map(({ image_index: _, ...row }) => row)
    expect(read(zip(both, { ...nordic, 'format-version': 0, files }))).toEqual(['0/- app.signed.bin 5000', '1/- ipc_radio.bin 3000'])
  })

  test('for direct-xip brings one image for each slot', () => {
    const files = [{ file: 'app.signed.bin', image_index: '0', slot: '0' }, { file: 'ipc_radio.bin', image_index: '0', slot: '1' }]
    expect(read(zip(both, { files }))).toEqual(['0/0 app.signed.bin 5000', '0/1 ipc_radio.bin 3000'])
  })

  test('is written as it is read, and the same images give the same bytes', () => {
    const made = () => updateArchive([{ image: 0, name: 'app.bin', bytes: app, version: '1.1.0' }, { image: 1, name: 'net.bin', bytes: net, version: '3.0.0' }])
    expect(read(made())).toEqual(['0/- app.bin 5000', '1/- net.bin 3000'])
    expect(made()).toEqual(made())
  })
})

test('an archive without a manifest is its one image, and with several nobody could say which is which', () => {
  expect(read(zip({ 'app.bin': app, 'readme.txt': strToU8('hello') }))).toEqual(['0/- app.bin 5000'])
  expect(read(zip(both))).toBe('no-manifest')
  expect(read(zip({ 'readme.txt': strToU8('hello') }))).toBe('no-manifest')
})

test.each<[string, Uint8Array, string]>([
  ['a file that the manifest names and the archive has not', zip({ 'app.signed.bin': app }, nordic), 'bad-manifest'],
  ['another size than the manifest says', zip({ ...both, 'ipc_radio.bin': net.subarray(1) }, nordic), 'bad-manifest'],
  ['two images of one number', zip(both, { files: nordic.files.map((row) => ({ ...row, image_index: '0' })) }), 'bad-manifest'],
  ['two images for one slot', zip(both, { files: [{ file: 'app.signed.bin', image_index: 0, slot: 1 }, { file: 'ipc_radio.bin', image_index: 0, slot: 1 }] }), 'bad-manifest'],
  ['no application', zip(both, { files: [nordic.files[1]] }), 'bad-manifest'],
  ['an image number beyond any board', zip(both, { files: [{ file: 'app.signed.bin', image_index: '99' }] }), 'bad-manifest'],
  ['an image number that is none', zip(both, { files: [{ file: 'app.signed.bin', image_index: '1e3' }] }), 'bad-manifest'],
  ['a manifest that is no JSON', zip(both, '{'), 'bad-manifest'],
  ['a manifest that is a list', zip(both, []), 'bad-manifest'],
  ['a manifest without files', zip(both, { files: [] }), 'bad-manifest'],
  ['a manifest as long as a book', zip(both, JSON.stringify({ ...nordic, more: 'x'.repeat(300_000) })), 'bad-manifest'],
  ['a name that leads outside', zip({ '../app.bin': app }), 'bad-archive'],
  ['an absolute name', zip({ '/etc/app.bin': app }), 'bad-archive'],
  ['a drive\'s name', zip({ 'C:app.bin': app }), 'bad-archive'],
  ['a bomb', zip({ 'app.bin': new Uint8Array(40 * 1024 * 1024) }), 'archive-too-large'],
  ['hundreds of files', zip(Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`${i}.bin`, app.subarray(0, 40)]))), 'archive-too-large'],
])('%s is refused', (_what, bytes, kind) => {
  expect(read(bytes)).toBe(kind)
})

test('a size that the archive lies about is found before memory is spent on it', () => {
  const bytes = zip({ 'app.bin': app })
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  // Uncompressed size in the central directory, from the end of the archive.
  const directory = view.getUint32(bytes.length - 6, true)
  view.setUint32(directory + 24, 0x7fff_ffff, true)
  expect(read(bytes)).toBe('archive-too-large')
  view.setUint32(directory + 24, app.length + 7, true)
  expect(read(bytes)).toBe('bad-archive')
})

test('any damage ends in images or a Failure, never in more bytes than were promised', () => {
  const whole = zip(both, nordic)
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }), fc.nat(whole.length), (changes, cut) => {
    const bytes = whole.slice(0, Math.max(40, whole.length - (cut % 50)))
    for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
    const opened = openUpdateZip(bytes)
    if (!(opened instanceof Failure)) expect(opened.files.reduce((sum, file) => sum + file.bytes.length, 0)).toBeLessThan(1_000_000)
  }), { numRuns: 500 })
})

test('what is no archive is not taken for one', () => {
  expect(looksLikeZip(app)).toBe(false)
  expect(looksLikeZip(zip(both))).toBe(true)
})
