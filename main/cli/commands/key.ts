// `key`: the station's own ring of keys. What is made, taken in, retired or exported is in the log before it is answered.
import type { Command } from 'commander'
import { fromHex, utf8 } from '../../base/bytes.ts'
import { Failure, failed } from '../../base/failure.ts'
import { publicKeyFromSpki } from '../../image/publickey.ts'
import { exportPublicKey } from '../../keys/export.ts'
import { readKeyPem } from '../../keys/filekey.ts'
import type { KeyEntry } from '../../keys/keyring.ts'
import { isPkcs11Uri } from '../../keys/pkcs11-uri.ts'
import { usageKind } from '../call.ts'
import type { Act, Answer, Call } from '../call.ts'
import { readText, writeOutput } from '../files.ts'
import { prepareHome } from '../home.ts'
import { openPrivateKey } from '../keys.ts'
import { oneOf } from '../numbers.ts'
import { knownPassphrase, newPassphrase } from '../passphrase.ts'
import type { PassphraseOptions, PinOptions } from '../passphrase.ts'
import { recordKey } from '../record.ts'
import { ringOf } from '../ring.ts'
import { columns } from '../terminal.ts'
import { declarePolicyCommands } from './key-policy.ts'
import { addTokenKey, declareTokenCommands } from './key-tokens.ts'

type AddFlags = PassphraseOptions & PinOptions & Readonly<{ name: string; class: 'production' | 'test'; newPassphraseFile?: string }>
type ExportFlags = PassphraseOptions & Readonly<{ out?: string; private?: true }>

const classes = ['production', 'test'] as const

export function declare(command: Command, act: Act): void {
  command.command('list').description('all keys of the ring, without opening any').action(act(list))
  command
    .command('add')
    .description('take a PEM file, or a key that stays in its token, into the ring')
    .argument('<key>', 'private key file (PKCS#8, SEC1 or PKCS#1 PEM), or a PKCS#11 URI like pkcs11:token=Release;object=fw')
    .requiredOption('-n, --name <name>', 'name of the key in the ring')
    .option('--class <class>', 'production, or test for keys that only open practice and trial boards', oneOf(classes), 'production')
    .option('--passphrase-file <file>', 'file with the passphrase the PEM has now')
    .option('--new-passphrase-file <file>', 'file with the passphrase it gets in the ring (default: asked for)')
    .option('--no-passphrase', 'leave it unprotected in the ring (test keys only)')
    .option('--pin-file <file>', 'file whose first line is the token\'s PIN (default: asked for)')
    .action(act<AddFlags>(add))
  command.command('retire').description('stop using a key; it stays listed').argument('<name>', 'name of the key in the ring').action(act(retire))
  declareTokenCommands(command, act)
  declarePolicyCommands(command, act)
  command
    .command('export')
    .description('the public key as PEM; with --private the key itself, encrypted')
    .argument('<key>', 'name or fingerprint')
    .option('-o, --out <file>', 'write there instead of stdout')
    .option('--private', 'the private key, still encrypted under its passphrase (needs --out)')
    .option('--passphrase-file <file>', 'file whose first line is the key\'s passphrase')
    .action(act<ExportFlags>(exportKey))
}

async function list(call: Call): Promise<Answer | Failure> {
  const ring = ringOf(call)
  const keys = await ring.list()
  if (failed(keys)) return keys
  const troubles = await ring.troubles()
  for (const trouble of troubles) call.tell(`${trouble.says}\n`)
  return {
    document: { keys, troubles: troubles.map(({ kind, says }) => ({ kind, says })) },
    words: keys.length === 0 ? 'The ring is empty. Take a key in with: slotwright key add FILE --name NAME' : columns([
      ['name', 'type', 'class', 'fingerprint', 'made', ''].map(call.paint.dim),
      ...keys.map((key) => [key.name, key.algorithm, key.class, key.fingerprint.slice(0, 16), key.createdAt.slice(0, 10), remark(call, key)]),
    ]),
  }
}

function remark(call: Call, key: KeyEntry): string {
  if (key.retiredAt !== null) return call.paint.dim(`retired ${key.retiredAt.slice(0, 10)}`)
  const where = key.token === null ? '' : 'in a token'
  return key.warning === null ? where : [where, call.paint.care(key.warning)].filter((word) => word !== '').join('; ')
}

async function add(call: Call, [path = '']: readonly string[], flags: AddFlags): Promise<Answer | Failure> {
  if (isPkcs11Uri(path)) return addTokenKey(call, path, flags)
  const pem = await readText(path, 'key file')
  if (failed(pem)) return pem
  const noHome = await prepareHome(call)
  if (noHome !== null) return noHome
  const ring = ringOf(call)
  let passphrase: string | undefined
  if (/BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(pem)) {
    const known = await knownPassphrase(call, flags, path)
    if (failed(known)) return known
    passphrase = known
  }
  // Before a new passphrase is asked for or judged: a file that is no key, or the wrong passphrase, is what is said then.
  const opened = await readKeyPem(pem, passphrase)
  if (failed(opened)) return new Failure(opened.kind, `${path}: ${opened.says}`, opened.facts)
  opened.wipe()
  // Without a word on it, a key that came with a passphrase keeps that one.
  const fresh = flags.passphrase === false || flags.newPassphraseFile !== undefined || passphrase === undefined
    ? await newPassphrase(call, { passphrase: flags.passphrase, passphraseFile: flags.newPassphraseFile, fileOption: '--new-passphrase-file' })
    : passphrase
  if (failed(fresh)) return fresh
  const entry = await ring.add(flags.name, pem, { class: flags.class, passphrase, newPassphrase: fresh })
  if (failed(entry)) return entry
  const logged = await recordKey(call, 'key-imported', entry)
  if (failed(logged)) return logged
  return { document: { ...entry, entry: logged.seq }, words: `${entry.name}: ${entry.algorithm} ${entry.class} key, fingerprint ${entry.fingerprint}${entry.warning === null ? '' : `\n${entry.warning}`}` }
}

async function retire(call: Call, [name = '']: readonly string[]): Promise<Answer | Failure> {
  const entry = await ringOf(call).retire(name)
  if (failed(entry)) return entry
  const logged = await recordKey(call, 'key-retired', entry)
  if (failed(logged)) return logged
  return { document: { ...entry, entry: logged.seq }, words: `${entry.name} is retired: it signs no more, and images it signed are refused from now on.` }
}

async function exportKey(call: Call, [what = '']: readonly string[], flags: ExportFlags): Promise<Answer | Failure> {
  const found = await ringOf(call).find(what)
  if (failed(found)) return found
  if (found.entry === null) return new Failure('no-such-key', `"${what}" is a key file, not a key of the ring. getpub prints its public half; the file itself is what export would give.`)
  if (flags.private === true) return exportPrivate(call, found.entry, flags)
  const key = publicKeyFromSpki(fromHex(found.entry.spki) ?? new Uint8Array(0))
  if (failed(key)) return key
  const pem = exportPublicKey(key, 'pem')
  const document = { name: found.entry.name, algorithm: found.entry.algorithm, fingerprint: found.entry.fingerprint, pem: new TextDecoder().decode(pem) }
  if (flags.out === undefined) return { bytes: pem, document }
  return await writeOutput(flags.out, pem) ?? { document: { file: flags.out, ...document }, words: `${flags.out}: public key of ${found.entry.name}` }
}

/** The log says that a private key left before it leaves. It leaves as it rests: under its passphrase, if it has one. */
async function exportPrivate(call: Call, entry: KeyEntry, flags: ExportFlags): Promise<Answer | Failure> {
  if (flags.out === undefined) return new Failure(usageKind, 'A private key is not printed: give --out FILE.')
  const opened = await openPrivateKey(call, entry.name, flags)
  if (failed(opened)) return opened
  opened.key.wipe()
  const pem = await readText(opened.path, 'key file')
  if (failed(pem)) return pem
  const logged = await recordKey(call, 'key-exported', entry)
  if (failed(logged)) return logged
  const written = await writeOutput(flags.out, utf8(pem), { mode: 0o600, keep: true })
  if (written !== null) return written
  return {
    document: { file: flags.out, name: entry.name, algorithm: entry.algorithm, fingerprint: entry.fingerprint, encrypted: entry.encrypted, entry: logged.seq },
    words: `${flags.out}: the key ${entry.name}${entry.encrypted ? ', under its passphrase' : ', unprotected'}`,
  }
}
