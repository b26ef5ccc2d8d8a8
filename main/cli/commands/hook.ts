// `hook`: where the station's events go, for owners without a window. A secret is printed once, when its hook is made. While
// any command of this home has the station open, what waits is told, for two seconds at its end at the most. Listing only
// reads, and works beside a window.
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { Failure, failed } from '../../base/failure.ts'
import { methods } from '../../contract/api.ts'
import type { HookView } from '../../contract/factory.ts'
import { hooksOf } from '../../station/hooks.ts'
import type { AuditStore } from '../../store/audit.ts'
import { usageKind } from '../call.ts'
import type { Act, Answer, Call } from '../call.ts'
import { wholeNumber } from '../numbers.ts'
import { withLog } from '../read-log.ts'
import { withStation } from '../station-call.ts'
import type { CalledStation } from '../station-call.ts'

const noPorts = { ports: [], keys: [] } as const

export function declare(command: Command, act: Act): void {
  const named = (one: Command) => one.argument('<hook>', 'its id, or the address or folder itself')
  command.command('list').description('where events go, and how far each place has come')
    .action(act<object>((call) => withLog(call, (log) => listed(call, log))))
  command.command('add').description('tell every batch, outcome, refusal and checkpoint from now on to an address or a folder')
    .argument('<place>', 'an https address, or a folder that is there')
    .option('--inside', 'the address lies in the house\'s own network (10.x, localhost, …); http without encryption goes there only')
    .addHelpText('after', '\nEvents are JSON, signed as Standard Webhooks are; the secret for that is printed once, here.\n\nExamples:\n  slotwright hook add https://mes.example.com/slotwright\n  slotwright hook add --inside http://127.0.0.1:9000/\n  slotwright hook add /srv/mes/incoming')
    .action(act<{ inside?: true }>(add))
  named(command.command('remove').description('tell it nothing more; what waits for it is dropped, its secret is gone'))
    .action(act<object>((call, [hook = '']) => on(call, hook, async (station, { id, target }) => {
      const left = await station.removeHook({ hook: id })
      return failed(left) ? left : { document: { hooks: left }, words: `${target} is told nothing more.` }
    })))
  named(command.command('test').description('send it a made-up event, now and once'))
    .action(act<object>((call, [hook = '']) => on(call, hook, async (station, { id, target }) => {
      const view = await station.testHook({ hook: id })
      return failed(view) ? view : { document: view, words: `The test arrived at ${target}.` }
    })))
  named(command.command('rewind').description('tell it everything again from that entry of the log on'))
    .argument('<entry>', 'number of an entry, as "log list" has it', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .action(act<object>((call, [hook = '', entry = '']) => on(call, hook, async (station, { id, target }) => {
      const view = await station.rewindHook({ hook: id, entry: Number(entry) })
      return failed(view) ? view : { document: view, words: `${target} is told everything again from entry ${Number(entry)} on.` }
    })))
}

async function add(call: Call, [place = '']: readonly string[], { inside = false }: { inside?: boolean }): Promise<Answer | Failure> {
  const isAddress = /^https?:/i.test(place)
  const fits = methods.addWebhook.args.safeParse({ url: place, inside })
  if (isAddress && !fits.success) return new Failure(usageKind, `${place.slice(0, 200)}: ${fits.error.issues[0]?.message ?? 'this is no address'}.`)
  return withStation(call, noPorts, async (station) => {
    const made = await (isAddress ? station.addWebhook({ url: place, inside }) : station.addFolderHook({ folder: resolve(place) }))
    if (failed(made)) return made
    const { hook, secret } = made
    const shown = secret === null ? '' : `\nSecret for the receiver, shown this once:\n${secret}`
    return { document: made, words: `${hook.target} is told everything from now on (${hook.id}).${shown}` }
  })
}

function listed({ paint }: Call, log: AuditStore): Answer | Failure {
  const hooks = hooksOf(log)
  if (failed(hooks)) return hooks
  const words = hooks.map((hook) => [`${paint.bold(hook.target)}  ${paint.dim(hook.id)}`, ...stateOf(hook).map((line) => `  ${line}`)].join('\n'))
  return { document: { hooks }, words: words.length === 0 ? 'Events go nowhere. See: slotwright hook add --help' : words.join('\n') }
}

function stateOf({ told, lost, behind, trouble, lastAt, letters }: HookView): string[] {
  const last = lastAt === null ? '' : `, the last one ${lastAt}`
  const waits = behind === 0 ? (trouble === null ? 'nothing waits' : 'a checkpoint waits') : `${behind === 1 ? 'one entry' : `${behind} entries`} of the log still to look at`
  return [
    `${told} told${last}; ${waits}`,
    ...(trouble === null ? [] : [`not told yet: ${trouble.says} (${trouble.tries === 1 ? 'one attempt' : `${trouble.tries} attempts`})`]),
    ...(lost === 0 ? [] : [`${lost} put aside${letters[0] === undefined ? '' : `, the last one: entry ${letters[0].entry}: ${letters[0].says}`}`]),
  ]
}

async function on(call: Call, wanted: string, work: (station: CalledStation, hook: HookView) => Promise<Answer | Failure>): Promise<Answer | Failure> {
  return withStation(call, noPorts, async (station) => {
    const hooks = await station.listHooks({})
    if (failed(hooks)) return hooks
    const found = hooks.filter(({ id, target }) => id === wanted || target === wanted || target === resolve(wanted))
    const [hook] = found
    if (hook === undefined) return new Failure('no-such-hook', `There is no hook "${wanted.slice(0, 200)}". See: slotwright hook list`)
    return found.length > 1 ? new Failure('no-such-hook', `${found.length} hooks go there; name one by its id. See: slotwright hook list`) : await work(station, hook)
  })
}
