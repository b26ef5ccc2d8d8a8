// The command line as a whole: the table of commands, and the one place where an answer or a failure becomes stdout,
// stderr and an exit code. A command's own file is loaded only when that command is called, since `sign` runs once per
// build and must not pay for serial ports or the database of a provisioning line.
import { CommanderError } from 'commander'
import type { Command, OutputConfiguration } from 'commander'
import { version } from '../../package.json'
import { Failure, failed } from '../base/failure.ts'
import { usageKind } from './call.ts'
import { joinPairs } from './numbers.ts'
import { inName } from './who.ts'
import type { AsOptions } from './who.ts'
import type { Act, Answer, Call, Declare, Surroundings } from './call.ts'
import { paintFor, writerOn } from './terminal.ts'
import type { Writer } from './terminal.ts'
import { Spoken } from './usage.ts'

export const exitDone = 0
export const exitRefused = 1
export const exitUsage = 2

type Row = Readonly<{ says: string; group: string; alias?: string; load: () => Promise<{ declare: Declare }> }>

const images = 'Images and keys:'
const line = 'The line:'
const people = 'People and recipes:'
const audit = 'The log:'
const house = 'The station itself:'

const rows: Readonly<Record<string, Row>> = {
  tour: { group: line, says: 'the whole job on eight practice boards, here in the terminal', load: () => import('./commands/tour.ts') },
  provision: { group: line, says: 'bring an image onto every board of a line and prove it', load: () => import('./commands/provision.ts') },
  practice: { group: line, says: 'run practice boards, each a serial port in a folder, until stopped', load: () => import('./commands/practice.ts') },
  ports: { group: line, says: 'list what is attached', load: () => import('./commands/ports.ts') },
  board: { group: line, says: 'ask one board what it says of itself', load: () => import('./commands/board.ts') },
  explain: { group: line, says: 'what a failure or a board\'s code means: cause, evidence, next step', load: () => import('./commands/explain.ts') },
  profile: { group: line, says: 'board profiles: list, show, add, remove', load: () => import('./commands/profile.ts') },
  sign: { group: images, alias: 'create', says: 'make a signed image, with imgtool\'s options', load: () => import('./commands/sign.ts') },
  size: { group: images, says: 'how large the image would be, and what each swap mode has room for', load: () => import('./commands/size.ts') },
  inspect: { group: images, says: 'show what an image claims, what is proven and what is wrong', load: () => import('./commands/inspect.ts') },
  verify: { group: images, says: 'check an image against a key', load: () => import('./commands/verify.ts') },
  compare: { group: images, says: 'what differs between two images', load: () => import('./commands/compare.ts') },
  dumpinfo: { group: images, says: 'print header, TLVs and trailer as imgtool does', load: () => import('./commands/dumpinfo.ts') },
  package: { group: images, says: 'firmware packages (CMS, RFC 4108): make, open, inspect, receipts, certificates', load: () => import('./commands/package.ts') },
  keygen: { group: images, says: 'make a key pair in a file', load: () => import('./commands/keygen.ts') },
  key: { group: images, says: 'the station\'s own keys, in files and tokens: list, add, generate, policy, retire', load: () => import('./commands/key.ts') },
  getpub: { group: images, says: 'print the public key for the bootloader', load: () => import('./commands/getpub.ts') },
  getpubhash: { group: images, says: 'print the public key\'s hash (KEYHASH)', load: () => import('./commands/getpubhash.ts') },
  keyinfo: { group: images, says: 'say whether a file holds a private or a public key', load: () => import('./commands/keyinfo.ts') },
  getpriv: { group: images, says: 'print a private key for a bootloader that decrypts', load: () => import('./commands/getpriv.ts') },
  person: { group: people, says: 'accounts of the people at this station: list, add, roles, PINs, badges', load: () => import('./commands/person.ts') },
  recipe: { group: people, says: 'recipes with revisions: list, show, save, release, withdraw, verify', load: () => import('./commands/recipe.ts') },
  log: { group: audit, says: 'list, show, verify, prove, export, back up and redact the log of this station', load: () => import('./commands/log.ts') },
  history: { group: audit, says: 'what was done to one unit', load: () => import('./commands/history.ts') },
  recall: { group: audit, says: 'which units got an image, and which still run it', load: () => import('./commands/recall.ts') },
  report: { group: audit, says: 'one batch as a page to keep, HTML or PDF', load: () => import('./commands/report.ts') },
  label: { group: audit, says: 'a label for one unit, for a label printer or as PDF', load: () => import('./commands/label.ts') },
  update: { group: house, says: 'the station\'s own next version: set, check, fetch, apply; make and verify for publishers', load: () => import('./commands/update.ts') },
  hook: { group: house, says: 'events for the factory\'s own systems: list, add, remove, test, rewind', load: () => import('./commands/hook.ts') },
  serve: { group: house, says: 'let the factory\'s own systems start and stop batches over HTTP', load: () => import('./commands/serve.ts') },
  witness: { group: audit, says: 'cosign another station\'s log, after checking that it only grew', load: () => import('./commands/witness.ts') },
}

/**
 * Runs one call of the command line.
 * @param words the arguments after the program's name
 * @returns the exit code: 0 done, 1 refused or failed, 2 wrong usage
 */
export async function runCommandLine(words: readonly string[], around: Surroundings): Promise<number> {
  const out = writerOn(around.stdout)
  const err = writerOn(around.stderr)
  const json = wantsJson(words)
  let ending: Answer | Failure = {}
  const act: Act = (handler) => async (...args) => {
    const command = args.at(-1) as Command
    const call = await inName(callOf(command, around, out, err), wordsOf(command), command.optsWithGlobals<AsOptions>())
    ending = failed(call) ? call : await handler(call, command.args, command.opts())
  }
  try {
    await buildProgram(act, { writeOut: (text) => out.words(text), writeErr: (text) => err.words(text) }).parseAsync(joinPairs(helpAsOption(words)), { from: 'user' })
    return report(ending, json, out, err, around)
  } catch (error) {
    if (error instanceof CommanderError) return usage(error, json, out)
    return report(fault(error, around.env), json, out, err, around)
  } finally {
    await Promise.all([out.flushed(), err.flushed()])
  }
}

/** A bug, said as one: the person cannot mend it, and a stack trace would not help them. */
export function fault(error: unknown, env: Surroundings['env']): Failure {
  const message = error instanceof Error ? error.message : String(error)
  const trace = env['SLOTWRIGHT_DEBUG'] === '1' && error instanceof Error ? `\n${error.stack ?? ''}` : ' (SLOTWRIGHT_DEBUG=1 shows where.)'
  return new Failure('fault', `This is a fault in Slotwright, not in what you did: ${message}. Please report it with the command you ran.${trace}`)
}

function buildProgram(act: Act, output: OutputConfiguration): Command {
  const program = new Spoken('slotwright')
    .description('Sign firmware, bring it onto fleets of MCUboot boards, prove what each board did, and keep a log that can be checked.')
    .version(`slotwright ${version}`, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput(output)
    .showHelpAfterError('(slotwright --help says what there is)')
    .addHelpText('after', '\n`slotwright COMMAND --help` says more. Every command takes --json and --home DIR.\nExit code: 0 done, 1 refused or failed, 2 wrong usage.')
  withCommonOptions(program)
  for (const [name, row] of Object.entries(rows)) {
    const command = program.command(name).description(row.says).helpGroup(row.group)
    if (row.alias !== undefined) command.alias(row.alias)
    // Until its file is loaded a command knows none of its arguments; this only keeps help and suggestions working.
    command.allowUnknownOption().allowExcessArguments()
  }
  program.hook('preSubcommand', async (above, command) => {
    const row = above === program ? rows[command.name()] : undefined
    if (row === undefined) return
    await complete(row, command, act)
  })
  return program
}

/** Loads a command's own file and lets it say its arguments. */
async function complete(row: Row, command: Command, act: Act): Promise<void> {
  const { declare } = await row.load()
  command.allowUnknownOption(false).allowExcessArguments(false)
  declare(command, act)
  finish(command)
}

export type HelpPage = Readonly<{ path: string; group: string; text: string }>

/**
 * What `--help` prints of the program (path ''), of each command and of each command below one, in the table's order.
 * Nothing is run. `docs/commands.md` is made of it.
 * @param columns the width of the terminal it is wrapped for
 */
export async function everyHelp(columns: number): Promise<HelpPage[]> {
  let text = ''
  const program = buildProgram(() => () => Promise.resolve(), { writeOut: (more) => { text += more }, getOutHelpWidth: () => columns, getOutHasColors: () => false })
  const pages: HelpPage[] = []
  const read = (command: Command, path: string, group: string): void => {
    text = ''
    command.outputHelp()
    pages.push({ path, group, text })
    for (const below of command.commands) read(below, `${path} ${below.name()}`, group)
  }
  program.outputHelp()
  pages.push({ path: '', group: '', text })
  for (const command of program.commands) {
    const row = rows[command.name()]
    if (row === undefined) continue
    await complete(row, command, () => () => Promise.resolve())
    read(command, command.name(), row.group)
  }
  return pages
}

/** Gives a command and all commands below it the options every command has, and the same manners. */
function finish(command: Command): void {
  command.showHelpAfterError(`Usage: ${pathOf(command)} ${command.usage()}\n(${pathOf(command)} --help says more)`).helpCommand(false)
  if (command.commands.length === 0) withCommonOptions(command)
  for (const below of command.commands) finish(below)
}

function withCommonOptions(command: Command): void {
  command
    .optionsGroup('With every command:')
    .option('--json', 'one JSON document on stdout (or one object a line), words on stderr')
    .option('--home <dir>', 'folder of database, keys and practice flash (default: SLOTWRIGHT_HOME, else the application data folder)')
    .option('--as <name>', 'who calls, where people have accounts')
    .option('--as-pin-file <file>', 'file whose first line is that person\'s PIN (default: asked for)')
    .helpOption('-h, --help', 'print help')
}

/** `key`, `policy`: the words that name it. */
function wordsOf(command: Command): string[] {
  return command.parent === null ? [] : [...wordsOf(command.parent), command.name()]
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}

/** `slotwright help sign` means `slotwright sign --help`; of a command that is not there it is said so. */
function helpAsOption(words: readonly string[]): string[] {
  const [first, about] = words
  if (first !== 'help') return [...words]
  const known = about === undefined || about.startsWith('-') || Object.entries(rows).some(([name, { alias }]) => name === about || alias === about)
  return known ? [...words.slice(1), '--help'] : [about]
}

function wantsJson(words: readonly string[]): boolean {
  const end = words.indexOf('--')
  return words.slice(0, end < 0 ? undefined : end).includes('--json')
}

function callOf(command: Command, around: Surroundings, out: Writer, err: Writer): Call {
  const options = command.optsWithGlobals<{ json?: boolean; home?: string }>()
  return {
    ...around,
    json: options.json === true,
    home: options.home ?? (around.env['SLOTWRIGHT_HOME'] || null),
    out,
    err,
    paint: paintFor(around.stdout, around.env),
    actor: null,
    as: null,
    tell: (words) => err.words(words),
    emit: (object) => { if (options.json === true) out.words(`${JSON.stringify(object)}\n`) },
  }
}

function report(ending: Answer | Failure, json: boolean, out: Writer, err: Writer, around: Surroundings): number {
  if (failed(ending)) {
    const { kind, says, facts } = ending
    if (json) out.words(`${JSON.stringify({ failure: { kind, says, facts } })}\n`)
    // A refused package has the standard's own code (RFC 4108 §4.1), which its maker can look up.
    const { rfc4108, code } = facts
    const standard = typeof rfc4108 === 'number' && typeof code === 'string' ? ` (RFC 4108: ${code}, ${rfc4108})` : ''
    err.words(`${paintFor(around.stderr, around.env).bad('slotwright:')} ${says}${standard}\n`)
    return kind === usageKind ? exitUsage : exitRefused
  }
  if (json) {
    if (ending.document !== undefined) out.words(`${JSON.stringify(ending.document)}\n`)
  } else if (ending.bytes !== undefined) {
    out.bytes(ending.bytes)
  } else if (ending.words !== undefined && ending.words !== '') {
    out.words(ending.words.endsWith('\n') ? ending.words : `${ending.words}\n`)
  }
  return ending.good === false ? exitRefused : exitDone
}

/** Commander has already written help or complaint; here only the exit code and the document are left. */
function usage(error: CommanderError, json: boolean, out: Writer): number {
  const asked = ['commander.helpDisplayed', 'commander.version'].includes(error.code)
  if (asked) return exitDone
  if (json) {
    const says = error.code === 'commander.help' ? 'No command was given.' : error.message.replace(/^error: /, '').split(/:?\n/, 1)[0] ?? ''
    out.words(`${JSON.stringify({ failure: { kind: 'usage', says, facts: {} } })}\n`)
  }
  return exitUsage
}
