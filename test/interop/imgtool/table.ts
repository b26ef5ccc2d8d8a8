// The table of docs/imgtool.md as data: its rows of commands and of options.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..', '..')
const table = readFileSync(join(root, 'docs', 'imgtool.md'), 'utf8').split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()))
/** imgtool's name, ours, tests, difference. */
export const commandRows = table.filter((row) => row.length === 4 && row[0] !== 'imgtool')
export const optionRows = table.filter((row) => row.length === 5 && row[0] !== 'command')
  .map(([command = '', theirs = '', ours = '', tests = '', difference = '']) => ({ command, theirs, ours, tests, difference }))

/** imgtool's commands that have options of their own in the table. */
export const optionCommands = ['keygen', 'getpub', 'getpubhash', 'getpriv', 'verify', 'dumpinfo', 'sign'] as const
