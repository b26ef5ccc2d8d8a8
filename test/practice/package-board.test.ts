// Whole packages over SMP: the firmware's server takes one into the slot that does not run, lists the image in it, and its
// bootloader unpacks it while swapping or runs it in place. The power goes before each flash step of that.
import { beforeAll, describe, expect, test } from 'vitest'
import { failed } from '../../main/base/failure.ts'
import { toHex, utf8 } from '../../main/base/bytes.ts'
import { packInPlace } from '../../main/cms/in-place.ts'
import type { TrustAnchor } from '../../main/cms/trust.ts'
import { inspectImage } from '../../main/image/inspect.ts'
import { signImage } from '../../main/image/sign.ts'
import { openSigner } from '../../main/keys/signer.ts'
import { practiceHardware, profiles } from '../../main/practice/profiles.ts'
import type { BoardProfile } from '../../main/practice/profiles.ts'
import { deflate, firmware, good, hardware, house, keyOf, orderWith, packed } from '../cms/making.ts'
import { imageB, publicKey, rigWith } from './rig.ts'
import type { Rig } from './rig.ts'

const unwrap: BoardProfile = { ...profiles['practice-unwrap']!, bufferBytes: 2048 }
const inPlace: BoardProfile = { ...profiles['practice-in-place']!, bufferBytes: 2048 }
const image = () => imageB('ecdsa-p256')
let anchors: readonly TrustAnchor[] = []
let whole = new Uint8Array(0)

beforeAll(async () => {
  const { bare, keyAnchors } = await house()
  anchors = keyAnchors
  whole = (await packed(bare, { firmware: image() })).bytes.slice()
})

type Listed = Readonly<{ slot: number; version: string; hash: Uint8Array; active: boolean; confirmed: boolean; pending: boolean; bootable: boolean }>
const list = async (rig: Rig) => ((await rig.ask({ op: 'read', group: 1, command: 0 }, 50))?.body['images'] ?? []) as Listed[]
const running = async (rig: Rig) => (await list(rig)).find(({ active }) => active)?.version
const reset = async (rig: Rig) => {
  await rig.ask({ group: 0, command: 5 })
  await rig.clock.wind(5000)
  rig.take()
}

async function bring(rig: Rig, bytes: Uint8Array, confirm = false): Promise<void> {
  expect(await rig.upload(bytes, 1024, 5)).toMatchObject({ off: bytes.length })
  const { hash } = (await list(rig)).find(({ active }) => !active)!
  await rig.ask({ group: 1, command: 0, body: { hash, confirm } }, 50)
}

test('the profiles name the hardware that the tests\' packages are for', () => {
  expect(practiceHardware).toBe(hardware)
})

describe('unpacked while swapping', () => {
  test('the image in the package is listed by its own version and hash, tried, confirmed, and stays', async () => {
    const rig = await rigWith({ profile: unwrap, anchors })
    await rig.upload(whole, 1024, 5)
    const listed = (await list(rig))[1]!
    const report = good(inspectImage(image()))
    expect([listed.slot, listed.version, toHex(listed.hash), listed.bootable]).toEqual([1, '1.1.0.7', report.hash?.claimed, true])
    await rig.ask({ group: 1, command: 0, body: { hash: listed.hash, confirm: false } }, 50)
    expect((await list(rig))[1]).toMatchObject({ pending: true })
    await reset(rig)
    expect(await list(rig)).toMatchObject([{ version: '1.1.0.7', active: true, confirmed: false }, { version: '1.0.0', confirmed: true }])
    await rig.ask({ group: 1, command: 0, body: { confirm: true } }, 50)
    await reset(rig)
    expect((await list(rig))[0]).toMatchObject({ version: '1.1.0.7', active: true, confirmed: true })
  })

  test('without a confirm the old image is back after the next reset', async () => {
    const rig = await rigWith({ profile: unwrap, anchors })
    await bring(rig, whole)
    await reset(rig)
    expect(await running(rig)).toBe('1.1.0.7')
    await reset(rig)
    expect(await running(rig)).toBe('1.0.0')
  })

  test('a plain image still goes its usual way', async () => {
    const rig = await rigWith({ profile: unwrap, anchors })
    await bring(rig, image())
    await reset(rig)
    expect(await running(rig)).toBe('1.1.0.7')
  })

  test('one signed by nobody the board knows is listed and tried, but never boots, and its slot is empty afterwards', async () => {
    const rig = await rigWith({ profile: unwrap, anchors })
    const { bare } = await house('ecdsa-p384')
    await bring(rig, (await packed(bare, { firmware: image() })).bytes)
    await reset(rig)
    expect(await list(rig)).toMatchObject([{ version: '1.0.0', active: true }])
    expect((await list(rig)).length).toBe(1)
  })

  test('an encrypted one whose key the board lacks has no image that could be listed', async () => {
    const rig = await rigWith({ profile: unwrap, anchors })
    await rig.upload(await layered('encrypted'), 1024, 5)
    expect((await list(rig)).length).toBe(1)
  })

  test('a SEQUENCE that is not as long as the upload is refused by its magic, and so is any package on another board', async () => {
    const refusal = async (profile: BoardProfile, data: Uint8Array, len: number) => ((await (await rigWith({ profile, anchors })).ask({ group: 1, command: 1, body: { off: 0, len, data } }, 5))?.body['err'] as { rc: number } | undefined)?.rc
    expect(await refusal(unwrap, whole.subarray(0, 1024), whole.length - 1)).toBe(23)
    expect(await refusal(profiles['practice']!, whole.subarray(0, 256), whole.length)).toBe(23)
    expect(await refusal(unwrap, whole.subarray(0, 1024), whole.length)).toBeUndefined()
  })

  test('the power goes before any one flash step of the unpacking: the new image boots when it is back, and the old one after it', async () => {
    const rig = await rigWith({ profile: unwrap, anchors })
    await bring(rig, whole)
    const marked = rig.board.flash.snapshot()
    rig.board.close()
    let steps = 0
    for (let beforeStep = 1; ; beforeStep++) {
      const again = await rigWith({ profile: unwrap, anchors, content: marked.slice(), fault: { is: 'power-cut', beforeStep } })
      await again.clock.wind(5000)
      again.take()
      const cut = again.board.fault === null
      expect(`cut before ${beforeStep}: ${await running(again)}`).toBe(`cut before ${beforeStep}: 1.1.0.7`)
      again.board.setFault(null)
      await reset(again)
      expect(`cut before ${beforeStep}, then ${await running(again)}`).toBe(`cut before ${beforeStep}, then 1.0.0`)
      again.board.close()
      if (!cut) break
      steps++
    }
    expect(steps).toBeGreaterThan(20)
  }, 60_000)
})

const firmwareKey = { id: utf8('line 3'), key: new Uint8Array(32).fill(7) }
const wrappingKey = { id: utf8('boards'), key: new Uint8Array(16).fill(8) }
const layerings = ['compressed', 'encrypted', 'compressed and encrypted', 'encrypted, its key wrapped'] as const

async function layered(how: (typeof layerings)[number], content = image()): Promise<Uint8Array> {
  const { bare } = await house()
  const random = (bytes: number) => new Uint8Array(bytes).fill(3)
  const encrypt = { secret: firmwareKey, random, ...(how.endsWith('wrapped') ? { wrapFor: wrappingKey } : {}) }
  return (await packed(bare, { firmware: content, ...(how.startsWith('compressed') ? { compress: deflate } : {}), ...(how.includes('encrypted') ? { encrypt } : {}) })).bytes
}

describe('unpacked behind the package, then swapped', () => {
  const keyed = (how: string) => ({ profile: unwrap, anchors, firmwareKeys: [how.endsWith('wrapped') ? wrappingKey : firmwareKey] })

  test.each(layerings)('%s: listed by the image\'s own version and hash, tried, confirmed, and stays', async (how) => {
    const rig = await rigWith(keyed(how))
    await rig.upload(await layered(how), 1024, 5)
    const listed = (await list(rig))[1]!
    expect([listed.slot, listed.version, toHex(listed.hash), listed.bootable]).toEqual([1, '1.1.0.7', good(inspectImage(image())).hash?.claimed, true])
    await rig.ask({ group: 1, command: 0, body: { hash: listed.hash, confirm: false } }, 50)
    await reset(rig)
    expect(await list(rig)).toMatchObject([{ version: '1.1.0.7', active: true, confirmed: false }, { version: '1.0.0', confirmed: true }])
    await rig.ask({ group: 1, command: 0, body: { confirm: true } }, 50)
    await reset(rig)
    expect((await list(rig))[0]).toMatchObject({ version: '1.1.0.7', active: true, confirmed: true })
  })

  test.each<[string, () => Promise<Uint8Array>]>([
    ['damaged ciphertext behind a good signature over it', async () => {
      const other = { ...firmwareKey, key: new Uint8Array(32).fill(9) }
      return (await packed((await house()).bare, { firmware: image(), encrypt: { secret: other, random: (bytes) => new Uint8Array(bytes) } })).bytes
    }],
    ['an image too large to lie unpacked beside its package', async () => {
      const slot = unwrap.slot1.sizeBytes
      return (await packed((await house()).bare, { firmware: firmware(Math.floor(slot * 0.6)), encrypt: { secret: firmwareKey, random: (bytes) => new Uint8Array(bytes) } })).bytes
    }],
    ['something compressed that would fill more than the slot', async () => (await packed((await house()).bare, { firmware: new Uint8Array(4 * 1024 * 1024), compress: deflate })).bytes],
  ])('%s never boots, and nothing of it is left', async (_what, make) => {
    const rig = await rigWith(keyed('encrypted'))
    const bytes = await make()
    expect(await rig.upload(bytes, 1024, 5)).toMatchObject({ off: bytes.length })
    // No server lists it, so no station could mark it: it is marked past the server.
    rig.board.slots.secondary.trailer.writeMagic()
    await reset(rig)
    expect(await list(rig)).toMatchObject([{ version: '1.0.0', active: true, confirmed: true }])
    expect(rig.board.slots.secondary.area.isErased()).toBe(true)
  })
})

describe('in place', () => {
  async function laidOut(slotAddress: number, minor: number): Promise<Uint8Array> {
    const { bare } = await house()
    const { firmware: _firmware, ...order } = orderWith()
    // The factory image is another key's; packages bring images of the packages' own key here.
    const signer = good(openSigner(await keyOf('ecdsa-p256', 0)))
    return good(await packInPlace(order, { slotAddress, vectorAlign: 512, headerBytesMin: 32, roundsMax: 20 }, bare, async ({ headerBytes, vectorAddress }) => {
      const signed = await signImage(firmware(9000), { version: { major: 1, minor, revision: 0, build: 0 }, headerBytes, padHeader: true, slotBytes: inPlace.slot1.sizeBytes, romFixed: vectorAddress - headerBytes }, signer)
      return failed(signed) ? signed : signed.bytes
    })).made.bytes
  }
  const both = async () => {
    const { signer } = await house()
    return [publicKey('board-ecdsa-p256'), signer.signer.publicKey]
  }

  test('tried, confirmed, and the next one goes into the other slot and back when it is not confirmed', async () => {
    const rig = await rigWith({ profile: inPlace, anchors, trust: await both() })
    expect(await running(rig)).toBe('1.0.0')
    await bring(rig, await laidOut(inPlace.slot1.address, 2))
    await reset(rig)
    expect(await running(rig)).toBe('1.2.0')
    await rig.ask({ group: 1, command: 0, body: { confirm: true } }, 50)
    await reset(rig)
    expect(await running(rig)).toBe('1.2.0')
    await bring(rig, await laidOut(inPlace.slot0.address, 3))
    await reset(rig)
    expect(await running(rig)).toBe('1.3.0')
    await reset(rig)
    expect(await running(rig)).toBe('1.2.0')
  })

  test('one laid out for the slot that runs is refused at its first piece: its code is linked for another address', async () => {
    const rig = await rigWith({ profile: inPlace, anchors, trust: await both() })
    const bytes = await laidOut(inPlace.slot0.address, 2)
    const reply = await rig.ask({ group: 1, command: 1, body: { off: 0, len: bytes.length, data: bytes.subarray(0, 1024) } }, 5)
    expect(reply?.body['err']).toEqual({ group: 1, rc: 25 })
  })

  test('one that is compressed lies there for nothing: no image is listed, and the board runs on', async () => {
    const rig = await rigWith({ profile: inPlace, anchors, trust: await both() })
    await rig.upload(await layered('compressed'), 1024, 5)
    expect((await list(rig)).map(({ version }) => version)).toEqual(['1.0.0'])
    rig.board.slots.secondary.trailer.writeMagic()
    await reset(rig)
    expect(await running(rig)).toBe('1.0.0')
  })
})

test('hostile first pieces never stop the server', async () => {
  const rig = await rigWith({ profile: unwrap, anchors })
  for (let at = 0; at < 120; at++) {
    for (const value of [0x00, 0x80, 0x84, 0xff]) {
      const data = whole.slice(0, 200)
      data[at] = value
      expect(await rig.ask({ group: 1, command: 1, body: { off: 0, len: whole.length, data } }, 5)).not.toBeNull()
      expect((await list(rig)).length).toBeGreaterThan(0)
    }
  }
})
