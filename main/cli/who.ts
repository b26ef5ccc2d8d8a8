// Who calls, where people have accounts: `--as NAME` with the PIN from `--as-pin-file` or typed. Commands that write are held
// against the roles here, or, when they open a station, there. Reading the log is left to the home folder's own permissions:
// whoever may read the database may read it with any other program too.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { realClock } from '../base/clock.ts'
import { Failure, failed } from '../base/failure.ts'
import { administrators, auditors, engineers, everyone, keepers, line, mayCall } from '../contract/roles.ts'
import type { May, PersonRole } from '../contract/roles.ts'
import type { Call } from './call.ts'
import { homeFolder } from './home.ts'
import { passphraseFromFile, typedSecret } from './passphrase.ts'
import { openLog } from './record.ts'

export type AsOptions = Readonly<{ as?: string; asPinFile?: string }>

/** Who may call a command: roles held here, `station` where the station that it opens holds them, null where nothing of the home is changed. */
const commands: Readonly<Record<string, May | 'station' | null>> = {
  provision: 'station', tour: 'station', board: 'station', profile: 'station', 'profile list': null, 'profile show': null, ports: null, practice: line, person: 'station', recipe: 'station',
  sign: engineers, keygen: engineers, package: engineers, size: null, inspect: null, verify: null, compare: null, dumpinfo: null, getpub: null, getpubhash: null, keyinfo: null, getpriv: null,
  key: engineers, 'key list': null, 'key policy': administrators, 'key retire': keepers, 'key module': administrators, 'key tokens': null, 'package inspect': null,
  'package verify-receipt': null, 'key generate': engineers,
  log: null, 'log checkpoint': keepers, 'log merge': null, 'log export': auditors, 'log backup': keepers, 'log restore': null, 'log redact': administrators, 'log compact': keepers, 'log people': administrators, 'log key': administrators, 'log key show': null,
  hook: 'station', 'hook list': null, serve: 'station',
  update: 'station', 'update make': null, 'update verify': null,
  history: null, recall: null, report: null, label: null, witness: null,
}

/** The rule for a command's words; what is not in the table takes somebody who is signed in. */
export function mayOf(words: readonly string[]): May | 'station' | null {
  for (let count = 3; count > 0; count--) {
    const named = words.slice(0, count).join(' ')
    if (Object.hasOwn(commands, named)) return commands[named] ?? null
  }
  return everyone
}

/** The call in somebody's name. Kinds: `needs-person`, `no-accounts`, `role-missing`, those of signing in and of the log. */
export async function inName(call: Call, words: readonly string[], options: AsOptions): Promise<Call | Failure> {
  const may = mayOf(words)
  if (may === null && options.as === undefined) return call
  const closed = await takesAccounts(call)
  if (failed(closed)) return closed
  if (!closed) return options.as === undefined ? call : new Failure('no-accounts', 'Nobody has an account at this station, so --as names nobody. Leave it out, or make accounts with: slotwright person add')
  if (options.as === undefined) return needsPerson
  const pin = options.asPinFile === undefined ? await typedSecret(call, `PIN of ${options.as}: `, '--as-pin-file FILE') : await passphraseFromFile(options.asPinFile, 'PIN')
  if (failed(pin)) return pin
  const named = { ...call, as: { name: options.as, pin } }
  return may === 'station' ? named : await proven(named, may ?? everyone)
}

const needsPerson = new Failure('needs-person', 'People have accounts at this station: say who you are with --as NAME (and --as-pin-file FILE where there is no terminal).')

/** People have accounts in this home. */
async function takesAccounts(call: Call): Promise<boolean | Failure> {
  const { databaseName } = await import('../store/database.ts')
  const folder = homeFolder(call)
  if (!existsSync(join(folder, databaseName))) return false
  const { hasAccounts } = await import('../store/accounts.ts')
  return hasAccounts(folder)
}

/** The same where only an option makes a command one that is held against roles. Kinds: those of `inName`. */
export async function heldTo(call: Call, may: May): Promise<Call | Failure> {
  const closed = await takesAccounts(call)
  if (failed(closed)) return closed
  if (!closed) return call
  const { as } = call
  return as === null ? needsPerson : await proven({ ...call, as }, may)
}

async function proven(call: Call & { as: { name: string; pin: string } }, may: May): Promise<Call | Failure> {
  const { Logbook } = await import('../station/logbook.ts')
  const { People, logNameOf } = await import('../station/people.ts')
  const store = await openLog(call)
  if (failed(store)) return store
  try {
    const log = new Logbook(store, '')
    const people = People.open(log, realClock)
    if (failed(people)) return people
    const proof = await people.signIn({ name: call.as.name, badge: null, pin: call.as.pin })
    if (failed(proof)) return proof
    const account = people.find(proof.account)
    if (account === null) throw new Error('who signed in has an account')
    if (!mayCall(may, account.roles)) {
      const says = `This command is for the role ${(may as readonly PersonRole[]).join(' or ')}; ${account.name} is ${account.roles.join(', ')}.`
      const failure = new Failure('role-missing', says)
      log.record([{ kind: 'refusal', person: logNameOf(account), role: account.roles[0] ?? 'operator', data: { what: 'command line', failure: failure.kind, says } }])
      return failure
    }
    const role = account.roles.find((one) => may.includes(one)) ?? 'operator'
    return { ...call, actor: { account: account.id, person: logNameOf(account), role } }
  } finally {
    store.close()
  }
}
