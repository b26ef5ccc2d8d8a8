// One board under a hand-wound clock: how long things take on a real part, what it is deaf to, and what its faults do.
import { describe, expect, test } from 'vitest'
import { failed } from '../../main/base/failure.ts'
import type { BoardEvent } from '../../main/practice/board.ts'
import { profiles } from '../../main/practice/profiles.ts'
import { simulatedLink } from '../../main/practice/simulated-link.ts'
import { SmpClient } from '../../main/smp/client.ts'
import { encodeUpload } from '../../main/smp/frames.ts'
import { echo } from '../../main/smp/os.ts'
import { upload } from '../../main/smp/upload.ts'
import { imageB, rigWith } from './rig.ts'
import type { Rig } from './rig.ts'

const image = () => imageB('ecdsa-p256')
const slot1Of = async (rig: Rig) => ((await rig.ask({ op: 'read', group: 1, command: 0 }))!.body['images'] as { hash: Uint8Array; version: string }[])[1]!
const active = async (rig: Rig) => ((await rig.ask({ op: 'read', group: 1, command: 0 }))?.body['images'] as { version: string; confirmed: boolean }[])[0]!

/** Uploads B, marks it and asks for the reset; the board is then on its way. */
async function bring(rig: Rig, confirm = false): Promise<void> {
  await rig.upload(image())
  const { hash } = await slot1Of(rig)
  await rig.ask({ group: 1, command: 0, body: { hash, confirm } })
  await rig.ask({ group: 0, command: 5 })
}

const reset = (rig: Rig) => rig.ask({ group: 0, command: 5 })

describe('with the flash of an nRF52840', () => {
  const nrf = profiles['nrf52840']!

  test('a dirty slot takes seconds to erase, and what was asked meanwhile is answered at the end, in order', async () => {
    const rig = await rigWith({ profile: { ...nrf, imageCheck: false } })
    const first = { off: 0, data: image().subarray(0, 256), len: 380_000 }
    for (let off = 0; off < 5120; off += 256) await rig.ask({ group: 1, command: 1, body: off === 0 ? first : { off, data: image().subarray(off, off + 256) } }, 100)
    await rig.ask({ group: 1, command: 1, body: first })
    await rig.ask({ group: 0, command: 0, body: { d: 'one' } })
    await rig.ask({ group: 0, command: 0, body: { d: 'two' } })
    await rig.clock.wind(7800)
    expect(rig.replies()).toEqual([])
    await rig.clock.wind(400)
    expect(rig.replies().map(({ body }) => body)).toEqual([{ off: 256 }, { r: 'one' }, { r: 'two' }])
  })

  test('an explicit erase takes 8.9 s, and losing power in it leaves the sectors it had not reached', async () => {
    const rig = await rigWith({ profile: nrf })
    await rig.upload(image(), 256, 10)
    await rig.clock.wind(1000)
    expect(await rig.ask({ group: 1, command: 5 }, 8800)).toBeNull()
    await rig.clock.wind(200)
    expect(rig.replies()).toHaveLength(1)

    await rig.upload(image(), 256, 10)
    await rig.clock.wind(1000)
    await rig.ask({ group: 1, command: 5 }, 85 * 3 + 10)
    rig.board.powerOff()
    const { area } = rig.board.slots.secondary
    expect(area.isErased(0, 3 * 4096)).toBe(true)
    expect(area.isErased(4 * 4096, 4096)).toBe(false)
  })

  test('a swap is silent for seconds; power lost in the middle is resumed, and the new image runs', async () => {
    const rig = await rigWith({ profile: nrf })
    await rig.upload(image(), 256, 10)
    await rig.clock.wind(2000)
    const { hash } = await slot1Of(rig)
    await rig.ask({ group: 1, command: 0, body: { hash, confirm: false } }, 10)
    await rig.ask({ group: 0, command: 5 }, 2500)
    expect(rig.board.state).toBe('booting')
    rig.board.powerOff()
    expect(rig.board.slots.primary.trailer.state()).toMatchObject({ magic: 'good', copyDone: 'unset' })
    rig.board.powerOn()
    await rig.clock.wind(5000)
    expect(await active(rig)).toMatchObject({ version: '1.1.0.7', confirmed: false })
  })
})

describe('reset', () => {
  test('comes 250 ms after the reply, and the upload begun before it is forgotten', async () => {
    const rig = await rigWith()
    const sha = new Uint8Array(32).fill(7)
    await rig.ask({ group: 1, command: 1, body: { off: 0, data: image().subarray(0, 256), len: 33_435, sha } })
    expect((await reset(rig))!.body).toEqual({})
    expect((await rig.ask({ group: 0, command: 0, body: { d: 'still?' } }, 249))!.body).toEqual({ r: 'still?' })
    expect(rig.board.state).toBe('running')
    await rig.clock.wind(1)
    expect(rig.board.state).toBe('booting')
    expect(await rig.ask({ group: 0, command: 0, body: { d: 'deaf' } })).toBeNull()
    await rig.clock.wind(100)
    expect((await rig.ask({ group: 1, command: 1, body: { off: 256, data: image().subarray(256, 512) } }))!.body).toEqual({ off: 0 })
  })

  test('lets the bootloader and the firmware talk on the console, between which frames are still found', async () => {
    const rig = await rigWith()
    await bring(rig)
    await rig.clock.wind(2000)
    rig.replies()
    expect(rig.noise.join('\n')).toMatch(/Booting MCUboot[\s\S]*Swap type: test[\s\S]*Image version: v1\.1\.0\.7[\s\S]*Booting Zephyr OS/)
  })
})

describe('faults', () => {
  test('firmware that hangs is silent for good, and the old one answers after a power cycle', async () => {
    const rig = await rigWith({ fault: { is: 'hangs' } })
    expect((await rig.ask({ group: 0, command: 0, body: { d: 'old' } }))!.body).toEqual({ r: 'old' })
    await bring(rig)
    await rig.clock.wind(60_000)
    expect(await rig.ask({ group: 0, command: 0, body: { d: 'new' } }, 1000)).toBeNull()
    rig.board.reset()
    await rig.clock.wind(1000)
    expect(await active(rig)).toMatchObject({ version: '1.0.0', confirmed: true })
  })

  test('firmware that fails its proof answers, but wrongly', async () => {
    const rig = await rigWith({ fault: { is: 'fails-proof' } })
    await bring(rig)
    await rig.clock.wind(1000)
    expect((await rig.ask({ group: 0, command: 0, body: { d: 'proof' } }))!.body['r']).not.toBe('proof')
    await reset(rig)
    await rig.clock.wind(1000)
    expect((await rig.ask({ group: 0, command: 0, body: { d: 'proof' } }))!.body).toEqual({ r: 'proof' })
  })

  test('a power cut in the swap strikes once, and the board comes back by itself with the new image', async () => {
    const rig = await rigWith({ fault: { is: 'power-cut', beforeStep: 40 } })
    await bring(rig)
    await rig.clock.wind(350)
    expect(rig.board.state).toBe('off')
    await rig.clock.wind(2000)
    expect(rig.board.fault).toBeNull()
    expect(await active(rig)).toMatchObject({ version: '1.1.0.7', confirmed: false })
  })

  test('the cable comes off at its share of the upload, and a simulated link says unplugged', async () => {
    const rig = await rigWith({ fault: { is: 'unplug', atShare: 0.4 } })
    const link = simulatedLink(rig.board, { clock: rig.clock, baud: 1_000_000 })
    const events: BoardEvent[] = []
    rig.board.onEvent((event) => {
      events.push(event)
      if (event.is === 'unplugged') link.unplug()
    })
    const client = new SmpClient(link, rig.clock)
    const frames = encodeUpload(image(), { bufferBytes: 384 })
    if (failed(frames)) throw new Error(frames.says)
    const ended = await rig.clock.settle(upload(client, rig.clock, frames, { windowMax: 2 }))
    expect(ended).toMatchObject({ kind: 'unplugged' })
    expect(failed(ended) ? Number(ended.facts['ackedBytes']) / image().length : 1).toBeCloseTo(0.4, 1)
    expect(events.map(({ is }) => is)).toEqual(['down', 'unplugged'])
    client.close()
  })
})

describe('a simulated link', () => {
  test('carries an upload at the rate of its line and leaves no timer behind', async () => {
    const rig = await rigWith({ profile: profiles['practice']! })
    const link = simulatedLink(rig.board, { clock: rig.clock, baud: 115_200 })
    const client = new SmpClient(link, rig.clock)
    const frames = encodeUpload(image(), { bufferBytes: 384 })
    if (failed(frames)) throw new Error(frames.says)
    const result = await rig.clock.settle(upload(client, rig.clock, frames, { windowMax: 2 }))
    if (failed(result)) throw new Error(result.says)
    const wireBytes = Math.ceil(image().length / frames.laterChunkBytes) * 519
    expect(result.seconds).toBeGreaterThan((wireBytes * 10) / 115_200 * 0.95)
    expect(result.seconds).toBeLessThan((wireBytes * 10) / 115_200 * 1.03)
    expect(await rig.clock.settle(client.request(echo, { text: 'done' }))).toEqual({ text: 'done' })
    client.close()
    await link.close()
    rig.board.close()
    expect(rig.clock.pending).toBe(0)
  })
})
