// DTR and RTS as the station drives them, on a fake port: a pseudo-terminal has no such lines, so what reaches the driver
// is what is looked at here.
import { EventEmitter } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { failed } from '../../main/base/failure.ts'
import { DescriptorLink } from '../../main/link/descriptor.ts'
import type { AllLines } from '../../main/link/lines.ts'
import { openSerial } from '../../main/link/serial.ts'
import { openPty } from '../../main/practice/pty.ts'

const toClose: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close()
})

function fakePort(refuses = false): { link: DescriptorLink; told: AllLines[] } {
  const folder = mkdtempSync(join(tmpdir(), 'slotwright-lines-'))
  toClose.push(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'port'), '')
  const fd = openSync(join(folder, 'port'), 'r+')
  const told: AllLines[] = []
  const port = {
    fd,
    poller: Object.assign(new EventEmitter(), { poll: () => {} }),
    set: (lines: AllLines) => (refuses ? Promise.reject(new Error('Error: Inappropriate ioctl for device, cannot set')) : (told.push(lines), Promise.resolve())),
    close: () => Promise.resolve(closeSync(fd)),
  }
  const link = new DescriptorLink('/dev/ttyUSB9', port)
  toClose.push(() => link.close())
  return { link, told }
}

test('setting one line leaves the other as it was, which the driver would not', async () => {
  const { link, told } = fakePort()
  for (const lines of [{ rts: false }, { dtr: false }, { rts: true }, {}]) expect(await link.setLines(lines)).toBeUndefined()
  expect(told.map(({ dtr, rts }) => [dtr, rts])).toEqual([[true, false], [false, false], [false, true], [false, true]])
  expect(told.every(({ brk }) => !brk)).toBe(true)
})

test('a port without these lines says so in a sentence, and remembers nothing of what failed', async () => {
  const { link } = fakePort(true)
  const refused = await link.setLines({ rts: false })
  expect(refused).toMatchObject({ kind: 'no-lines' })
  expect(failed(refused) && refused.says).toMatch(/ttyUSB9 cannot set DTR and RTS \(Inappropriate ioctl/)
})

test('a port that was closed sets no lines', async () => {
  const { link, told } = fakePort()
  await link.close()
  expect(await link.setLines({ dtr: true })).toMatchObject({ kind: 'stopped' })
  expect(told).toEqual([])
})

test('a pseudo-terminal is opened by a profile that wants lines: it has none, and nothing to reset by them', async () => {
  const pty = await openPty()
  if (failed(pty)) throw new Error(pty.says)
  toClose.push(() => pty.close())
  const link = await openSerial({ path: pty.path, dtr: false, rts: false })
  if (failed(link)) throw new Error(link.says)
  toClose.push(() => link.close())
  expect(await link.setLines?.({ dtr: true })).toMatchObject({ kind: 'no-lines' })
})
