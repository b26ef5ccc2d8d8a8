// `update`: the station's own next version, for owners without a window, and for whoever publishes releases: `make` signs what
// lies in a folder, `verify` reads it as a station would.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { utf8 } from '../../base/bytes.ts'
import { realClock } from '../../base/clock.ts'
import { Failure, failed } from '../../base/failure.ts'
import type { UpdateView } from '../../contract/update-view.ts'
import { noteKey, noteKeyText, parseNoteKey, signNote } from '../../log/checkpoint.ts'
import { openRelease, packageFileNamed, releaseFile, releaseText } from '../../release/manifest.ts'
import type { ReleaseFile } from '../../release/manifest.ts'
import { isWhole, readReleaseNote } from '../../station/release-source.ts'
import type { Act, Answer, Call } from '../call.ts'
import { fileFailure, writeOutput } from '../files.ts'
import { openSigningKey } from '../keys.ts'
import type { KeyOptions } from '../keys.ts'
import { withStation } from '../station-call.ts'
import type { CalledStation } from '../station-call.ts'

const noPorts = { ports: [], keys: [] } as const

type SetFlags = Readonly<{ from?: string; key?: string; atStart?: boolean; off?: boolean }>
type MakeFlags = KeyOptions & Readonly<{ key: string; name: string; release: string; notes: string }>

export function declare(command: Command, act: Act): void {
  command.command('show').description('what is set, what runs, what was found').action(act(withUpdates((station) => station.updates({}))))
  command.command('set').description('where releases lie and whose signature counts; both are needed, and --off takes both away')
    .option('--from <place>', 'a folder, or an http(s) address')
    .option('--key <note-key>', 'the publisher\'s key, name+id+base64')
    .option('--at-start', 'look at each start of the window (never takes anything by itself)')
    .option('--off', 'no updates')
    .action(act<SetFlags>(set))
  command.command('check').description('look for a newer version').action(act(withUpdates((station) => station.checkUpdate({}))))
  command.command('fetch').description('fetch the newer version and check it').action(act(withUpdates(fetched)))
  command.command('apply').description('fetch it, and put it in place or say how').action(act(withUpdates(applied)))
  command.command('make').description(`for publishers: sign the packages in a folder; writes ${releaseFile} beside them`)
    .argument('<folder>', 'the folder with slotwright-VERSION-ARCH.deb and the like')
    .requiredOption('-k, --key <key>', 'the publisher\'s Ed25519 key: a file, a key of the ring, or pkcs11:…')
    .requiredOption('--name <name>', 'the publisher\'s name in the note, like updates.example.com')
    .requiredOption('--release <version>', 'the version, like 0.2.0')
    .option('--notes <text>', 'one line for whoever decides about the update', '')
    .option('--passphrase-file <file>', 'file whose first line is the key\'s passphrase')
    .option('--pin-file <file>', 'file whose first line is the token\'s PIN')
    .action(act<MakeFlags>(make))
  command.command('verify').description('read a release as a station would').argument('<place>', 'folder or address').requiredOption('--key <note-key>', 'the publisher\'s key')
    .action(act<{ key: string }>(verify))
}

const turnOn = 'Turn them on with the place where releases lie and the publisher\'s key: slotwright update set --from PLACE --key KEY'

type Work = (station: CalledStation) => Promise<UpdateView | Failure>

const withUpdates = (work: Work) => (call: Call): Promise<Answer | Failure> => withStation(call, noPorts, async (station) => {
  const view = await work(station)
  if (failed(view) && view.kind === 'updates-off') return new Failure(view.kind, `Updates are off. ${turnOn}.`, view.facts)
  return failed(view) ? view : { document: view, words: wordsOf(view) }
})

async function fetched(station: CalledStation): Promise<UpdateView | Failure> {
  const found = await station.checkUpdate({})
  return failed(found) || found.state !== 'newer' ? found : await station.fetchUpdate({})
}

async function applied(station: CalledStation): Promise<UpdateView | Failure> {
  const found = await fetched(station)
  return failed(found) || found.state !== 'fetched' ? found : await station.applyUpdate({})
}

function wordsOf(view: UpdateView): string {
  const { state, release, running, todo, source } = view
  const named = release === null ? '' : `${release.version} of ${release.day}${release.notes === '' ? '' : `: ${release.notes}`}`
  switch (state) {
    case 'off': return `Version ${running} runs. Updates are off. ${turnOn}.`
    case 'current': return `Version ${running} runs, and ${source ?? 'the source'} has nothing newer.`
    case 'newer': return `Version ${running} runs. There is ${named}\n"update apply" fetches it and puts it in place.`
    case 'fetched': return `Fetched ${named}\n"update apply" puts it in place.`
    case 'applied': return [todo?.says ?? '', todo?.command ?? '', todo?.file ?? ''].filter((line) => line !== '').join('\n')
    case 'unknown': case 'checking': case 'fetching': return `Version ${running} runs. Releases lie in ${source ?? 'no place'}; "update check" looks there.`
  }
}

async function set(call: Call, _: readonly string[], flags: SetFlags): Promise<Answer | Failure> {
  return await withUpdates(async (station) => {
    const now = await station.updates({})
    if (failed(now)) return now
    if (flags.off === true) return await station.setUpdates({ source: null, key: null, atStart: false })
    const from = flags.from === undefined ? now.source : /^https?:/.test(flags.from) ? flags.from : resolve(flags.from)
    return await station.setUpdates({ source: from, key: flags.key ?? now.key, atStart: flags.atStart ?? now.atStart })
  })(call)
}

async function make(call: Call, [folder = '.']: readonly string[], flags: MakeFlags): Promise<Answer | Failure> {
  const files = await packagesIn(folder, flags.release)
  if (failed(files)) return files
  const text = releaseText({ version: flags.release, day: new Date(realClock.wallMs()).toISOString().slice(0, 10), notes: flags.notes, files })
  if (failed(text)) return text
  const key = await openSigningKey(call, flags.key, flags)
  if (failed(key)) return key
  try {
    const own = noteKey(flags.name, key.signer.publicKey)
    if (failed(own)) return own.kind === 'unsupported-key' ? new Failure(own.kind, `Releases are signed with Ed25519 keys; this one is ${key.signer.publicKey.algorithm}. Make one with keygen --type ed25519.`) : own
    const note = await signNote(text, flags.name, key.signer, call.signal)
    if (failed(note)) return note
    const file = join(folder, releaseFile)
    const written = await writeOutput(file, utf8(note))
    if (written !== null) return written
    return {
      document: { file, key: noteKeyText(own), version: flags.release, files },
      words: `Signed release ${flags.release} with ${files.length} ${files.length === 1 ? 'file' : 'files'} in ${file}. Stations trust it by this key:\n${noteKeyText(own)}`,
    }
  } finally {
    await key.close()
  }
}

async function packagesIn(folder: string, version: string): Promise<ReleaseFile[] | Failure> {
  try {
    const files: ReleaseFile[] = []
    for (const name of (await readdir(folder)).sort()) {
      const named = packageFileNamed(name, version)
      if (named !== null) files.push({ ...named, bytes: (await stat(join(folder, name))).size, sha256: await sha256Of(join(folder, name)) })
    }
    return files.length > 0 ? files : new Failure('no-packages', `${folder} has no package of version ${version}: their names are like slotwright-${version}-x64.deb. Make them with npm run package.`)
  } catch (error) {
    return fileFailure(error, 'read', folder)
  }
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const part of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(part as Uint8Array)
  return hash.digest('hex')
}

/** Signature, and in a folder each file against it. */
async function verify(_: Call, [place = '']: readonly string[], flags: { key: string }): Promise<Answer | Failure> {
  const key = parseNoteKey(flags.key)
  if (failed(key)) return key
  const inFolder = !/^https?:/.test(place)
  const note = await readReleaseNote(inFolder ? resolve(place) : place)
  const release = failed(note) ? note : openRelease(note, key)
  if (failed(release)) return release
  for (const file of inFolder ? release.files : []) {
    if (!(await isWhole(join(place, file.name), file))) return new Failure('wrong-file', `${file.name} in ${place} is missing, or not the file that the release names.`)
  }
  return { document: release, words: `Release ${release.version} of ${release.day} is signed by ${key.name}${inFolder ? ` and what it names is there, whole` : ''}.` }
}
