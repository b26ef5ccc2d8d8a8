// `key policy` and `key approve`: who may use a key, for what and when, and the second person's word. Both change only what
// the log and the ring say; nothing is signed here.
import { createHash } from 'node:crypto'
import type { Command } from 'commander'
import { Failure, attemptAsync, failed, must, refuse } from '../../base/failure.ts'
import { formatVersion, parseVersion } from '../../image/version.ts'
import type { KeyEntry } from '../../keys/keyring.ts'
import { parsePolicyTime } from '../../keys/policy.ts'
import type { KeyPolicy } from '../../keys/policy.ts'
import { policyWords } from '../../station/key-rows.ts'
import type { Act, Answer, Call } from '../call.ts'
import { readContent } from '../image-file.ts'
import { record } from '../record.ts'
import { ringOf } from '../ring.ts'

type PolicyFlags = Readonly<{ product?: readonly string[]; anyProduct?: true; notBefore?: string; notAfter?: string; needsTwo?: boolean }>

const collect = (text: string, before: readonly string[] = []): string[] => [...before, text]

export function declarePolicyCommands(command: Command, act: Act): void {
  command
    .command('policy')
    .description('who may use a key, for what and when; without options it is shown')
    .argument('<key>', 'name or fingerprint')
    .option('--product <name>', 'sign for this product only (may be repeated; replaces the list)', collect)
    .option('--any-product', 'sign for any product again')
    .option('--not-before <time>', 'a day or a UTC time, or `none`')
    .option('--not-after <time>', 'a day (to its end) or a UTC time, or `none`')
    .option('--needs-two', 'a second person must approve what it signs')
    .option('--no-needs-two', 'one person is enough')
    .action(act<PolicyFlags>(policy))
  command
    .command('approve')
    .description('as the second person: let a key sign this firmware as this version, once')
    .argument('<key>', 'name or fingerprint')
    .argument('<in>', 'firmware, binary or Intel HEX')
    .requiredOption('-v, --version <text>', 'version it will be signed as')
    .action(act<{ version: string }>(approve))
}

async function ringKey(call: Call, what: string): Promise<KeyEntry | Failure> {
  const found = await ringOf(call).find(what)
  if (failed(found)) return found
  return found.entry ?? new Failure('no-such-key', `"${what}" is a key file outside the key ring. Add it first: policies belong to keys of the ring.`)
}

async function policy(call: Call, [what = '']: readonly string[], flags: PolicyFlags): Promise<Answer | Failure> {
  return attemptAsync(async () => {
    const entry = must(await ringKey(call, what))
    const { product, anyProduct, notBefore, notAfter, needsTwo } = flags
    if (product === undefined && anyProduct === undefined && notBefore === undefined && notAfter === undefined && needsTwo === undefined) {
      return { document: { name: entry.name, policy: entry.policy }, words: `${entry.name}: ${policyWords(entry.policy)}` }
    }
    const time = (text: string | undefined, before: string | null, as: 'start' | 'end') => (text === undefined ? before : text === 'none' ? null : must(parsePolicyTime(text, as)))
    const wanted: KeyPolicy = {
      products: anyProduct === true ? [] : product ?? entry.policy.products,
      notBefore: time(notBefore, entry.policy.notBefore, 'start'), notAfter: time(notAfter, entry.policy.notAfter, 'end'),
      needsTwo: needsTwo ?? entry.policy.needsTwo,
    }
    const changed = must(await ringOf(call).setPolicy(entry.name, wanted))
    const logged = must(await record(call, {
      kind: 'key-policy',
      data: {
        key: entry.fingerprint, algorithm: entry.algorithm, class: entry.class, name: entry.name, home: entry.token === null ? 'file' : 'pkcs11',
        before: policyWords(entry.policy), after: policyWords(changed.policy),
      },
    }))
    return { document: { name: entry.name, policy: changed.policy, entry: logged.seq }, words: `${entry.name}: ${policyWords(changed.policy)}` }
  })
}

async function approve(call: Call, [what = '', path = '']: readonly string[], flags: { version: string }): Promise<Answer | Failure> {
  return attemptAsync(async () => {
    const entry = must(await ringKey(call, what))
    const version = formatVersion(must(parseVersion(flags.version)))
    const { bytes } = must(await readContent(path, 'firmware file'))
    const inputSha256 = createHash('sha256').update(bytes).digest('hex')
    const { account } = call.actor ?? refuse('needs-accounts', 'An approval is one person\'s word, and this station has no accounts to tell one from another. Make them with: slotwright person add')
    const logged = must(await record(call, { kind: 'use-approved', data: { key: entry.fingerprint, name: entry.name, inputSha256, version, account } }))
    return {
      document: { name: entry.name, inputSha256, version, person: logged.person, entry: logged.seq },
      words: `${logged.person} lets ${entry.name} sign ${path} as version ${version}, once. Somebody else has to sign it.`,
    }
  })
}
