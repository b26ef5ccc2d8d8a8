// An in-memory station for looking at the window without one: rows as the real station sends them, scenes to look at
// (eight boards running, sixty-four, long names, failures). Used by the page under test/renderer/page and by the store
// tests; it ships with nothing.
import type { MethodName, WindowApi } from '../../main/contract/api.ts'
import type {
  BatchView, BayView, BoardView, EntryView, FailureView, FileView, ImageView, KeyView, OutcomeName, Reply, RunPhase, RunView, StationEvent,
} from '../../main/contract/views.ts'

const hex = (seed: number, bytes = 32) => Array.from({ length: bytes }, (_, at) => ((seed * 7919 + at * 104729 + at * at * 31) % 256).toString(16).padStart(2, '0')).join('')
const ok = <T>(value: T): Reply<T> => ({ ok: true, value })
const wrong = (kind: string, says: string): Reply<never> => ({ ok: false, failure: { kind, says, facts: {} } })

export const sampleImage: ImageView = {
  fileName: 'practice-1.1.0.signed.bin', bytes: 66_212, version: '1.1.0', headerBytes: 512, payloadBytes: 65_536, loadAddress: 0, flags: [], hash: hex(3), hashHolds: true,
  keyHash: hex(9), keyName: 'practice', signature: 'valid', signatureKind: 'ed25519', securityCounter: null, trailer: null, tlvs: [], warnings: [],
}

const long = 'a-very-long-name-'.repeat(18).slice(0, 300)

export function bayRow(bay: number, more: Partial<BayView> = {}): BayView {
  return {
    bay, board: `PB-${String(bay).padStart(4, '0')}`, port: `/tmp/practice/ttyP${bay - 1}`, practice: true, place: null, misplaced: null, run: null, phase: 'attached', says: 'Ready.', note: null, bytesDone: 0, bytesTotal: 0,
    bytesPerSecond: 0, secondsLeft: null, waitsUntil: null, runningVersion: '1.0.0', targetVersion: null, outcome: null, failure: null, todo: null, activeHash: hex(1), seconds: 0, ...more,
  }
}

const failureSays = 'The board did not answer within 60 s after its reset.'

/** A row in a given phase of a run, or ended with an outcome. */
export function rowIn(bay: number, state: RunPhase | OutcomeName): BayView {
  const base = { run: `r-20260309-140302-${bay}`, targetVersion: '1.1.0', bytesTotal: 66_212, seconds: 4.2 + bay }
  const share = ((bay * 37) % 83) / 100 + 0.1
  switch (state) {
    case 'uploading': return bayRow(bay, { ...base, phase: 'uploading', says: 'Writing slot 1.', bytesDone: Math.round(66_212 * share), bytesPerSecond: 31_400, secondsLeft: (1 - share) * 2.1 })
    case 'confirmed': return bayRow(bay, { ...base, phase: 'ended', outcome: 'confirmed', says: 'Runs 1.1.0, confirmed by its own word.', runningVersion: '1.1.0', bytesDone: 66_212, bytesPerSecond: 31_400, activeHash: hex(3) })
    case 'unchanged': return bayRow(bay, { ...base, phase: 'ended', outcome: 'unchanged', says: 'Had 1.1.0 already, active and confirmed.', runningVersion: '1.1.0' })
    case 'reverted': return bayRow(bay, { ...base, phase: 'ended', outcome: 'reverted', says: 'The new image failed its proof (echo). The board is back on 1.0.0.', bytesDone: 66_212, bytesPerSecond: 30_100 })
    case 'failed': return bayRow(bay, { ...base, phase: 'ended', outcome: 'failed', says: failureSays, bytesDone: 66_212, failure: { kind: 'no-return', says: failureSays, facts: {} } })
    case 'stopped': return bayRow(bay, { ...base, phase: 'ended', outcome: 'stopped', says: 'Stopped by Ada while uploading.', bytesDone: 20_000 })
    case 'uploaded': return bayRow(bay, { ...base, phase: 'ended', outcome: 'uploaded', says: 'Slot 1 holds 1.1.0.', bytesDone: 66_212 })
    case 'tested': return bayRow(bay, { ...base, phase: 'ended', outcome: 'tested', says: 'Runs 1.1.0 on test; not confirmed.', runningVersion: '1.1.0', bytesDone: 66_212 })
    case 'attached': return bayRow(bay)
    case 'ended': return bayRow(bay, { phase: 'ended' })
    default: return bayRow(bay, { ...base, phase: state, says: 'Waiting for the board to come back with the new image.', bytesDone: 66_212 })
  }
}

const mixed: readonly (RunPhase | OutcomeName)[] = ['confirmed', 'uploading', 'reverted', 'failed', 'waiting', 'proving', 'unchanged', 'uploading']
const noCounts = { confirmed: 0, reverted: 0, unchanged: 0, uploaded: 0, tested: 0, failed: 0, stopped: 0 }

function batchOf(rows: readonly BayView[], status: BatchView['status']): BatchView {
  const counts: Record<OutcomeName, number> = { ...noCounts }
  for (const row of rows) if (row.outcome !== null) counts[row.outcome]++
  return {
    id: 'b-1', status, image: sampleImage, boards: rows.length, counts, startedAt: new Date(Date.now() - 14_000).toISOString(), endedAt: null, seconds: 14,
    figures: { cycleSeconds: 12.4, unitsPerHour: 212, firstPassYield: 0.875 }, recent: [], badInARow: 0, because: null, waiting: [], nextSerial: null,
    recipe: { name: 'Default', mode: 'test-and-confirm', allowedKeys: [], allowDowngrade: false, proofs: ['echo', 'active-hash', 'version'], quota: null },
  }
}

export function runOf(row: BayView): RunView {
  const steps: [number, string, string, RunView['steps'][number]['result']][] = [
    [0, 'Attach', `Board ${row.board} on ${row.port}.`, 'done'], [0.1, 'Identify', 'Zephyr SMP server, 4 buffers of 384 bytes, swap using move.', 'done'],
    [0.2, 'Preflight', '1.1.0 fits slot 1 (430,080 bytes), signed by key practice.', 'done'], [0.3, 'Upload', 'Intent written to the log as entry 41.', 'begun'],
    [2.4, 'Upload', '66,212 bytes at 31.4 kB/s.', 'done'], [2.5, 'Check slot', `Slot 1 holds ${hex(3).slice(0, 16)}… by the board's own word.`, 'done'], [2.6, 'Mark for test', 'Slot 1 is pending.', 'done'],
    [2.7, 'Reset', 'The board said goodbye.', 'done'], [4.9, 'Wait for return', 'It answers after 2.2 s, on 1.1.0.', 'done'],
  ]
  if (row.outcome === 'failed') steps.push([64.9, 'Wait for return', failureSays, 'failed'])
  else if (row.outcome === 'reverted') steps.push([5.1, 'Prove', 'Echo came back changed.', 'failed'], [5.2, 'Reset', 'So that the old image returns.', 'note'])
  else if (row.outcome === 'confirmed') steps.push([5, 'Prove', 'Echo, active hash and version hold.', 'done'], [5.1, 'Confirm', 'Confirmed; the state read back says so.', 'done'])
  const bad = row.outcome === 'failed' || row.outcome === 'reverted'
  return {
    run: row.run ?? '', batch: 'b-1', bay: row.bay, board: row.board ?? '', port: row.port ?? '', outcome: row.outcome, kind: row.failure?.kind ?? null, says: row.says,
    todo: bad ? 'Take the board out and keep it apart. Power it off and on; when it answers again under Boards, run it once more. If it reverts again, the image does not suit this hardware revision.' : null,
    activeHash: row.activeHash, version: row.runningVersion, startedAt: new Date().toISOString(), seconds: row.seconds, bytes: row.bytesDone, bytesPerSecond: row.bytesPerSecond,
    steps: steps.map(([seconds, step, says, result]) => ({ at: new Date().toISOString(), seconds, step, says, result, kind: 'note', data: {} })),
  }
}

const inFile = { token: null, policy: { products: [], notBefore: null, notAfter: null, needsTwo: false } }
const keys: KeyView[] = [
  { ...inFile, name: 'release-2026', algorithm: 'ed25519', fingerprint: hex(21), class: 'production', where: 'file', encrypted: true, createdAt: '2026-02-03T08:12:00Z', retiredAt: null, warning: null },
  { ...inFile, name: 'practice', algorithm: 'ed25519', fingerprint: hex(9), class: 'test', where: 'file', encrypted: false, createdAt: '2026-03-09T13:59:00Z', retiredAt: null, warning: 'Rests unencrypted: anyone who can read the home folder can sign with it.' },
  { ...inFile, name: 'release-2024', algorithm: 'rsa-3072', fingerprint: hex(23), class: 'production', where: 'file', encrypted: true, createdAt: '2024-05-01T08:00:00Z', retiredAt: '2026-02-03T08:20:00Z', warning: null },
]

const entryKinds = ['station-started', 'key-created', 'batch-started', 'run-started', 'slot-write-intended', 'slot-write-done', 'marked', 'reset', 'booted', 'proof-passed', 'confirmed', 'outcome']
function entryOf(seq: number): EntryView {
  const kind = entryKinds[seq % entryKinds.length] ?? 'outcome'
  return {
    seq, at: new Date(Date.UTC(2026, 2, 9, 13, 0, seq)).toISOString(), person: 'Ada', kind, says: `PB-000${1 + (seq % 8)}: ${kind.replaceAll('-', ' ')}, image 1.1.0 (${hex(3).slice(0, 8)}…).`,
    unit: seq % 12 < 3 ? null : `PB-000${1 + (seq % 8)}`, run: 'r-20260309-140302-3', batch: 'b-1', leaf: hex(seq), data: { slot: 1, bytes: 66_212, imageHash: hex(3) },
  }
}

export type Scene = Readonly<{ bays: number; state: string; names: string; start: string; entries: number; map?: boolean; question?: string }>

/** A fake window API showing one scene; `push` sends an event to the window as the station would. */
export function fakeApi(scene: Partial<Scene> = {}): WindowApi & { push(event: StationEvent): void; asked: { method: MethodName; args: unknown }[] } {
  const { bays: count, state, names, start, entries } = { bays: 8, state: 'attached', names: 'short', start: 'ok', entries: 40_000, ...scene }
  const listeners = new Set<(event: StationEvent) => void>()
  const asked: { method: MethodName; args: unknown }[] = []
  let searched: number[] = []
  const stateOf = (bay: number) => (state === 'mixed' ? mixed[(bay - 1) % mixed.length] : state) as RunPhase | OutcomeName
  let rows = Array.from({ length: count }, (_, at) => {
    const row = rowIn(at + 1, stateOf(at + 1))
    return names === 'long' ? { ...row, board: long, port: `/dev/${long}`, says: long, runningVersion: '255.255.65535+4294967295', targetVersion: '255.255.65535+4294967294' } : row
  })
  let batch: BatchView | null = state === 'attached' ? null : batchOf(rows, state === 'confirmed' ? 'ended' : 'running')
  const file: FileView = { file: 'f1', name: names === 'long' ? `${long}.bin` : 'practice-1.1.0.signed.bin', bytes: 66_212, sha256: hex(4), image: sampleImage, problem: null }
  const plain: FileView = { file: 'f2', name: names === 'long' ? `${long}.bin` : 'zephyr.bin', bytes: 187_344, sha256: hex(5), image: null, problem: null }
  const push = (event: StationEvent) => {
    if (event.is === 'bay') rows = rows.map((row) => (row.bay === event.bay.bay ? event.bay : row))
    for (const listener of listeners) listener(event)
  }
  const board: BoardView = {
    port: '/tmp/practice/ttyP2', board: 'PB-0003', bufferBytes: 384, bufferCount: 4, bootloader: 'MCUboot', recovery: false, mode: 'swap using move', application: 'Zephyr practice 1.0.0', framing: 'console',
    slots: [
      { image: 0, slot: 0, version: '1.0.0', hash: hex(1), bootable: true, pending: false, confirmed: true, active: true, permanent: false, bytes: 430_080 },
      { image: 0, slot: 1, version: '1.1.0', hash: hex(3), bootable: true, pending: true, confirmed: false, active: false, permanent: false, bytes: 430_080 },
    ],
  }

  async function answer(method: MethodName, args: never): Promise<Reply<unknown>> {
    const given = args as Record<string, unknown>
    if (start === 'fail') return wrong('newer-database', 'The database /home/ada/.local/share/slotwright/station.db was written by a newer Slotwright (schema 9, this one knows 3). Install the newer version, or give another home folder with --home.')
    switch (method) {
      case 'about': return ok({ name: 'Slotwright', version: '0.1.0', runtime: { kind: 'registry', electron: '33.2.1', chrome: '130.0.6723.137', node: '20.18.1' }, platform: 'linux x64', home: '/home/ada/.local/share/slotwright', licence: 'Apache-2.0' })
      case 'settings': return ok({ theme: 'system', language: 'en', person: 'Ada', baudRate: 115_200 })
      case 'changeSettings': return ok({ theme: 'system', language: 'en', person: 'Ada', baudRate: 115_200, ...given })
      case 'bays': return ok(rows)
      case 'batch': return ok(batch)
      case 'practice': return ok({ status: 'on', boards: count, baud: 460_800, folder: '/tmp/practice', build: null })
      case 'sampleFile': return ok(file)
      case 'chooseFile': return ok(given['purpose'] === 'firmware' ? plain : given['purpose'] === 'key' ? { ...plain, file: 'f3', name: 'root-ed25519.pem', bytes: 119 } : file)
      case 'session': return ok({ open: true, person: { account: null, name: 'ada', roles: ['operator', 'engineer', 'auditor', 'administrator'], byBadgeOnly: false }, names: [], idleMinutes: 10, batch: null })
      case 'listPeople': return ok([])
      case 'listKeys': return ok(state === 'nokeys' ? [] : keys)
      case 'generateKey': return ok(keys[0])
      case 'retireKey': return wrong('refused', 'The practice key is in use by the practice line.')
      case 'sign': return ok({ image: { ...sampleImage, fileName: 'zephyr.signed.bin', version: '1.2.3', keyName: 'practice', bytes: 188_020 }, savedAs: '/home/ada/firmware/out/zephyr.signed.bin', file: 'f9', key: 'practice', entry: 118 })
      case 'listPorts': return ok(rows.map((row) => ({ port: row.port, serial: row.board, bay: row.bay, maker: null, usb: null, practice: true })))
      case 'askBoard': return ok(board)
      case 'run': {
        const row = rows.find((one) => one.run === given['run'])
        return row === undefined ? wrong('no-run', 'There is no such run.') : ok(runOf(row))
      }
      case 'startBatch': {
        rows = rows.map((row) => rowIn(row.bay, 'uploading'))
        batch = batchOf(rows, 'running')
        push({ is: 'bays', bays: rows })
        push({ is: 'batch', batch })
        return ok(batch)
      }
      case 'listLog': {
        const before = (given['before'] as number | null) ?? entries
        const found: EntryView[] = []
        const text = String(given['text'] ?? '').toLowerCase()
        for (let seq = before - 1; seq >= 0 && found.length < Number(given['limit'] ?? 100) && before - seq < 5000; seq--) {
          const entry = entryOf(seq)
          if ((given['kind'] === null || entry.kind === given['kind']) && entry.says.toLowerCase().includes(text)) found.push(entry)
        }
        return ok({ entries: found, total: entries })
      }
      case 'findLog': {
        const text = String(given['text'] ?? '').toLowerCase()
        searched = []
        for (let seq = entries - 1; seq >= 0; seq--) {
          const entry = entryOf(seq)
          if ((given['kind'] === null || entry.kind === given['kind']) && entry.says.toLowerCase().includes(text)) searched.push(seq)
        }
        return ok({ find: `q${JSON.stringify(args).length}`, total: searched.length, size: entries })
      }
      case 'foundEntries': return ok(searched.slice(Number(given['at']), Number(given['at']) + Number(given['limit'])).map(entryOf))
      case 'placeInLog': return ok({ at: searched.indexOf(Number(given['seq'])) })
      case 'entryProof': return ok({ seq: Number(given['seq']), raw: '{}', leaf: hex(Number(given['seq'])), covered: null })
      case 'logKeys': return ok([])
      case 'logBatches': return ok([])
      case 'verifyLog': return ok({ holds: true, size: entries, root: hex(77), says: `All ${entries.toLocaleString('en')} entries, the tree over them and the tables derived from them agree.`, firstWrong: null, wrongs: [], seconds: 0.84 })
      case 'bayMap': return ok(scene.map === true ? { rows: Math.ceil(count / 8), columns: 8, bays: rows.map((row) => ({ bay: row.bay, row: Math.floor((row.bay - 1) / 8), column: (row.bay - 1) % 8, place: null })) } : { rows: 0, columns: 0, bays: [] })
      case 'listRecipes': return ok([])
      case 'questions': return ok(scene.question === undefined ? [] : [{ question: 'a1', run: 'r1', bay: 3, board: 'PB-0003', asks: scene.question, askedAt: new Date().toISOString(), secondsLeft: 42 }])
      case 'setFullScreen': return ok({ on: given['on'] })
      default: return wrong('not-here', 'The page has no answer to this.')
    }
  }

  return {
    asked,
    push,
    call: (async (method: MethodName, args: never) => {
      asked.push({ method, args })
      return answer(method, args)
    }) as WindowApi['call'],
    languages: [],
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

export const someFailure: FailureView = { kind: 'refused', says: failureSays, facts: {} }
