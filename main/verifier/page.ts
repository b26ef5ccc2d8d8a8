// The verifier as a page: one HTML file that an auditor opens in any browser, without a network. A bundle, or the files of
// a home (slotwright.db with its -wal, log-key.pub, checkpoints), is dropped on it; nothing leaves the page.
import { version } from '../../package.json'
import { Failure } from '../base/failure.ts'
import { checkBundle } from '../bundle/check.ts'
import type { Finding } from '../bundle/finding.ts'
import { checkMerged, isMerged } from '../bundle/merge.ts'
import { unpack } from '../bundle/unpack.ts'
import type { NoteKey } from '../log/checkpoint.ts'
import { parseLogKeys, trustWithin } from '../log/handover.ts'
import { checkDatabase } from './database.ts'
import { noBundle, unpackedBundle } from './mistaken.ts'

type Outcome = Readonly<{ holds: boolean; findings: readonly Finding[]; says: string }>

const filesMax = 20_000
const bytesMax = 2_000_000_000

const element = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T
const zone = element('zone')
const chooser = element<HTMLInputElement>('chooser')
const keyField = element<HTMLInputElement>('key')
const status = element('status')
const list = element('findings')

function show(outcome: Outcome | Failure): void {
  const holds = !(outcome instanceof Failure) && outcome.holds
  status.className = holds ? 'holds' : 'broken'
  status.textContent = outcome.says
  list.replaceChildren(...(outcome instanceof Failure ? [] : outcome.findings).map(({ is, says }) => {
    const line = document.createElement('li')
    line.className = is
    const mark = document.createElement('b')
    mark.textContent = { holds: 'holds', broken: 'BROKEN', note: 'note' }[is]
    line.append(mark, ` ${says}`)
    return line
  }))
}

async function progress(done: number, total: number): Promise<void> {
  status.className = 'working'
  status.textContent = `${done} of ${total} entries …`
  await new Promise((resolve) => setTimeout(resolve))
}

/** A merged report has a key for each station; they stand side by side. */
function trustedKeys(): NoteKey[] | Failure {
  const keys = keyField.value.split(/\s+/).filter((typed) => typed !== '').map(parseLogKeys)
  return keys.find((key) => key instanceof Failure) ?? keys.filter((key): key is NoteKey => !(key instanceof Failure))
}

async function check(files: readonly File[]): Promise<Outcome | Failure> {
  const keys = trustedKeys()
  if (keys instanceof Failure) return new Failure('usage', `The key above does not read: ${keys.says}`)
  if (files.length === 0 || files.length > filesMax) return new Failure('usage', 'Drop one audit bundle, or the files of one home.')
  if (files.reduce((sum, { size }) => sum + size, 0) > bytesMax) return new Failure('too-large', 'This is more than a browser can hold. Use slotwright-verify with Node.')
  const database = files.find(({ name }) => name.endsWith('.db'))
  const checkpoints = new Map(await Promise.all(files.filter(({ name }) => name.endsWith('.checkpoint')).map(async (file) => [file.name, await file.text()] as const)))
  const [only, ...more] = files.filter(({ name }) => !checkpoints.has(name))
  if (database === undefined && only !== undefined && more.length === 0) {
    const bytes = new Uint8Array(await only.arrayBuffer())
    const unpacked = noBundle(only.name, bytes) ?? unpack(bytes)
    return unpacked instanceof Failure ? unpacked : await (isMerged(unpacked) ? checkMerged : checkBundle)(unpacked, { trusted: keys, checkpoints, version, onProgress: progress })
  }
  if (database === undefined) return unpackedBundle(files.map(({ name }) => name), 'These are the files of') ?? new Failure('usage', 'There is neither an audit bundle nor a slotwright.db among these files.')
  return await checkFiles(database, files, checkpoints, keys[0] ?? null)
}

async function checkFiles(database: File, files: readonly File[], checkpoints: ReadonlyMap<string, string>, given: NoteKey | null): Promise<Outcome | Failure> {
  const bytes = new Uint8Array(await database.arrayBuffer())
  const wal = files.find(({ name }) => name === `${database.name}-wal`)
  const keyFile = files.find(({ name }) => name === 'log-key.pub')
  const kept = keyFile === undefined ? null : parseLogKeys(await keyFile.text())
  const own = given === null ? kept : trustWithin(given, kept)
  if (own instanceof Failure) return own
  const found = await checkDatabase(
    { read: (offset, length) => bytes.subarray(offset, offset + length), wal: wal === undefined ? null : new Uint8Array(await wal.arrayBuffer()), checkpoints },
    { key: own, keyGiven: given !== null, onProgress: progress },
  )
  if (found instanceof Failure) return found
  const first = found.findings.find(({ is }) => is === 'broken')
  return { holds: first === undefined, findings: found.findings, says: first === undefined ? 'The log holds.' : `The log does not hold. ${first.says}` }
}

async function take(files: readonly File[]): Promise<void> {
  list.replaceChildren()
  // One after the other is dropped here: the verdict must say whose it is.
  element('what').textContent = files.slice(0, 3).map(({ name }) => name).join(', ') + (files.length > 3 ? ' …' : '')
  status.className = 'working'
  status.textContent = 'Reading …'
  try {
    show(await check(files))
  } catch (error) {
    show(new Failure('fault', `This could not be checked: ${error instanceof Error ? error.message : String(error)}`))
  }
}

zone.addEventListener('dragover', (event) => {
  event.preventDefault()
  zone.classList.add('over')
})
zone.addEventListener('dragleave', () => zone.classList.remove('over'))
zone.addEventListener('drop', (event) => {
  event.preventDefault()
  zone.classList.remove('over')
  void take([...(event.dataTransfer?.files ?? [])])
})
chooser.addEventListener('change', () => void take([...(chooser.files ?? [])]))
element('version').textContent = version
