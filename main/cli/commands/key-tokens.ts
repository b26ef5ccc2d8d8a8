// The `key` commands for keys in hardware: what modules, tokens and keys there are, a key of a token taken into the ring, a key
// made in a token. The private half never passes through here.
import type { Command } from 'commander'
import { toHex } from '../../base/bytes.ts'
import { failed } from '../../base/failure.ts'
import type { Failure } from '../../base/failure.ts'
import { keyAlgorithms } from '../../base/signer.ts'
import type { KeyAlgorithm } from '../../base/signer.ts'
import { keyHash } from '../../image/keyhash.ts'
import type { KeyEntry } from '../../keys/keyring.ts'
import type { Residence } from '../../keys/pkcs11-words.ts'
import type { KeyClass } from '../../keys/policy.ts'
import type { Act, Answer, Call } from '../call.ts'
import { oneOf } from '../numbers.ts'
import type { PinOptions } from '../passphrase.ts'
import { recordKey } from '../record.ts'
import { ringOf } from '../ring.ts'
import { columns } from '../terminal.ts'
import { openTokens, tokenKeyAt, unlockAt } from '../tokens.ts'

type TokensFlags = PinOptions & Readonly<{ module?: string; token?: string }>
type GenerateFlags = PinOptions & Readonly<{ token: string; name: string; type: KeyAlgorithm; class: KeyClass }>

const classes = ['production', 'test'] as const

export function declareTokenCommands(command: Command, act: Act): void {
  command
    .command('tokens')
    .description('PKCS#11 modules of this machine and the tokens in them; with --token also that token\'s keys')
    .option('--module <file>', 'look into this module too')
    .option('--token <uri>', 'show the keys of this token, like pkcs11:token=Release (asks for its PIN)')
    .option('--pin-file <file>', 'file whose first line is the PIN')
    .action(act<TokensFlags>(tokens))
  command
    .command('generate')
    .description('make a key inside a token and take it into the ring')
    .requiredOption('--token <uri>', 'the token, like pkcs11:token=Release')
    .requiredOption('-n, --name <name>', 'name of the key, in the token and in the ring')
    .requiredOption('-t, --type <type>', keyAlgorithms.join(', '), oneOf(keyAlgorithms))
    .option('--class <class>', 'production, or test', oneOf(classes), 'production')
    .option('--pin-file <file>', 'file whose first line is the PIN (default: asked for)')
    .action(act<GenerateFlags>(generate))
  command
    .command('module')
    .description('let the station use a PKCS#11 module that is not in a usual place')
    .argument('<file>', 'whole path of the module')
    .action(act<object>(addModule))
}

async function tokens(call: Call, _args: readonly string[], flags: TokensFlags): Promise<Answer | Failure> {
  const opened = await openTokens(call, flags.module === undefined ? [] : [flags.module])
  if (failed(opened)) return opened
  try {
    return flags.token === undefined ? await listModules(call, opened.tokens) : await listKeys(call, opened.tokens, flags.token, flags)
  } finally {
    await opened.close()
  }
}

type Tokens = Extract<Awaited<ReturnType<typeof openTokens>>, { tokens: unknown }>['tokens']

async function listModules(call: Call, tokens: Tokens): Promise<Answer> {
  const modules = await tokens.list(call.signal)
  const lines = modules.flatMap(({ module, tokens: rows, problem }) => [
    `${call.paint.bold(module.name)}  ${call.paint.dim(module.path)}`,
    ...(problem === null ? [] : [`  ${call.paint.bad(problem.says)}`]),
    ...(problem === null && rows.length === 0 ? [call.paint.dim('  no token in its slots')] : []),
    ...rows.map((row) => `  ${row.label}  ${call.paint.dim(`serial ${row.serial}, ${row.model}, PIN ${pinWords[row.pin]}`)}\n    ${row.uri}`),
  ])
  return {
    document: { modules: modules.map(({ module, tokens: rows, problem }) => ({ ...module, problem: problem === null ? null : { kind: problem.kind, says: problem.says }, tokens: rows })) },
    words: modules.length === 0 ? 'No PKCS#11 module is installed in the usual places. Name one with --module FILE.' : lines.join('\n'),
  }
}

const pinWords = { fine: 'fine', low: 'was wrong before', final: 'has one try left', locked: 'is locked', unset: 'not set' } as const

async function listKeys(call: Call, tokens: Tokens, uri: string, flags: PinOptions): Promise<Answer | Failure> {
  const unlocked = await unlockAt(call, tokens, uri, flags)
  if (failed(unlocked)) return unlocked
  const keys = await tokens.keys(uri, call.signal)
  if (failed(keys)) return keys
  const { judgeResidence } = await import('../../keys/pkcs11-residence.ts')
  return {
    document: { keys: keys.map((key) => ({ ...key, verdict: judgeResidence(key.residence) })) },
    words: keys.length === 0 ? 'There is no key in this token.' : columns([
      ['label', 'id', 'type', 'sensitive', 'extractable', 'always sensitive', ''].map(call.paint.dim),
      ...keys.map((key) => {
        const { says, warns } = judgeResidence(key.residence)
        return [key.label, key.id, key.called, ...(key.privateSeen ? [...proofOf(key.residence), warns ? call.paint.care(says) : says] : ['', '', '', 'only the public half'])]
      }),
    ]),
  }
}

/** CKA_SENSITIVE, CKA_EXTRACTABLE and CKA_ALWAYS_SENSITIVE: what the sentence rests on. */
function proofOf({ sensitive, extractable, alwaysSensitive }: Residence): string[] {
  return [sensitive, extractable, alwaysSensitive].map((value) => (value === null ? 'not said' : value ? 'yes' : 'no'))
}

/** `key add pkcs11:…`: the ring gets a description of the key, the token keeps it. */
export async function addTokenKey(call: Call, uri: string, flags: PinOptions & Readonly<{ name: string; class: KeyClass }>): Promise<Answer | Failure> {
  const ring = ringOf(call)
  // Before a PIN is asked for: what cannot be filed is not looked for.
  const free = await ring.checkFree(flags.name)
  const opened = free === null ? await openTokens(call) : free
  if (failed(opened)) return opened
  try {
    const key = await tokenKeyAt(call, opened.tokens, uri, flags)
    if (failed(key)) return key
    const entry = await ring.addToken(flags.name, { publicKey: key.publicKey, uri: key.uri, residence: key.residence, class: flags.class })
    return failed(entry) ? entry : await noted(call, 'key-imported', entry, 'is in the ring now')
  } finally {
    await opened.close()
  }
}

async function generate(call: Call, _args: readonly string[], flags: GenerateFlags): Promise<Answer | Failure> {
  const ring = ringOf(call)
  const free = await ring.checkFree(flags.name)
  const opened = free === null ? await openTokens(call) : free
  if (failed(opened)) return opened
  try {
    const unlocked = await unlockAt(call, opened.tokens, flags.token, flags)
    if (failed(unlocked)) return unlocked
    const key = await opened.tokens.generate(flags.token, flags.type, flags.name, call.signal)
    if (failed(key)) return key
    const entry = await ring.addToken(flags.name, { publicKey: key.publicKey, uri: key.uri, residence: key.residence, class: flags.class })
    if (failed(entry)) call.tell(`The key ${toHex(keyHash(key.publicKey))} was made in the token, but not filed: ${key.uri}\n`)
    return failed(entry) ? entry : await noted(call, 'key-created', entry, 'was made in the token and tried')
  } finally {
    await opened.close()
  }
}

async function noted(call: Call, kind: 'key-created' | 'key-imported', entry: KeyEntry, what: string): Promise<Answer | Failure> {
  const logged = await recordKey(call, kind, entry)
  if (failed(logged)) return logged
  const { judgeResidence } = await import('../../keys/pkcs11-residence.ts')
  const verdict = entry.token === null ? null : judgeResidence(entry.token.residence)
  return {
    document: { ...entry, residence: verdict, entry: logged.seq },
    words: [
      `${entry.name}: ${entry.algorithm} ${entry.class} key ${what}, fingerprint ${entry.fingerprint}`,
      ...(entry.token === null ? [] : [proofOf(entry.token.residence).map((value, at) => `${['CKA_SENSITIVE', 'CKA_EXTRACTABLE', 'CKA_ALWAYS_SENSITIVE'][at]} ${value}`).join(', ')]),
      ...(verdict === null ? [] : [entry.warning === null ? verdict.says : `${call.paint.care('!')} ${verdict.says}`]),
      entry.token?.uri ?? '',
    ].join('\n'),
  }
}

async function addModule(call: Call, [path = '']: readonly string[]): Promise<Answer | Failure> {
  const { withStation } = await import('../station-call.ts')
  return withStation(call, { ports: [], keys: [] }, async (station) => {
    const modules = await station.addTokenModule({ path })
    if (failed(modules)) return modules
    return { document: { path, modules }, words: `${path}: the station looks for tokens there from now on.` }
  })
}
