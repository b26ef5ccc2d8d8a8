// The stores over the fake station: rows replaced whole, events that race their replies, forms that hold no passphrase.
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, test } from 'vitest'
import { useDesk } from '../../renderer/stores/desk.ts'
import { useHouse } from '../../renderer/stores/house.ts'
import { useKeys } from '../../renderer/stores/keys.ts'
import { goodAndBad, useLine } from '../../renderer/stores/line.ts'
import { liesIn, tokenLabel } from '../../renderer/stores/tokens.ts'
import { heldPagesMax, useLog } from '../../renderer/stores/log.ts'
import { bayRow, fakeApi, rowIn, type Scene } from './fake.ts'

let api: ReturnType<typeof fakeApi>

function scene(of: Partial<Scene> = {}): void {
  api = fakeApi(of)
  globalThis.window = { slotwright: api } as unknown as typeof globalThis.window
  setActivePinia(createPinia())
}

beforeEach(() => scene())

test('a bay\'s row replaces the old one whole; a new bay finds its place in the order', async () => {
  const line = useLine()
  await line.load()
  expect(line.bays.map((bay) => bay.bay)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  line.hear({ is: 'bay', bay: rowIn(3, 'confirmed') })
  expect(line.bays[2]).toEqual(rowIn(3, 'confirmed'))
  line.hear({ is: 'bays', bays: [bayRow(9), bayRow(2)] })
  line.hear({ is: 'bay', bay: bayRow(5) })
  expect(line.bays.map((bay) => bay.bay)).toEqual([2, 5, 9])
})

test('the sample is on the line at the first start and goes to practice boards only', async () => {
  const line = useLine()
  await line.load()
  expect(line.chosen?.sample).toBe(true)
  expect(line.target).toEqual({ bays: null, count: 8, some: false })
  line.hear({ is: 'bay', bay: bayRow(9, { practice: false, board: 'real', port: '/dev/ttyACM0' }) })
  expect(line.target).toEqual({ bays: [1, 2, 3, 4, 5, 6, 7, 8], count: 8, some: true })
  await line.start()
  expect(api.asked.find((call) => call.method === 'startBatch')?.args).toMatchObject({ bays: [1, 2, 3, 4, 5, 6, 7, 8] })
})

test('another image leaves practice boards out as soon as a real board is there', async () => {
  const line = useLine()
  await line.load()
  await line.choose()
  expect(line.target.bays).toBeNull()
  line.hear({ is: 'bay', bay: bayRow(9, { practice: false, board: 'real', port: '/dev/ttyACM0' }) })
  expect(line.target).toEqual({ bays: [9], count: 1, some: true })
})

test('the batch\'s own event is newer than the reply to Start', async () => {
  const line = useLine()
  await line.load()
  const starting = line.start()
  await starting
  const running = line.batch
  expect(line.running).toBe(true)
  if (running === null) throw new Error('no batch')
  line.hear({ is: 'batch', batch: { ...running, status: 'ended', counts: { ...running.counts, confirmed: 7, reverted: 1 } } })
  expect(line.running).toBe(false)
  expect(goodAndBad(line.batch?.counts ?? running.counts)).toEqual({ good: 7, bad: 1 })
})

test('a station that does not open leaves its sentence, and a later try clears it', async () => {
  scene({ start: 'fail' })
  const house = useHouse()
  expect(await house.open()).toBe(false)
  expect(house.state).toBe('failed')
  expect(house.failure?.says).toContain('newer Slotwright')
  globalThis.window = { slotwright: fakeApi() } as unknown as typeof globalThis.window
  expect(await house.open()).toBe(true)
  expect(house.failure).toBeNull()
})

test('a bridge that breaks is a failure with a sentence, not a call that hangs', async () => {
  globalThis.window = { slotwright: { call: () => Promise.reject(new Error('gone')), subscribe: () => () => {}, languages: ['en'] } } as unknown as typeof globalThis.window
  const house = useHouse()
  expect(await house.open()).toBe(false)
  expect(house.failure?.kind).toBe('bridge')
})

test('the desk says what is missing, signs when nothing is, and keeps no passphrase', async () => {
  const desk = useDesk()
  await useKeys().load()
  expect(desk.missing).toEqual(['needFirmware', 'needKey', 'needVersion'])
  await desk.choose()
  desk.form.key = 'release-2026'
  desk.form.version = '1.2.3'
  desk.form.slot = '0x'
  expect(desk.missing).toEqual(['needPassphrase', 'needNumbers'])
  desk.form.slot = '430080'
  desk.form.passphrase = 'correct horse'
  desk.more.trailer = 'confirm'
  expect(desk.missing).toEqual([])
  await desk.sign()
  expect(desk.signed?.savedAs).toContain('signed.bin')
  expect(desk.form.passphrase).toBe('')
  const asked = api.asked.find((call) => call.method === 'sign')?.args
  expect(asked).toMatchObject({ saveAs: null, passphrase: 'correct horse', options: { slotBytes: 430_080, headerBytes: 512, pad: true, confirm: true, securityCounter: null } })
})

test('an open key gets no passphrase, even if one was typed for another', async () => {
  const desk = useDesk()
  await useKeys().load()
  await desk.choose()
  Object.assign(desk.form, { key: 'practice', version: '1.2.3', passphrase: 'left over' })
  await desk.sign()
  expect(api.asked.find((call) => call.method === 'sign')?.args).toMatchObject({ passphrase: null })
})

test('any place of the log is read where it stands, and an answer to an older filter is dropped', async () => {
  const log = useLog()
  await log.newest()
  expect(log.total).toBe(40_000)
  await log.wanted(0, 250)
  expect([0, 1, 99, 100, 199, 250].map((place) => log.rowAt(place)?.seq)).toEqual([39_999, 39_998, 39_900, 39_899, 39_800, 39_749])
  const slow = log.newest()
  await log.filter({ kind: 'outcome', text: '' })
  await slow
  await log.wanted(0, 50)
  expect(new Set(Array.from({ length: 50 }, (_, place) => log.rowAt(place)?.kind))).toEqual(new Set(['outcome']))
})

test('a row far down the log is read by itself, and what was read long ago is given up', async () => {
  const log = useLog()
  await log.newest()
  await log.wanted(33_333, 33_340)
  expect(log.rowAt(33_333)?.seq).toBe(39_999 - 33_333)
  for (let place = 0; place < 100 * (heldPagesMax + 5); place += 100) await log.wanted(place, place)
  expect(log.pages.size).toBeLessThanOrEqual(heldPagesMax)
  expect(log.rowAt(33_333)).toBeUndefined()
})

test('a key in one token is taken to lie in another', () => {
  const key = 'pkcs11:token=factory%201;serial=a7b7;object=release;id=%42?module-path=/usr/lib/p11.so'
  expect(liesIn(key, 'pkcs11:token=factory%201;serial=a7b7?module-path=/usr/lib/p11.so')).toBe(true)
  expect(liesIn(key, 'pkcs11:token=factory%201;serial=ffff?module-path=/usr/lib/p11.so')).toBe(false)
  expect(liesIn(key, 'pkcs11:token=office;serial=a7b7')).toBe(false)
  // A URI that says nothing of its token names none.
  expect(liesIn('pkcs11:object=release', 'pkcs11:token=factory%201')).toBe(false)
  expect(tokenLabel(key)).toBe('factory 1')
  expect(tokenLabel('pkcs11:token=%zz')).toBe('%zz')
})
