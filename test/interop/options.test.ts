// docs/imgtool.md promises every option of imgtool 2.4.0. Here its table is held against our own command line; imgtool.test.ts
// holds it against what imgtool says of itself. No row may be without an option or a reason, and every test named must exist.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { expect, test } from 'vitest'
import type { Act, Declare } from '../../main/cli/call.ts'
import { commandRows, optionCommands, optionRows } from './imgtool/table.ts'

const root = join(import.meta.dirname, '..', '..')

const files: Readonly<Record<(typeof optionCommands)[number], () => Promise<{ declare: Declare }>>> = {
  keygen: () => import('../../main/cli/commands/keygen.ts'),
  getpub: () => import('../../main/cli/commands/getpub.ts'),
  getpubhash: () => import('../../main/cli/commands/getpubhash.ts'),
  getpriv: () => import('../../main/cli/commands/getpriv.ts'),
  verify: () => import('../../main/cli/commands/verify.ts'),
  dumpinfo: () => import('../../main/cli/commands/dumpinfo.ts'),
  sign: () => import('../../main/cli/commands/sign.ts'),
}

async function ourFlags(name: keyof typeof files): Promise<string[]> {
  const command = new Command(name)
  const act: Act = () => async () => {}
  const file = await files[name]()
  file.declare(command, act)
  return command.options.map(({ short, long }) => (short === undefined ? long! : `${short}, ${long!}`))
}

test('the table is there and every row is whole', () => {
  expect(commandRows.length).toBeGreaterThan(8)
  expect(optionRows.length).toBeGreaterThan(50)
  for (const { command, theirs, ours, difference } of optionRows) {
    expect(Object.keys(files)).toContain(command)
    expect(ours !== '' || difference !== '', `${command} ${theirs} is missing here without a reason`).toBe(true)
  }
})

test('every test it names exists', () => {
  const named = new Set([...commandRows.map((row) => row[2] ?? ''), ...optionRows.map((row) => row.tests)].flatMap((cell) => cell.split(', ')))
  expect([...named].filter((file) => file === '' || !existsSync(join(root, 'test', file)))).toEqual([])
})

test.each(optionCommands)('%s has every option that the table says it has, under the same short name', async (name) => {
  const flags = await ourFlags(name)
  expect(optionRows.filter((row) => row.command === name && row.ours !== '').map((row) => row.ours).filter((flag) => !flags.includes(flag))).toEqual([])
})

test('every option of sign stands in the window, or in the list of those that have another place there', () => {
  const desk = join(root, 'renderer', 'desk')
  const shown = new Set(readdirSync(desk).flatMap((name) => [...readFileSync(join(desk, name), 'utf8').matchAll(/(?<![\w-])--?[a-zA-Z][a-z-]*/g)].map(([flag]) => flag)))
  const listed = [...readFileSync(join(root, 'docs', 'imgtool.md'), 'utf8').matchAll(/^\| (-[^|]*?) \| [^|]+ \|$/gm)].map(([, flag = '']) => flag)
  const ours = optionRows.filter(({ command }) => command === 'sign').map(({ theirs }) => theirs)
  expect(ours.length).toBe(39)
  expect(ours.filter((flag) => !listed.includes(flag) && !flag.split(', ').some((one) => shown.has(one)))).toEqual([])
  expect(listed.filter((flag) => !ours.includes(flag))).toEqual([])
})
