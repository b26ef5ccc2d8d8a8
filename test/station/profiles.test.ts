// Board profiles: those that come with the program, the station's own, and what a board's own answers make of one.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { boardProfile } from '../../main/contract/board-profile.ts'
import { commonProfile } from '../../main/line/profile.ts'
import { profiles as practiceProfiles } from '../../main/practice/profiles.ts'
import { findProfile, listProfiles, profilesFolderOf } from '../../main/station/profiles.ts'
import { portHow } from '../../main/station/ports.ts'
import { Line, value } from '../scenarios/simulation.ts'
import { played } from '../smp/wound-clock.ts'

let line: Line | null = null
afterEach(async () => {
  await line?.close()
  line = null
})

const resources = join(import.meta.dirname, '..', '..', 'resources', 'profiles')

describe('the built-in profiles', () => {
  test('are all there, each file of resources and the common one, under the file\'s name', async () => {
    const built = await value(listProfiles('/nonexistent'))
    const files = readdirSync(resources).map((file) => file.replace(/\.json$/, ''))
    expect(built.map(({ name }) => name).sort()).toEqual([...files, commonProfile.name].sort())
    expect(built.every(({ from, says }) => from === 'built-in' && says.length > 20)).toBe(true)
  })

  test('are files that a person could have written: read as strictly as his', () => {
    for (const file of readdirSync(resources)) expect(boardProfile.safeParse(JSON.parse(readFileSync(join(resources, file), 'utf8'))).success, file).toBe(true)
  })

  test('leave the port alone unless they say otherwise', async () => {
    expect(portHow(commonProfile)).toEqual({})
    expect(portHow({ ...commonProfile, ...(await value(findProfile('/nonexistent', 'esp32'))) })).toEqual({ dtr: false, rts: false })
  })
})

describe('a station\'s own profiles', () => {
  test('are kept, cover a built-in one of their name, and uncover it when they go; each change is in the log', async () => {
    line = await Line.open({ seed: 81, boards: 1 })
    const { station, home } = line
    await value(station.saveProfile({ profile: { name: 'nrf52840', says: 'Ours.', slotBytes: 0x69000 } }))
    expect((await value(station.listProfiles({}))).find(({ name }) => name === 'nrf52840')).toMatchObject({ from: 'station', says: 'Ours.', slotBytes: 0x69000 })
    expect(await value(findProfile(home, 'nrf52840'))).toMatchObject({ slotBytes: 0x69000 })
    expect((await value(station.removeProfile({ name: 'nrf52840' }))).find(({ name }) => name === 'nrf52840')).toMatchObject({ from: 'built-in' })
    expect((await value(station.listLog({ kind: 'settings' }))).entries.map((entry) => entry.data['after'])).toEqual(['removed', expect.stringMatching(/^sha256 /)])
    expect(await station.removeProfile({ name: 'nrf52840' })).toMatchObject({ kind: 'no-such-profile' })
  })

  test('that nobody could use are refused with the field that is wrong', async () => {
    line = await Line.open({ seed: 82, boards: 1 })
    const wrong = async (profile: object) => (await line!.station.saveProfile({ profile } as never)) as unknown as { kind: string; says: string }
    expect(await wrong({ name: '../../etc/passwd' })).toMatchObject({ kind: 'bad-arguments', says: expect.stringContaining('letters, digits') as string })
    expect(await wrong({ name: 'a', baudRate: 3 })).toMatchObject({ kind: 'bad-arguments', says: expect.stringContaining('baudRate') as string })
    expect(await wrong({ name: 'a', recovery: { by: 'lines', steps: [], withinMs: 1000 } })).toMatchObject({ says: expect.stringContaining('steps') as string })
    expect(await wrong({ name: 'a', surprise: true })).toMatchObject({ kind: 'bad-arguments' })
  })

  test('whose file was damaged by hand are named by it, and no batch goes by a guess', async () => {
    line = await Line.open({ seed: 83, boards: 1 })
    const folder = profilesFolderOf(line.home)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'line3.json'), '{"name":"line3","slotBytes":-5}')
    const { file } = await value(line.station.sampleFile({}))
    const refused = await line.station.startBatch({ file, recipe: { profile: 'line3' } })
    expect(refused).toMatchObject({ kind: 'bad-profile', says: expect.stringMatching(/line3\.json.*slotBytes/) as string })
    writeFileSync(join(folder, 'line3.json'), '{"name":"line4"}')
    expect(await line.station.listProfiles({})).toMatchObject({ kind: 'bad-profile', says: expect.stringContaining('names itself "line4"') as string })
  })
})

test('a profile asked of a board holds what it says, and can be kept and gone by', async () => {
  line = await Line.open({ seed: 84, boards: 1, profile: practiceProfiles['practice-raw']! })
  const { station, clock } = line
  const asked = await value(played(clock, station.profileFromBoard({ port: '/sim/tty1', name: 'raw-ours', like: 'nrf52840' })))
  expect(asked).toMatchObject({ name: 'raw-ours', framing: 'raw', bufferBytes: 384, bufferCount: 4, slotBytes: 0x69000, eraseSectorMs: 85, from: 'station' })
  expect((await value(station.listProfiles({}))).some(({ name }) => name === 'raw-ours')).toBe(false)
  const { from: _from, ...profile } = asked
  await value(station.saveProfile({ profile }))
  await line.runBatch({ profile: 'raw-ours' })
  expect((await line.runs())[0]).toMatchObject({ outcome: 'confirmed' })
})

test('a board spoken to in one framing only is not asked in the other', async () => {
  line = await Line.open({ seed: 85, boards: 1, profile: practiceProfiles['practice-raw']! })
  await value(line.station.saveProfile({ profile: { name: 'console-only', framing: 'console' } }))
  await line.runBatch({ profile: 'console-only' })
  expect((await line.runs())[0]).toMatchObject({ outcome: 'failed', kind: 'no-answer' })
})

test('boards that queue one request get one at a time, whatever they say of their buffers', async () => {
  line = await Line.open({ seed: 86, boards: 2 })
  await value(line.station.saveProfile({ profile: { name: 'slow', inFlightMax: 1 } }))
  await line.runBatch({ profile: 'slow' })
  const slow = (await line.runs())[0]!
  await line.close()
  line = await Line.open({ seed: 86, boards: 2 })
  await line.runBatch()
  expect(slow.bytesPerSecond).toBeLessThan((await line.runs())[0]!.bytesPerSecond)
})

test('the station\'s line rate is a setting of engineers, noted in the log', async () => {
  line = await Line.open({ seed: 87, boards: 1 })
  expect(await value(line.station.settings({}))).toMatchObject({ baudRate: 115_200 })
  await value(line.station.setLineRate({ baudRate: 1_000_000 }))
  expect(await value(line.station.settings({}))).toMatchObject({ baudRate: 1_000_000 })
  expect((await value(line.station.listLog({ kind: 'settings' }))).entries[0]?.data).toMatchObject({ name: 'baudRate', before: '115200', after: '1000000' })
})
