// `log key`: the key that signs the log's checkpoints: shown, or handed over to a new one, in a file or in a token. C2SP
// checkpoints are Ed25519, so a token must know CKM_EDDSA (PKCS#11 3.0).
import type { Command } from 'commander'
import { Failure, failed } from '../../base/failure.ts'
import { keysOf, noteKeyText } from '../../log/checkpoint.ts'
import { presentKey } from '../../log/handover.ts'
import type { AuditStore } from '../../store/audit.ts'
import { readLogPublicKey } from '../../store/checkpoints.ts'
import { changeLogKey } from '../../store/rotation.ts'
import type { NextLogKey } from '../../store/rotation.ts'
import type { Act, Answer, Call } from '../call.ts'
import { homeFolder } from '../home.ts'
import { withSigningLog } from '../log-signing.ts'
import type { PinOptions } from '../passphrase.ts'
import { whoActs } from '../record.ts'
import { openTokens, tokenKeyAt } from '../tokens.ts'

type Flags = PinOptions & Readonly<{ nextPinFile?: string }>

export function declareLogKey(command: Command, act: Act): void {
  const key = command.command('key').description('the key that signs the log: show it, or hand over to another')
  key.command('show').description('every key this log ever had, for auditors').action(act<object>(show))
  key.command('use').description('hand the log over to a new Ed25519 key: both keys sign the handover, and the log says so')
    .argument('<key>', 'pkcs11:… (RFC 7512) for one in a token, or "new" for a new file in the home')
    .option('--pin-file <file>', 'file whose first line is the PIN of the token with the present key')
    .option('--next-pin-file <file>', 'the same for the token with the new key')
    .action(act<Flags>(use))
}

function show(call: Call): Promise<Answer | Failure> {
  const home = homeFolder(call)
  const known = readLogPublicKey(home)
  if (failed(known)) return Promise.resolve(known)
  if (known === null) return Promise.resolve(new Failure('no-log-key', `The log in ${home} has signed nothing yet, so it has no key. Sign with "log checkpoint".`))
  const keys = keysOf(known).map(({ key, from }) => ({ key: noteKeyText(key), from }))
  const words = keys.map(({ key, from }, i) => `${key}${keys.length === 1 ? '' : `  signs from ${from} entries${i === keys.length - 1 ? '' : ` to ${keys[i + 1]?.from ?? 0}`}`}`)
  return Promise.resolve({ document: { origin: known.name, keys }, words: words.join('\n') })
}

function use(call: Call, [text = '']: readonly string[], flags: Flags): Promise<Answer | Failure> {
  if (text === 'new') return withSigningLog(call, flags, (store) => change(call, store, { is: 'file' }))
  if (!text.startsWith('pkcs11:')) return Promise.resolve(new Failure('usage', 'Name a key in a token by its URI (pkcs11:…), or say "new" for one in a file.'))
  return useToken(call, text, flags)
}

async function useToken(call: Call, uri: string, flags: Flags): Promise<Answer | Failure> {
  const opened = await openTokens(call)
  if (failed(opened)) return opened
  try {
    const { tokens } = opened
    const key = await tokenKeyAt(call, tokens, uri, { pinFile: flags.nextPinFile ?? flags.pinFile })
    if (failed(key)) return key
    const { publicKey } = key
    if (publicKey.algorithm !== 'ed25519') return new Failure('unsupported-key', `Checkpoints are signed with Ed25519; the key "${key.row.label}" is ${publicKey.algorithm}. Make one in a token that knows CKM_EDDSA.`)
    return await withSigningLog(call, flags, (store) => {
      store.reachTokens((at, known) => tokens.signer(at, known))
      return change(call, store, { is: 'token', uri: key.uri, publicKey, signer: tokens.signer(key.uri, publicKey) })
    })
  } finally {
    await opened.close()
  }
}

async function change(call: Call, store: AuditStore, next: NextLogKey): Promise<Answer | Failure> {
  const signed = await changeLogKey(store, next, whoActs(call), call.signal)
  if (failed(signed)) return signed
  const known = readLogPublicKey(store.database.folder)
  if (known === null || failed(known)) return known ?? new Failure('no-log-key', 'The log has no key.')
  const text = noteKeyText(presentKey(known))
  return {
    document: { origin: known.name, key: text, size: signed.size, home: next.is === 'token' ? 'pkcs11' : 'file' },
    words: `From ${signed.size} entries on the log is signed with\n${text}\nThe key before it has signed the handover, so auditors who trust that one need nothing new.`,
  }
}
