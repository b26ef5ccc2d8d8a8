// The station's ports over real pseudo-terminals: boards are given each other's names while the list is still the old one.
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { utf8 } from '../../main/base/bytes.ts'
import { realClock } from '../../main/base/clock.ts'
import { Failure } from '../../main/base/failure.ts'
import type { Link } from '../../main/smp/link.ts'
import { watchPorts } from '../../main/station/attached.ts'
import { Conversation } from '../../main/station/conversation.ts'
import type { Port, Ports } from '../../main/station/ports.ts'
import { Terminal } from '../link/terminal.ts'
import { value } from '../scenarios/simulation.ts'

const toClose: (() => unknown)[] = []
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close()
})

function terminal(): Terminal {
  const made = new Terminal()
  toClose.push(() => made.unplug())
  return made
}

/** The names of a practice folder, in order, and the boards behind them. */
function lay(dir: string, boards: readonly { serial: string; terminal: Terminal }[]): void {
  const list = boards.map(({ serial, terminal: { path } }, at) => {
    const port = join(dir, `ttyP${at}`)
    rmSync(port, { force: true })
    symlinkSync(path, port)
    return { bay: Number(serial.at(-1)), serial, port }
  })
  writeFileSync(join(dir, 'new'), JSON.stringify({ version: 1, pid: process.pid, boards: list }))
  renameSync(join(dir, 'new'), join(dir, 'boards.json'))
}

test('a name that another board has by now is not opened; the board is found under its new one', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'slotwright-attached-'))
  toClose.push(() => rmSync(dir, { recursive: true, force: true }))
  const first = { serial: 'PB-0001', terminal: terminal() }
  const second = { serial: 'PB-0002', terminal: terminal() }
  lay(dir, [first, second])
  const ports = await value(watchPorts({ from: [dir], clock: realClock }))
  toClose.push(() => ports.close())
  const before = ports.list().find(({ unit }) => unit === first.serial)?.path ?? ''
  lay(dir, [second, first])
  expect(await ports.open(before, {}, first.serial)).toMatchObject({ kind: 'not-there' })
  // Given back: the other board's own run has it at once.
  const other = await value(ports.open(before, {}, second.serial))
  await other.close()
  const now = ports.list().find(({ unit }) => unit === first.serial)?.path ?? ''
  expect(now).not.toBe(before)
  const link = await value(ports.open(now, {}, first.serial))
  toClose.push(() => link.close())
  expect(await link.write(utf8('to the first'))).toBeUndefined()
  expect(String(await first.terminal.hear(12))).toBe('to the first')
})

test('a run whose board moved on while its port was opened goes after it', async () => {
  const link: Link = { name: 'b', write: () => Promise.resolve(), onBytes: () => () => {}, onClosed: () => () => {}, close: () => Promise.resolve() }
  const at = (path: string): Port => ({ path, unit: 'PB-0001', serial: 'PB-0001', bay: 1, place: null, maker: null, usb: null, practice: true })
  let here = at('a')
  const asked: string[] = []
  const ports: Pick<Ports, 'list' | 'onChange' | 'open'> = {
    list: () => [here],
    onChange: () => () => {},
    open: (path, _how, unit) => {
      asked.push(`${path} ${unit}`)
      if (path === 'b') return Promise.resolve(link)
      here = at('b')
      return Promise.resolve(new Failure('not-there', 'It is elsewhere.'))
    },
  }
  const talk = new Conversation('PB-0001', ports, realClock)
  toClose.push(() => talk.hangUp())
  await value(talk.client(new AbortController().signal))
  expect(asked).toEqual(['a PB-0001', 'b PB-0001'])
  expect(talk.port?.path).toBe('b')
})
