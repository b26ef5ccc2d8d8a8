// A command that was called wrongly answers as somebody beside you would: all that is missing at once and what each of it is,
// what it takes where there was too much, and a file's name with a space in it recognised for what it is. commander names one
// thing at a time and counts; these are the methods it says it with (lib/command.js of 14.0.3, not in its types).
import { existsSync } from 'node:fs'
import { Command } from 'commander'
import type { Argument, Option } from 'commander'

/** Words of a person that are shown again, each cut to this. */
const shownMax = 60

/** What commander calls on itself when a call does not fit. */
type Private = Readonly<{ unknownOption(flag: string): void; optionMissingArgument(option: Option): void }>

const either = new WeakMap<Command, string[][]>()

/** Of these options, by their long names, a call needs one; the first is named when there is none. The handler holds it. */
export function needsOneOf(command: Command, ...longs: string[]): void {
  either.set(command, [...either.get(command) ?? [], longs])
}

export class Spoken extends Command {
  override createCommand(name?: string): Spoken {
    return new Spoken(name)
  }

  /** Overrides commander's own. */
  missingArgument(): void {
    this.#saysWhatIsMissing()
  }

  /** Overrides commander's own. */
  missingMandatoryOptionValue(): void {
    this.#saysWhatIsMissing()
  }

  /** Overrides commander's own, which tells the flags alone. */
  optionMissingArgument(option: Option): void {
    this.error(`error: ${option.flags} needs a value: ${option.description}.`, { code: 'commander.optionMissingArgument' })
  }

  /** Overrides commander's own, which counts. */
  _excessArguments(received: readonly string[]): void {
    const taken = this.registeredArguments
    const more = received.slice(taken.length).map(quoted).join(' ')
    const takes = taken.length === 0 ? `takes options only, but there is ${more}` : `takes ${taken.map(termOf).join(' ')}, but there is also ${more}`
    // A name with a space that was not quoted comes as several words, of which mostly only the last has an ending.
    const split = taken.length > 0 && received.some((word, at) => at > 0 && /\.[a-z0-9]{1,8}$/i.test(word) && !/\.[a-z0-9]{1,8}$/i.test(received[at - 1] ?? ''))
    // A pattern that was not quoted comes as the names it stands for.
    const hint = received.every((word) => existsSync(word)) ? ' A pattern is put in quotes, or the shell puts names in its place.' : split ? ' A name with a space in it is put in quotes.' : ''
    this.error(`error: ${pathOf(this)} ${takes}.${hint}`, { code: 'commander.excessArguments' })
  }

  /** Overrides commander's own: `--pin-file` on a command with `--new-pin-file` is that, and not who calls. */
  unknownOption(flag: string): void {
    const meant = this.options.find(({ long }) => long !== null && long !== undefined && flag.length > 3 && long.endsWith(flag.slice(1)))
    if (meant === undefined) return (Command.prototype as unknown as Private).unknownOption.call(this, flag)
    this.error(`error: unknown option '${flag}'\n(Did you mean ${meant.long ?? ''}?)`, { code: 'commander.unknownOption' })
  }

  /** All arguments and options that the call lacks, each with what it is. */
  #saysWhatIsMissing(): void {
    const missingArguments = this.registeredArguments.filter((argument, at) => argument.required && this.args[at] === undefined)
    const isMissing = (option: Option) => this.getOptionValue(option.attributeName()) === undefined
    const firsts = (either.get(this) ?? []).flatMap((longs) => {
      const any = longs.flatMap((long) => this.options.find((option) => option.long === long) ?? [])
      return any.every(isMissing) ? any.slice(0, 1) : []
    })
    const missingOptions = this.options.filter((option) => (option.mandatory && isMissing(option)) || firsts.includes(option))
    const missing = [...missingArguments.map((argument) => ({ term: termOf(argument), says: argument.description })), ...missingOptions.map((option) => ({ term: option.flags, says: option.description }))]
    const width = Math.max(...missing.map(({ term }) => term.length))
    const [first] = missing
    const names = missing.map(({ term }) => term)
    const code = missingArguments.length > 0 ? 'commander.missingArgument' : 'commander.missingMandatoryOptionValue'
    if (missing.length === 1 && first !== undefined) this.error(`error: ${pathOf(this)} needs ${first.term}${first.says === '' ? '' : `: ${first.says}`}.`, { code })
    this.error(`error: ${pathOf(this)} needs ${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}:\n${missing.map(({ term, says }) => `  ${term.padEnd(width)}  ${says}`).join('\n')}`, { code })
  }
}

/** `key policy`: the words that name a command, without the program. */
function pathOf(command: Command): string {
  return command.parent === null || command.parent.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}

function termOf(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '…' : ''}`
  return argument.required ? `<${name}>` : `[${name}]`
}

function quoted(word: string): string {
  const cut = word.length > shownMax ? `${word.slice(0, shownMax)}…` : word
  return `"${cut}"`
}
