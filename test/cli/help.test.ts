// The page of every command (docs/commands.md) is what the program prints for --help, so that it cannot fall behind;
// `npm run docs` writes it anew. What every help owes its reader is held here too: a sentence for the command and for each option.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { everyHelp } from '../../main/cli/program.ts'
import type { HelpPage } from '../../main/cli/program.ts'

const root = join(import.meta.dirname, '..', '..')
const pages = await everyHelp(110)

const opening = `# Every command

What \`slotwright COMMAND --help\` prints, written here by \`npm run docs\`; a test fails when it is older than the program. From a clone
the program is \`bin/slotwright\`. The options *with every command* stand here once and are left out below. How the commands go
together is told for the [operator](operator.md), the [engineer](engineer.md) and the [auditor](auditor.md).
`

/** Without the options that every command has. */
const ownOf = (text: string): string => text.replace(/\nWith every command:\n(?: {2,}.*\n)+/, '').replace(/\nOptions:\n {2}-h, --help +print help\n/, '')

function section({ path, text }: HelpPage): string {
  const depth = path.split(' ').length
  return `${'#'.repeat(depth + 2)} ${path}\n\n\`\`\`text\n${ownOf(text).trimEnd()}\n\`\`\`\n`
}

function page(): string {
  const groups = [...new Set(pages.map(({ group }) => group))].filter((group) => group !== '')
  const parts = groups.map((group) => [`## ${group.replace(/:$/, '')}\n`, ...pages.filter((one) => one.group === group).map(section)].join('\n'))
  return [opening, `\`\`\`text\n${(pages[0]?.text ?? '').trimEnd()}\n\`\`\`\n`, ...parts].join('\n')
}

test('docs/commands.md is what the program says of itself: npm run docs writes it', async () => {
  await expect(page()).toMatchFileSnapshot('../../docs/commands.md')
})

test.each(pages.filter(({ path }) => path !== '').map(({ path, text }) => [path, text]))('%s says what it does, and what each of its arguments and options is', (_path, text) => {
  const [usage, , says = ''] = text.split('\n')
  expect(usage).toMatch(/^Usage: slotwright /)
  expect(says).toMatch(/\S{2}/)
  const lines = text.split('\n')
  const silent = lines.filter((line, at) => /^ {2}(?!slotwright )\S/.test(line) && !/^ {2}\S.*? {2,}\S/.test(line) && !/^ {10,}\S/.test(lines[at + 1] ?? ''))
  expect(silent).toEqual([])
  // Arguments are listed as soon as one of them has a sentence, so that a silent one among them was found above.
  if (/[<[](?!options|command)[a-z]/.test(usage ?? '')) expect(text).toContain('\nArguments:\n')
})

test('README names every command', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const commands = pages.filter(({ path }) => path !== '' && !path.includes(' ')).map(({ path }) => path)
  expect(commands.filter((command) => !new RegExp(`\`[^\`]*\\b${command}\\b`).test(readme))).toEqual([])
})
