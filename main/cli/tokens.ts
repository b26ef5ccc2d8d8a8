// Keys in hardware for one call of the command line: the PIN is asked for when the token wants it, what goes wrong at a token
// is in the log, and the process that knew the PIN is gone before the call ends.
import { fromHex } from '../base/bytes.ts'
import { Failure, failed } from '../base/failure.ts'
import type { PublicKey } from '../base/signer.ts'
import type { TokenKey, Tokens } from '../keys/pkcs11-tokens.ts'
import { parsePkcs11Uri } from '../keys/pkcs11-uri.ts'
import type { EntryDraft } from '../log/entry.ts'
import type { Call } from './call.ts'
import { knownPin } from './passphrase.ts'
import type { PinOptions } from './passphrase.ts'
import { record } from './record.ts'

const textMax = 1000

/** `modules`: to look into besides the installed ones. Kind `no-pkcs11`. */
export type CallTokens = Readonly<{ tokens: Tokens; /** Ends the tokens' processes and notes what went wrong. */ close(): Promise<void> }>

/** Loads nothing of a vendor's yet; that happens at the first question, in a process of its own. */
export async function openTokens(call: Call, modules: readonly string[] = []): Promise<CallTokens | Failure> {
  if (call.tokenEntry === undefined) return new Failure('no-pkcs11', 'Keys in hardware are not available: this program was built without the process that talks to tokens.')
  const { Tokens } = await import('../keys/pkcs11-tokens.ts')
  const troubles: EntryDraft[] = []
  const tokens = new Tokens({
    entry: call.tokenEntry,
    modules,
    trouble: (failure, where) => {
      troubles.push({ kind: 'token-trouble', data: { token: where.slice(0, textMax), failure: failure.kind.slice(0, 64), says: failure.says.slice(0, textMax) } })
    },
  })
  return {
    tokens,
    async close() {
      await tokens.close()
      // What failed has been told; where even the log fails there is nothing more to say.
      for (const trouble of troubles) await record(call, trouble)
    },
  }
}

/**
 * The private key a URI names, its token unlocked on the way: by `--pin-file`, the URI's pin-source, or the terminal; asked
 * once. Kinds: of `Tokens.key`, `Tokens.unlock` and `knownPin`.
 */
export async function tokenKeyAt(call: Call, tokens: Tokens, uri: string, flags: PinOptions): Promise<TokenKey | Failure> {
  const key = await tokens.key(uri, call.signal)
  if (!failed(key) || key.kind !== 'needs-pin') return key
  const unlocked = await unlockAt(call, tokens, uri, flags)
  return failed(unlocked) ? unlocked : tokens.key(uri, call.signal)
}

/** Unlocks the token a URI names, with the PIN asked for once: here, or on the reader where it has keys for that. */
export async function unlockAt(call: Call, tokens: Tokens, uri: string, flags: PinOptions): Promise<null | Failure> {
  const read = parsePkcs11Uri(uri)
  if (failed(read)) return read
  const row = await tokens.token(uri, call.signal)
  if (failed(row)) return row
  if (row.pinPad) {
    call.tell(`Type the PIN of the token "${row.label}" on its reader.\n`)
    const unlocked = await tokens.unlock(uri, null, call.signal)
    return failed(unlocked) ? unlocked : null
  }
  const pin = await knownPin(call, { pinFile: flags.pinFile ?? pinFileOf(read.pinSource) }, read.token ?? 'chosen')
  if (failed(pin)) return pin
  const unlocked = await tokens.unlock(uri, pin, call.signal)
  return failed(unlocked) ? unlocked : null
}

/** RFC 7512 section 2.4: a `file:` URI or a plain path. */
function pinFileOf(source: string | undefined): string | undefined {
  return source === undefined ? undefined : source.replace(/^file:(\/\/(localhost)?(?=\/))?/, '')
}

/** The public half of a key in a token, without a PIN where the token shows it. Kinds: as `tokenKeyAt`. */
export async function tokenPublicKey(call: Call, uri: string, flags: PinOptions): Promise<PublicKey | Failure> {
  const read = parsePkcs11Uri(uri)
  const opened = failed(read) ? read : await openTokens(call)
  if (failed(opened)) return opened
  try {
    const { object, id } = failed(read) ? {} : read
    const rows = await opened.tokens.keys(uri, call.signal)
    if (failed(rows)) return rows
    const fitting = rows.filter((row) => row.spki !== null && (object ?? row.label) === row.label && (id ?? row.id) === row.id)
    const [row, second] = fitting
    if (row !== undefined && row.spki !== null && second === undefined) {
      const { publicKeyFromInfo } = await import('../keys/pkcs11-public.ts')
      return publicKeyFromInfo(fromHex(row.spki) ?? new Uint8Array(0))
    }
    // Hidden, missing or not alone: the private key itself says which.
    const key = await tokenKeyAt(call, opened.tokens, uri, flags)
    return failed(key) ? key : key.publicKey
  } finally {
    await opened.close()
  }
}

