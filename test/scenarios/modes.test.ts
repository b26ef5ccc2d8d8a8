// The whole station against boards in every mode of MCUboot that has an upgrade slot: the good run, the run whose proof
// fails, the run whose power is cut in the bootloader, and the outcome that the log and the board must agree on.
import { describe, expect, test } from 'vitest'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateKey, writeKeyPem } from '../../main/keys/filekey.ts'
import { Keyring } from '../../main/keys/keyring.ts'
import { profiles, withExtras } from '../../main/practice/profiles.ts'
import { secretOf } from '../../main/practice/secrets.ts'
import { readHeader } from '../../main/practice/slot-image.ts'
import { OpenFiles } from '../../main/station/files.ts'
import { Logbook } from '../../main/station/logbook.ts'
import { practiceImage, practiceKey, practiceUpdate } from '../../main/station/practice.ts'
import { practiceFirmware } from '../../main/station/sample.ts'
import { Line, runLine, value } from './simulation.ts'

const profile = (mode: string) => profiles[`practice-${mode}`]!

describe.each(['swap-offset', 'direct-xip-revert'])('%s', (mode) => {
  test('boards are confirmed, and one whose proof fails goes back to its old image', async () => {
    const { runs, wrongs } = await runLine({ seed: 11, boards: 3, profile: profile(mode), faults: '2:fails-proof' })
    expect(wrongs).toEqual([])
    expect(runs.map((run) => run.outcome)).toEqual(['confirmed', 'reverted', 'confirmed'])
    expect(runs[1]?.version).toBe('1.0.0')
  })

  test('a new image that hangs costs a power cycle and no more', async () => {
    const { runs, wrongs } = await runLine({ seed: 12, boards: 1, profile: profile(mode), faults: '1:hangs' })
    expect(wrongs).toEqual([])
    expect(runs[0]).toMatchObject({ outcome: 'failed', kind: 'no-return' })
  })
})

describe.each(['overwrite-only', 'direct-xip'])('%s', (mode) => {
  test('boards are confirmed; one whose proof fails keeps the new image, and that is said before and after', async () => {
    const { runs, wrongs } = await runLine({ seed: 13, boards: 2, profile: profile(mode), faults: '2:fails-proof' })
    expect(wrongs).toEqual([])
    expect(runs.map((run) => run.outcome)).toEqual(['confirmed', 'failed'])
    expect(runs[1]).toMatchObject({ kind: 'proof-failed', version: '1.1.0' })
    expect(runs[1]?.says).toContain('no way back')
    for (const run of runs) {
      const note = run.steps.findIndex((step) => step.says.includes('cannot go back'))
      expect(note).toBeGreaterThan(-1)
      expect(note).toBeLessThan(run.steps.findIndex((step) => step.step === 'Upload'))
    }
  })

  test('the bay says so as long as the run lasts', async () => {
    const line = await Line.open({ seed: 13, boards: 1, profile: profile(mode) })
    try {
      await line.runBatch()
      const noted = new Map(line.events.flatMap((event) => (event.is === 'bay' && event.bay.run !== null ? [[event.bay.phase, event.bay.note?.kind ?? null] as const] : [])))
      expect([noted.get('uploading'), noted.get('proving')]).toEqual(['cannot-go-back', 'cannot-go-back'])
    } finally {
      await line.close()
    }
  })

  test('a recipe that asks for a way back sends nothing', async () => {
    const { runs, wrongs } = await runLine({ seed: 14, boards: 1, profile: profile(mode) }, { needsWayBack: true })
    expect(wrongs).toEqual([])
    expect(runs[0]).toMatchObject({ outcome: 'failed', kind: 'no-way-back', version: '1.0.0' })
  })
})

test.each(['swap-offset', 'overwrite-only'])('%s: the power goes in the bootloader, and the board ends confirmed all the same', async (mode) => {
  const { runs, wrongs } = await runLine({ seed: 15, boards: 4, profile: profile(mode), faults: '1:power-cut@5,2:power-cut@20,3:power-cut@60,4:power-cut@110' })
  expect(wrongs).toEqual([])
  expect(runs.map((run) => run.outcome)).toEqual(['confirmed', 'confirmed', 'confirmed', 'confirmed'])
})

test('ram-load: an image for RAM is confirmed, and one that is not is refused before a byte is sent', async () => {
  const ram = profile('ram-load')
  const line = await Line.open({ seed: 16, boards: 2, profile: ram })
  try {
    await line.runBatch()
    expect((await line.runs()).map((run) => run.kind)).toEqual(['not-for-ram', 'not-for-ram'])
    const desk = { keyring: new Keyring(join(line.home, 'keys'), line.clock), files: new OpenFiles(), log: new Logbook(line.station.audit, 'tester') }
    const image = await value(practiceImage({ home: line.home, desk }, await value(practiceKey(desk)), '1.1.0', { loadAddress: ram.ram!.address }))
    const path = join(line.home, 'ram.bin')
    writeFileSync(path, image.bytes)
    const { file } = await value(line.station.openFile({ path, purpose: 'image' }))
    await line.runBatch({}, file)
    expect((await line.runs()).map((run) => run.outcome)).toEqual(expect.arrayContaining(['confirmed', 'confirmed']))
    expect(line.ports.fixtures.map((fixture) => fixture.board.running)).toMatchObject([{ version: '1.1.0', slot: 1 }, { version: '1.1.0', slot: 1 }])
    expect(await line.check()).toEqual([])
  } finally {
    await line.close()
  }
})

test('two images are one update with one outcome: both are in the log, both go back when a proof fails', async () => {
  const line = await Line.open({ seed: 18, boards: 2, profile: withExtras(profiles['practice']!, { images: 2 }), faults: '2:fails-proof' })
  try {
    const desk = { keyring: new Keyring(join(line.home, 'keys'), line.clock), files: new OpenFiles(), log: new Logbook(line.station.audit, 'tester') }
    const path = await value(practiceUpdate({ home: line.home, desk }, { images: 2 }))
    const { file, image } = await value(line.station.openFile({ path, purpose: 'image' }))
    expect(image?.images?.map((part) => [part.image, part.version, part.signature])).toEqual([[0, '1.1.0+0', 'valid'], [1, '1.1.0+0', 'valid']])
    await line.runBatch({}, file)
    const runs = await line.runs()
    expect(runs.map((run) => run.outcome)).toEqual(['confirmed', 'reverted'])
    expect(runs[0]?.steps.filter((step) => step.step === 'Upload' && step.result === 'done')).toHaveLength(2)
    expect(runs[0]?.steps.some((step) => step.says.includes('As image 1 the board runs 1.1.0') && step.says.includes('confirmed'))).toBe(true)
    expect(line.ports.fixtures.map((fixture) => readHeader(fixture.board.slots.others![0]!.primary.area).minor)).toEqual([1, 0])
    expect(await line.check()).toEqual([])
  } finally {
    await line.close()
  }
})

test('a network core that no server lists is written with the application, and what cannot be seen of it is said', async () => {
  const board = profile('network-core')
  const line = await Line.open({ seed: 20, boards: 2, profile: board })
  try {
    const desk = { keyring: new Keyring(join(line.home, 'keys'), line.clock), files: new OpenFiles(), log: new Logbook(line.station.audit, 'tester') }
    const path = await value(practiceUpdate({ home: line.home, desk }, { images: 2 }))
    const { file } = await value(line.station.openFile({ path, purpose: 'image' }))
    await line.runBatch({}, file)
    const runs = await line.runs()
    expect(runs.map((run) => run.outcome)).toEqual(['confirmed', 'confirmed'])
    expect(runs[0]?.says).toContain('never lists as running')
    const note = runs[0]!.steps.findIndex((step) => step.says.includes('does not list what it runs as image 1'))
    expect(note).toBeGreaterThan(-1)
    expect(note).toBeLessThan(runs[0]!.steps.findIndex((step) => step.step === 'Upload'))
    expect(line.ports.fixtures.map((fixture) => readHeader(fixture.board.slots.others![0]!.primary.area).minor)).toEqual([1, 1])
    expect(await line.check()).toEqual([])
  } finally {
    await line.close()
  }
})

describe.each([128, 256] as const)('updates encrypted with AES-%i', (bits) => {
  const keyBytes = bits === 128 ? 16 : 32
  const opened = async (mode: string, images: number, sealedWith: 128 | 256 = bits) => {
    const encryption = await generateKey('x25519')
    const line = await Line.open({ seed: 21, boards: 2, profile: withExtras(profiles[mode]!, { images, keyBytes }), secret: await value(secretOf(encryption.pkcs8, keyBytes)), faults: '2:fails-proof' })
    const keyring = new Keyring(join(line.home, 'keys'), line.clock)
    // For the home's own key, or for one that only the boards' owner has.
    const encryptFor = images === 2 ? encryption.publicKey : undefined
    if (encryptFor === undefined) await value(keyring.add('practice-encryption', await value(writeKeyPem(encryption, null)), { class: 'test', newPassphrase: null }))
    const desk = { keyring, files: new OpenFiles(), log: new Logbook(line.station.audit, 'tester') }
    const path = await value(practiceUpdate({ home: line.home, desk }, { images, encrypted: sealedWith, encryptFor }))
    return { line, ...(await value(line.station.openFile({ path, purpose: 'image' }))) }
  }

  test.each([['practice', 1], ['practice', 2], ['practice-overwrite-only', 1]] as const)('%s with %i images: sent as they are, run in the clear, and gone back from where there is a way', async (mode, images) => {
    const { line, file } = await opened(mode, images)
    try {
      await line.runBatch({}, file)
      const runs = await line.runs()
      expect(runs.map((run) => run.outcome)).toEqual(['confirmed', mode === 'practice' ? 'reverted' : 'failed'])
      const [first] = line.ports.fixtures
      const { slots } = first!.board
      for (const each of [slots, ...(slots.others ?? [])]) expect(readHeader(each.primary.area)).toMatchObject({ minor: 1, keyBytes })
      expect(await line.check()).toEqual([])
    } finally {
      await line.close()
    }
  })

  test('made with the other length of key: no board takes them, and none is told to have', async () => {
    const { line, file } = await opened('practice', 1, bits === 128 ? 256 : 128)
    try {
      await line.runBatch({}, file)
      const runs = await line.runs()
      expect(runs.map((run) => run.outcome)).toEqual(['failed', 'failed'])
      expect(line.ports.fixtures.map((fixture) => fixture.board.running?.version)).toEqual(['1.0.0', '1.0.0'])
      expect(await line.check()).toEqual([])
    } finally {
      await line.close()
    }
  })
})

test('a damaged archive is told as a problem of the file and starts nothing', async () => {
  const line = await Line.open({ seed: 19, boards: 1 })
  try {
    const path = join(line.home, 'dfu_application.zip')
    writeFileSync(path, Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), Buffer.alloc(200)]))
    const opened = await value(line.station.openFile({ path, purpose: 'image' }))
    expect(opened).toMatchObject({ image: null, problem: { kind: 'bad-archive' } })
    expect(await line.station.startBatch({ file: opened.file, recipe: {} })).toMatchObject({ kind: expect.any(String) as string })
  } finally {
    await line.close()
  }
})

test('overwrite-only: a slot that asks for an image no longer in it takes the next upload all the same', async () => {
  const line = await Line.open({ seed: 17, boards: 1, profile: profile('overwrite-only') })
  try {
    await line.runBatch()
    const [fixture] = line.ports.fixtures
    const { secondary } = fixture!.board.slots
    // As a power cut between the last two erases of the overwrite leaves it.
    secondary.trailer.writeMagic()
    const path = join(line.home, 'next.bin')
    writeFileSync(path, practiceFirmware('1.2.0'))
    const firmware = await value(line.station.openFile({ path, purpose: 'firmware' }))
    const signed = await value(line.station.sign({ file: firmware.file, key: 'practice', passphrase: null, options: { version: '1.2.0' }, saveAs: `${path}.signed` }))
    await line.runBatch({}, signed!.file)
    expect((await line.runs()).map((run) => run.version)).toContain('1.2.0')
    expect(fixture!.board.running?.version).toBe('1.2.0')
  } finally {
    await line.close()
  }
})
