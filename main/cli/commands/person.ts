// `person`: accounts of the people at this station, for administrators. The first one shuts an open station; from then on
// commands that change something take `--as NAME`. PINs and badge codes come from a file or a terminal, never from arguments.
import type { Command } from 'commander'
import { Failure, failed } from '../../base/failure.ts'
import type { PersonView } from '../../contract/people.ts'
import { personRoles } from '../../contract/roles.ts'
import type { PersonRole } from '../../contract/roles.ts'
import type { Act, Answer, Call } from '../call.ts'
import { oneOf } from '../numbers.ts'
import { newSecret, passphraseFromFile, typedSecret } from '../passphrase.ts'
import { withStation } from '../station-call.ts'
import type { CalledStation } from '../station-call.ts'
import { columns } from '../terminal.ts'

type SecretFlags = Readonly<{ newPinFile?: string; badgeFile?: string; badge?: boolean; pin?: boolean }>
type AddFlags = SecretFlags & Readonly<{ role: readonly PersonRole[]; pseudonym?: string }>

const role = oneOf(personRoles)
const collect = (text: string, before: readonly PersonRole[] = []): PersonRole[] => [...before, role(text)]

export function declare(command: Command, act: Act): void {
  const withPin = (one: Command) => one.option('--new-pin-file <file>', 'file whose first line is the new PIN (default: asked for)')
  command.command('list').description('who has an account').action(act(list))
  withPin(command.command('add').description('make an account; the first one is an administrator\'s, and shuts the station').argument('<name>', 'the person\'s name, as they sign in with it'))
    .requiredOption('--role <role>', `${personRoles.join(', ')} (may be repeated)`, collect)
    .option('--pseudonym <name>', 'what the log calls the person')
    .option('--badge-file <file>', 'file whose first line is the code that a scanner types for the badge')
    .option('--no-pin', 'a badge alone: enough for an operator')
    .action(act<AddFlags>(add))
  command.command('roles').description('set somebody\'s roles').argument('<name>', 'whose')
    .requiredOption('--role <role>', `${personRoles.join(', ')} (may be repeated; replaces the list)`, collect)
    .action(act<Readonly<{ role: readonly PersonRole[] }>>((call, [name = ''], { role: roles }) => on(call, name, (station, { account }) => station.changePerson({ account, roles: [...roles] }))))
  command.command('retire').description('nobody signs in with it any more; it stays listed').argument('<name>', 'whose account')
    .action(act<object>((call, [name = '']) => on(call, name, (station, { account }) => station.retirePerson({ account }))))
  command.command('unlock').description('let somebody try again after too many wrong PINs').argument('<name>', 'whose account')
    .action(act<object>((call, [name = '']) => on(call, name, (station, { account }) => station.unlockPerson({ account }))))
  withPin(command.command('set-pin').description('give somebody a new PIN').argument('<name>', 'whose'))
    .option('--no-pin', 'take it away')
    .action(act<SecretFlags>(setPin))
  command.command('set-badge').description('give somebody a badge').argument('<name>', 'whose')
    .option('--badge-file <file>', 'file whose first line is the badge\'s code (default: scanned at the terminal)')
    .option('--no-badge', 'take it away')
    .action(act<SecretFlags>(setBadge))
  withPin(command.command('own-pin').description('change one\'s own PIN')).action(act<SecretFlags>(ownPin))
}

const noPorts = { ports: [], keys: [] } as const

async function list(call: Call): Promise<Answer | Failure> {
  return withStation(call, noPorts, async (station) => {
    const session = await station.session({})
    if (failed(session)) return session
    const people = await station.listPeople({})
    if (failed(people)) return people
    if (session.open) return { document: { open: true, people }, words: 'Nobody has an account: the station is open, and whoever is at the machine can do everything.' }
    const { paint } = call
    return {
      document: { open: false, people },
      words: columns([
        ['name', 'roles', 'signs in with', 'in the log as', 'state'].map(paint.dim),
        ...people.map((one) => [
          paint.bold(one.name), one.roles.join(', '), [...(one.hasPin ? ['PIN'] : []), ...(one.hasBadge ? ['badge'] : [])].join(', ') || '–', one.pseudonym ?? one.name,
          one.retiredAt !== null ? paint.dim(`retired ${one.retiredAt.slice(0, 10)}`) : one.lockedAt !== null ? paint.bad('locked') : 'in use',
        ]),
      ]),
    }
  })
}

async function add(call: Call, [name = '']: readonly string[], flags: AddFlags): Promise<Answer | Failure> {
  const badge = flags.badgeFile === undefined ? null : await passphraseFromFile(flags.badgeFile, 'badge')
  if (failed(badge)) return badge
  return withStation(call, noPorts, async (station) => {
    const pin = flags.pin === false ? null : await newSecret(call, flags.newPinFile, `New PIN for ${name}: `, '--new-pin-file FILE')
    if (failed(pin)) return pin
    const before = await station.session({})
    if (failed(before)) return before
    const added = await station.addPerson({ name, roles: [...flags.role], pseudonym: flags.pseudonym ?? null, pin, badge })
    if (failed(added)) return added
    const shut = before.open ? ` The station is not open any more: commands that change something now take --as "${added.name}".` : ''
    return { document: added, words: `${added.name} has an account: ${added.roles.join(', ')}.${shut}` }
  })
}

async function setPin(call: Call, [name = '']: readonly string[], flags: SecretFlags): Promise<Answer | Failure> {
  return on(call, name, async (station, { account }) => {
    const pin = flags.pin === false ? null : await newSecret(call, flags.newPinFile, `New PIN for ${name}: `, '--new-pin-file FILE')
    return failed(pin) ? pin : station.setPin({ account, pin })
  })
}

async function setBadge(call: Call, [name = '']: readonly string[], flags: SecretFlags): Promise<Answer | Failure> {
  return on(call, name, async (station, { account }) => {
    const badge = flags.badge === false ? null : flags.badgeFile === undefined ? await typedSecret(call, `Scan the badge for ${name}: `, '--badge-file FILE') : await passphraseFromFile(flags.badgeFile, 'badge')
    return failed(badge) ? badge : station.setBadge({ account, badge })
  })
}

async function ownPin(call: Call, _args: readonly string[], flags: SecretFlags): Promise<Answer | Failure> {
  return withStation(call, noPorts, async (station) => {
    if (call.as === null) return new Failure('no-accounts', 'In an open station nobody has a PIN. Make an account first with: slotwright person add')
    const pin = await newSecret(call, flags.newPinFile, 'New PIN: ', '--new-pin-file FILE')
    if (failed(pin)) return pin
    const changed = await station.changeOwnPin({ old: call.as.pin, pin })
    return failed(changed) ? changed : { document: { name: changed.person?.name ?? '' }, words: 'The PIN is changed.' }
  })
}

async function on(call: Call, name: string, work: (station: CalledStation, person: PersonView) => Promise<PersonView | Failure>): Promise<Answer | Failure> {
  return withStation(call, noPorts, async (station) => {
    const people = await station.listPeople({})
    if (failed(people)) return people
    const person = people.find((one) => one.retiredAt === null && one.name.toLowerCase() === name.trim().toLowerCase())
    if (person === undefined) return new Failure('no-such-person', `Nobody called "${name.slice(0, 80)}" has an account in use. See: slotwright person list`)
    const changed = await work(station, person)
    if (failed(changed)) return changed
    const state = changed.retiredAt !== null ? 'retired' : `${changed.roles.join(', ')}${changed.hasPin ? ', PIN' : ''}${changed.hasBadge ? ', badge' : ''}`
    return { document: changed, words: `${changed.name}: ${state}` }
  })
}
