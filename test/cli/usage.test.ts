// How the command line answers when it is asked for help or used wrongly: exit 2 is for scripts, the sentence for people,
// and `--json` keeps its promise of one document even then.
import { spawn } from 'node:child_process'
import { expect, test } from 'vitest'
import { builtCli, document, environment, folder, run, runtimeExecutable } from './command.ts'

test('help is for stdout and exit 0, of the program and of each command', async () => {
  const [all, one, byWord] = await Promise.all([run(['--help']), run(['sign', '--help']), run(['help', 'sign'])])
  expect(all).toMatchObject({ code: 0, stderr: '' })
  for (const command of ['tour', 'provision', 'practice', 'ports', 'board', 'sign', 'inspect', 'verify', 'keygen', 'key', 'getpub', 'getpubhash', 'log', 'history']) {
    expect(all.stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'))
  }
  expect(one).toMatchObject({ code: 0, stderr: '' })
  expect(one.stdout).toContain('--security-counter')
  expect(byWord.stdout).toBe(one.stdout)
})

test('the version is the one of package.json', async () => {
  const { version } = await import('../../package.json')
  expect(await run(['--version'])).toEqual({ code: 0, stdout: `slotwright ${version}\n`, stderr: '' })
})

test.each([
  ['no command at all', []],
  ['a command that does not exist', ['provison', 'x']],
  ['an option that does not exist', ['verify', 'x', '--kee', 'y']],
  ['a missing argument', ['inspect']],
  ['one argument too many', ['inspect', 'a', 'b']],
  ['a missing required option', ['sign', 'a', 'b', '-v', '1.0.0']],
  ['a number that is none', ['practice', '--dir', 'x', '--boards', 'many']],
  ['a number out of range', ['practice', '--dir', 'x', '--boards', '100000']],
  ['a word that is no choice', ['provision', 'x', '--mode', 'fast']],
  ['a line rate that is no number', ['provision', 'x', '--ports', 'y', '--baud', 'fast']],
  ['a key with no place to write it', ['keygen', '--type', 'ed25519', '--no-passphrase']],
])('%s is wrong usage: exit 2, nothing on stdout, a hint on stderr', async (_, args) => {
  const home = folder()
  const plain = await run(args, { home })
  expect(plain).toMatchObject({ code: 2, stdout: '' })
  expect(plain.stderr).not.toBe('')
  expect(plain.stderr).not.toContain('\n    at ')
  const json = await run([...args, '--json'], { home })
  expect(json.code).toBe(2)
  expect(document<{ failure: { kind: string } }>(json).failure.kind).toBe('usage')
})

test('all that a call lacks is named at once, with what it is, and the way it is written', async () => {
  const { stderr } = await run(['key', 'approve'])
  expect(stderr).toMatch(/key approve needs <key>, <in> and -v, --version <text>:/)
  expect(stderr).toMatch(/^ {2}<in> +firmware/m)
  expect(stderr).toMatch(/^ {2}-v, --version <text> +\S/m)
  expect(stderr).toContain('Usage: slotwright key approve [options] <key> <in>')
  expect((await run(['keygen'])).stderr).toMatch(/keygen needs -t, --type <type> and -o, --out <file>:/)
  expect((await run(['keygen', '-k', 'x.pem'])).stderr).toMatch(/keygen needs -t, --type <type>: one of/)
  expect((await run(['key', 'approve', 'k'])).stderr).toMatch(/key approve needs <in> and -v, --version/)
  expect((await run(['verify', '--key'])).stderr).toMatch(/--key.* needs a value: \S/)
  const json = document<{ failure: { says: string } }>(await run(['key', 'approve', '--json']))
  expect(json.failure.says).not.toContain('\n')
})

test('a name with a space that was not quoted is recognised, and what is too much is shown', async () => {
  expect((await run(['inspect', 'my', 'image.bin'])).stderr).toMatch(/inspect takes <file>, but there is also "image.bin"\. A name with a space in it is put in quotes\./)
  expect((await run(['inspect', runtimeExecutable, builtCli])).stderr).toContain('A pattern is put in quotes')
  expect((await run(['ports', 'x'.repeat(300)])).stderr).toMatch(/ports takes options only, but there is "x{60}…"/)
})

test('an option is taken for its longer name here, not for one that means another thing', async () => {
  expect((await run(['person', 'add', 'Eve', '--role', 'engineer', '--pin-file', 'p'])).stderr).toContain('Did you mean --new-pin-file?')
})

test('help on a command that is not there says so', async () => {
  expect(await run(['help', 'recal'])).toMatchObject({ code: 2, stderr: expect.stringContaining('Did you mean recall?') as string })
})

test('a mistyped command is told its likely name', async () => {
  expect((await run(['provison', 'x'])).stderr).toContain('Did you mean provision?')
})

test('a reader that goes away after the first line is no error', async () => {
  const child = spawn('sh', ['-c', '"$0" "$1" sign --help | head -1', runtimeExecutable, builtCli], { env: environment(), stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (piece: Buffer) => { stdout += piece.toString() })
  child.stderr.on('data', (piece: Buffer) => { stderr += piece.toString() })
  await new Promise((resolve) => child.once('close', resolve))
  expect({ stdout, stderr }).toEqual({ stdout: expect.stringMatching(/^Usage: slotwright sign.*\n$/) as string, stderr: '' })
})
