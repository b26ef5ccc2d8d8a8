// Packages where images go: a package opens to its image once everything about it is proven, the log notes it, and a
// package that is not for us is a problem with a sentence and an RFC 4108 code.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { utf8 } from '../../main/base/bytes.ts'
import { failed } from '../../main/base/failure.ts'
import { packInPlace } from '../../main/cms/in-place.ts'
import { openPackage } from '../../main/cms/package.ts'
import type { OpenedPackage } from '../../main/cms/package.ts'
import { signImage } from '../../main/image/sign.ts'
import { writeKeyPem } from '../../main/keys/filekey.ts'
import { writePem } from '../../main/keys/pem.ts'
import { admitter, installedOn } from '../../main/station/installed.ts'
import { packageView } from '../../main/station/package-view.ts'
import { inflate, trustFolderOf, versionNumber } from '../../main/station/packages.ts'
import { OpenFirmwareKeys, addFirmwareKey } from '../../main/station/firmware-keys.ts'
import { openStation } from '../../main/station/station.ts'
import type { Station } from '../../main/station/station.ts'
import { deflate, firmware, good, hardware, house, orderWith, packed, product, worldOf } from '../cms/making.ts'
import { SimulatedPorts } from '../scenarios/wire.ts'
import { House } from './house.ts'

let folder = ''
let station: Station | null = null
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slotwright-packages-'))
})
afterEach(async () => {
  await station?.close()
  station = null
  rmSync(folder, { recursive: true, force: true })
})

const home = () => join(folder, 'home')
const version = { major: 1, minor: 1, revision: 0, build: 0 }

async function opened(): Promise<Station> {
  station = good(await openStation({ home: home(), version: '0.0.0-test', ports: new SimulatedPorts(), person: 'tester' }))
  return station
}

async function image(): Promise<Uint8Array> {
  const { signer } = await house()
  return good(await signImage(firmware(3000), { version, headerBytes: 0x200, padHeader: true, slotBytes: 0x69000 }, signer.signer)).bytes
}

async function trusting(): Promise<void> {
  const { authority } = await house()
  mkdirSync(trustFolderOf(home()), { recursive: true })
  writeFileSync(join(trustFolderOf(home()), 'authority.pem'), writePem('CERTIFICATE', authority.certificate.der))
}

function put(name: string, bytes: Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

test('a package opens to its image, with what was proven, and the log has it', async () => {
  await trusting()
  const { signing } = await house()
  const bytes = (await packed(signing, { firmware: await image(), description: 'Pump' })).bytes
  const here = await opened()
  const file = good(await here.openFile({ path: put('pump.cms', bytes), purpose: 'image' }))
  expect(file.problem).toBeNull()
  expect(file.image).toMatchObject({ version: '1.1.0+0', hashHolds: true })
  expect(file.package).toMatchObject({ name: product, version: '17', hardware: [hardware], description: 'Pump', anchor: 'Test authority', path: [{ name: 'Test signer' }], layers: [{ layer: 'signed' }, { layer: 'firmware' }, { layer: 'image' }] })
  expect(good(await here.inspectFile({ file: file.file }))).toMatchObject({ version: '1.1.0+0' })
  const { entries } = good(await here.listLog({ kind: 'package-opened' }))
  expect(entries[0]?.data).toMatchObject({ file: 'pump.cms', packageName: product, packageVersion: '17', imageHash: file.image?.hash, anchor: 'Test authority' })
})

test('an encrypted package whose key rests here opens with its passphrase, which is asked once until the station is locked', async () => {
  await trusting()
  const { signing } = await house()
  const secret = { id: utf8('line 3'), key: new Uint8Array(32).fill(9) }
  mkdirSync(home(), { recursive: true })
  expect(await addFirmwareKey(home(), { ...secret, key: secret.key.slice() }, 'correct horse battery')).toBeNull()
  const path = put('pump.cms', (await packed(signing, { firmware: await image(), encrypt: { secret, random: (bytes) => new Uint8Array(bytes) } })).bytes)
  const here = await opened()
  const locked = good(await here.openFile({ path, purpose: 'image' }))
  expect(locked).toMatchObject({ image: null, problem: { kind: 'firmware-key-locked', facts: { name: '"line 3"' } } })
  expect(await here.unlockPackage({ file: locked.file, passphrase: 'something else' })).toMatchObject({ kind: 'wrong-passphrase' })
  expect(good(await here.unlockPackage({ file: locked.file, passphrase: 'correct horse battery' }))).toMatchObject({ file: locked.file, problem: null, image: { version: '1.1.0+0' }, package: { layers: [{ layer: 'signed' }, { layer: 'encrypted' }, { layer: 'firmware' }, { layer: 'image' }] } })
  expect(await here.unlockPackage({ file: locked.file, passphrase: 'correct horse battery' })).toMatchObject({ kind: 'file-not-locked' })
  expect(good(await here.openFile({ path, purpose: 'image' })).problem).toBeNull()
  const { entries } = good(await here.listLog({}))
  expect(entries.map(({ kind }) => kind)).not.toContain('package-refused')
  expect(entries.find(({ kind }) => kind === 'refusal')?.data).toMatchObject({ what: 'open an encrypted package', failure: 'wrong-passphrase' })
  expect(entries.find(({ kind }) => kind === 'package-opened')?.data).toMatchObject({ decryptKeyId: Buffer.from('line 3').toString('hex') })
  await station?.close()
  expect(good(await (await opened()).openFile({ path, purpose: 'image' })).problem).toMatchObject({ kind: 'firmware-key-locked' })
})

test('a firmware key that one person opened is locked for the next', async () => {
  const { authority, signing } = await house()
  const people = await House.open()
  try {
    mkdirSync(trustFolderOf(people.home), { recursive: true })
    writeFileSync(join(trustFolderOf(people.home), 'authority.pem'), writePem('CERTIFICATE', authority.certificate.der))
    const secret = { id: utf8('line 3'), key: new Uint8Array(32).fill(9) }
    expect(await addFirmwareKey(people.home, secret, 'correct horse battery')).toBeNull()
    const path = put('pump.cms', (await packed(signing, { firmware: await image(), encrypt: { secret, random: (bytes) => new Uint8Array(bytes) } })).bytes)
    await people.add('Ada', ['operator'])
    const ada = await people.as('Ada')
    const file = good(await ada.api.openFile({ path, purpose: 'image' }))
    expect(good(await ada.api.unlockPackage({ file: file.file, passphrase: 'correct horse battery' })).problem).toBeNull()
    expect(good(await ada.api.openFile({ path, purpose: 'image' })).problem).toBeNull()
    await ada.api.signOut({})
    expect(good(await (await people.as('Ada')).api.openFile({ path, purpose: 'image' })).problem).toMatchObject({ kind: 'firmware-key-locked' })
  } finally {
    await people.close()
  }
})

test('opened firmware keys are wiped when somebody leaves, and a copy that was given out keeps its bytes', () => {
  const keys = new OpenFirmwareKeys()
  const key = new Uint8Array(16).fill(5)
  keys.hold({ id: utf8('a'), key })
  key.fill(0)
  const copy = keys.get(utf8('a'))
  keys.lock()
  expect(keys.get(utf8('a'))).toBeNull()
  expect(copy?.key).toEqual(new Uint8Array(16).fill(5))
})

test('a package nobody trusted signed is a problem, and the log has its code', async () => {
  const { signing } = await house()
  const here = await opened()
  const file = good(await here.openFile({ path: put('pump.cms', (await packed(signing, { firmware: await image() })).bytes), purpose: 'image' }))
  expect(file).toMatchObject({ image: null, package: null, problem: { kind: 'no-trust-anchor', facts: { rfc4108: 10 } } })
  expect(good(await here.listLog({ kind: 'package-refused' })).entries[0]?.data).toMatchObject({ failure: 'no-trust-anchor', code: 10 })
})

test('a genuine package around something that is no image is refused as bad firmware', async () => {
  await trusting()
  const { signing } = await house()
  const here = await opened()
  const damaged = await image()
  damaged[1000]! ^= 1
  for (const content of [utf8('no image'), damaged]) {
    const file = good(await here.openFile({ path: put('pump.cms', (await packed(signing, { firmware: content })).bytes), purpose: 'image' }))
    expect(file).toMatchObject({ image: null, problem: { kind: 'bad-firmware', facts: { rfc4108: 34 } } })
  }
})

test('a trust anchor that does not read is said, not passed over', async () => {
  await trusting()
  writeFileSync(join(trustFolderOf(home()), 'broken.pem'), 'x')
  const { signing } = await house()
  const here = await opened()
  const file = good(await here.openFile({ path: put('pump.cms', (await packed(signing)).bytes), purpose: 'image' }))
  expect(file.problem).toMatchObject({ kind: 'trust-unreadable', says: expect.stringContaining('broken.pem') as string })
})

test('what a unit has had comes from the log: a package that was declared stale there is refused there, and only there', async () => {
  const { signing, anchors } = await house()
  const here = await opened()
  const hash = 'ab'.repeat(32)
  good(here.audit.append({ kind: 'package-opened', data: { file: 'old.cms', packageSha256: 'cd'.repeat(32), bytes: 1, imageHash: hash, packageName: product, packageVersion: '20', stale: '17' } }))
  good(here.audit.append({ kind: 'confirmed', data: { run: 'r-1', unit: 'PB-0001', activeHash: hash } }))
  expect(good(installedOn(here.audit, 'PB-0001'))).toEqual([{ name: { id: product, version: 20n }, staleVersion: 17n }])
  expect(good(installedOn(here.audit, 'PB-0002'))).toEqual([])
  const package17: OpenedPackage = good(openPackage((await packed(signing)).bytes, worldOf(anchors, null)))
  const admit = admitter(here.audit, package17, { hardware })
  expect(admit({ unit: 'PB-0001' })).toMatchObject({ kind: 'stale-package', facts: { rfc4108: 28 } })
  expect(admit({ unit: 'PB-0002' })).toBeNull()
  expect(admitter(here.audit, package17, { hardware: '1.2.3' })({ unit: 'PB-0002' })).toMatchObject({ kind: 'wrong-hardware' })
})

test('a version declared stale long ago stays stale, however much was opened and confirmed since', async () => {
  const { signing, anchors } = await house()
  const here = await opened()
  const hashOf = (i: number) => i.toString(16).padStart(64, '0')
  const openings = Array.from({ length: 1300 }, (_, i) => ({ kind: 'package-opened' as const, data: { file: 'p.cms', packageSha256: hashOf(i), bytes: 1, imageHash: hashOf(i), packageName: product, packageVersion: String(100 + i), ...(i === 0 ? { stale: '17' } : {}) } }))
  good(here.audit.appendAll([...openings, { kind: 'confirmed', data: { run: 'r-0', unit: 'PB-0001', activeHash: hashOf(0) } }]))
  good(here.audit.appendAll(Array.from({ length: 1300 }, (_, i) => ({ kind: 'confirmed' as const, data: { run: `r-${i + 1}`, unit: 'PB-0001', activeHash: hashOf(i) } }))))
  expect(good(installedOn(here.audit, 'PB-0001'))).toEqual([{ name: { id: product, version: 1399n }, staleVersion: 17n }])
  const package17: OpenedPackage = good(openPackage((await packed(signing)).bytes, worldOf(anchors, null)))
  expect(admitter(here.audit, package17, { hardware })({ unit: 'PB-0001' })).toMatchObject({ kind: 'stale-package' })
})

test('what a unit has is what it confirmed last, a board that had the image already counts, and packages that need each other stay together', async () => {
  const { signing, anchors } = await house()
  const here = await opened()
  const other = '1.3.6.1.4.1.99999.1.9'
  const one = (hash: string, name: string, version: string, needs?: string) => ({ kind: 'package-opened' as const, data: { file: 'p.cms', packageSha256: hash, imageHash: hash, packageName: name, packageVersion: version, ...(needs === undefined ? {} : { needs }) } })
  const [a, b, c] = ['aa'.repeat(32), 'bb'.repeat(32), 'cc'.repeat(32)] as const
  good(here.audit.appendAll([
    one(a, product, '30'), one(b, product, '20'), one(c, other, '1', `${product}:18`),
    { kind: 'confirmed', data: { run: 'r-1', unit: 'PB-0001', activeHash: a } }, { kind: 'confirmed', data: { run: 'r-2', unit: 'PB-0001', activeHash: b } },
    { kind: 'outcome', data: { run: 'r-3', unit: 'PB-0001', outcome: 'unchanged', says: 'It had it.', activeHash: c } },
    { kind: 'outcome', data: { run: 'r-4', unit: 'PB-0002', outcome: 'reverted', says: 'It went back.', activeHash: c } },
  ]))
  expect(good(installedOn(here.audit, 'PB-0001'))).toEqual([
    { name: { id: product, version: 20n }, staleVersion: null }, { name: { id: other, version: 1n }, staleVersion: null, dependencies: [{ id: product, version: 18n }] },
  ])
  expect(good(installedOn(here.audit, 'PB-0002'))).toEqual([])
  const package17: OpenedPackage = good(openPackage((await packed(signing)).bytes, worldOf(anchors, null)))
  expect(admitter(here.audit, package17, { hardware })({ unit: 'PB-0001' })).toMatchObject({ kind: 'breaks-dependency', facts: { rfc4108: 36 } })
  const needy: OpenedPackage = good(openPackage((await packed(signing, { name: { id: product, version: 40n }, info: { type: null, dependencies: [{ id: other, version: 2n }] } })).bytes, worldOf(anchors, null)))
  expect(admitter(here.audit, needy, { hardware })({ unit: 'PB-0001' })).toMatchObject({ kind: 'wrong-dependency-version' })
  expect(admitter(here.audit, needy, { hardware })({ unit: 'PB-0002' })).toMatchObject({ kind: 'missing-dependency' })
})

test('a recipe that sends packages as they are refuses what could not run that way, before any board is asked', async () => {
  await trusting()
  const { signer, signing } = await house()
  const here = await opened()
  const plain = await image()
  const { firmware: _firmware, ...order } = orderWith()
  const laidOut = good(await packInPlace(order, { slotAddress: 0x75000, vectorAlign: 512, headerBytesMin: 32, roundsMax: 20 }, signing, async ({ headerBytes, vectorAddress }) => {
    const signed = await signImage(firmware(3000), { version, headerBytes, padHeader: true, slotBytes: 0x69000, romFixed: vectorAddress - headerBytes }, signer.signer)
    return failed(signed) ? signed : signed.bytes
  })).made.bytes
  const files = { image: plain, package: (await packed(signing, { firmware: plain })).bytes, compressed: (await packed(signing, { firmware: plain, compress: deflate })).bytes, inPlace: laidOut }
  const kindOf = async (name: keyof typeof files, send: 'image' | 'whole' | 'in-place' | undefined) => {
    const file = good(await here.openFile({ path: put(`${name}.bin`, files[name]), purpose: 'image' }))
    expect(file.problem).toBeNull()
    const started = await here.startBatch({ file: file.file, recipe: { allowedKeys: [], ...(send === undefined ? {} : { send }) } })
    return failed(started) ? started.kind : 'started'
  }
  const key = good(await here.openFile({ path: put('signer.pem', utf8(await writeKeyPem(signer.key, null))), purpose: 'key' }))
  good(await here.importKey({ file: key.file, name: 'signer', class: 'test', passphrase: null, newPassphrase: null }))
  expect(await kindOf('image', 'whole')).toBe('not-a-package')
  expect(await kindOf('image', undefined)).toBe('no-boards')
  expect(await kindOf('package', 'whole')).toBe('no-boards')
  expect(await kindOf('package', 'in-place')).toBe('not-laid-out')
  expect(await kindOf('compressed', 'whole')).toBe('no-boards')
  expect(await kindOf('compressed', 'in-place')).toBe('not-plain')
  expect(await kindOf('compressed', 'image')).toBe('no-boards')
  expect(await kindOf('inPlace', 'whole')).toBe('laid-out-in-place')
  expect(await kindOf('inPlace', undefined)).toBe('laid-out-in-place')
  expect(await kindOf('inPlace', 'in-place')).toBe('no-boards')
  expect(good(await here.listLog({ kind: 'refusal' })).entries.map(({ data }) => data['failure'])).toContain('laid-out-in-place')
})

test('the boards\' hardware type may stand in their profile; a recipe that says another one starts nothing', async () => {
  await trusting()
  const { signer, signing } = await house()
  const here = await opened()
  const key = good(await here.openFile({ path: put('signer.pem', utf8(await writeKeyPem(signer.key, null))), purpose: 'key' }))
  good(await here.importKey({ file: key.file, name: 'signer', class: 'test', passphrase: null, newPassphrase: null }))
  good(await here.saveProfile({ profile: { name: 'pump', hardware: '1.2.3' } }))
  expect(good(await here.listProfiles({})).find(({ name }) => name === 'pump')).toMatchObject({ hardware: '1.2.3' })
  const file = good(await here.openFile({ path: put('pump.cms', (await packed(signing, { firmware: await image() })).bytes), purpose: 'image' }))
  const started = async (recipe: Readonly<{ profile?: string; hardware?: string }>) => {
    const batch = await here.startBatch({ file: file.file, recipe: { rolling: true, class: 'test', ...recipe } })
    if (failed(batch)) return batch.kind
    await here.stopBatch({})
    await here.batchEnded()
    return good(await here.listLog({ kind: 'batch-started' })).entries[0]?.data['hardware'] ?? null
  }
  expect(await started({ profile: 'pump', hardware })).toBe('hardware-differs')
  expect(await started({ profile: 'pump', hardware: '1.2.3' })).toBe('1.2.3')
  expect(await started({ profile: 'pump' })).toBe('1.2.3')
  expect(await started({ hardware })).toBe(hardware)
  expect(await started({})).toBeNull()
})

test('versions as one number keep their order', () => {
  const numbers = [version, { ...version, build: 7 }, { ...version, revision: 1 }, { ...version, minor: 2 }, { ...version, major: 2 }].map(versionNumber)
  expect([...numbers].sort((a, b) => (a < b ? -1 : 1))).toEqual(numbers)
  expect(versionNumber({ major: 255, minor: 255, revision: 65535, build: 4294967295 })).toBe(2n ** 64n - 1n)
})

test('zlib data that are damaged or too much are a failure, never more memory than allowed', async () => {
  const { deflateSync } = await import('node:zlib')
  expect(inflate(utf8('nothing'), 100)).toMatchObject({ kind: 'not-inflated' })
  expect(inflate(new Uint8Array(deflateSync(new Uint8Array(10_000))), 9_999)).toMatchObject({ kind: 'not-inflated', says: expect.stringContaining('9999') as string })
})

test('a version that is the image\'s as one number is shown as people know it; another number stays one', async () => {
  await trusting()
  const { signing } = await house()
  const here = await opened()
  const firmware = await image()
  const one = (await packed(signing, { firmware, name: { id: product, version: versionNumber(version) } })).bytes
  expect(good(await here.openFile({ path: put('one.cms', one), purpose: 'image' })).package).toMatchObject({ version: String(versionNumber(version)), imageVersion: '1.1.0+0' })
  expect(good(await here.openFile({ path: put('other.cms', (await packed(signing, { firmware })).bytes), purpose: 'image' })).package).toMatchObject({ version: '17', imageVersion: null })
})

test('the view has a sentence for every layer', async () => {
  const { bare, keyAnchors } = await house()
  const { bytes } = await packed(bare, { compress: deflate, nested: true, communities: [{ community: '1.2.3' }, { hardware, serials: [{ is: 'block', low: utf8('1'), high: utf8('5') }] }] })
  const view = packageView(bytes, good(openPackage(bytes, worldOf(keyAnchors, null))), [])
  expect(view.layers.map(({ layer }) => layer)).toEqual(['signed', 'compressed', 'firmware'])
  expect(view.communities.map(({ says }) => says)).toEqual(['members of 1.2.3', `${hardware}: "1" to "5"`])
  for (const { says } of view.layers) for (const one of says) expect(one.says).toMatch(/\.$/)
})
