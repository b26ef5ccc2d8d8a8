// One sentence for each kind of log entry, for readers of the log and of a board's history. Reading is lenient: an entry
// that a later version wrote is shown by its kind, never hidden. Hashes are cut for the eye; the whole ones are in `data`.
import type { Entry } from '../log/entry.ts'
import type { StepView } from '../contract/views.ts'

type Told = Readonly<{ step: string; result: StepView['result']; says: (has: Reader) => string }>

/** Fields of an entry as text, whatever was written there. */
type Reader = Readonly<{ text(field: string): string; hash(field: string): string; bytes(field: string): string; seconds(field: string): string; is(field: string): boolean }>

const told: Readonly<Record<string, Told>> = {
  'station-started': { step: 'Station', result: 'note', says: (has) => `The station started, version ${has.text('appVersion')}${has.is('upgradedFrom') ? ` in place of ${has.text('upgradedFrom')}` : ''} on ${has.text('platform')} (${has.text('runtimeKind')} ${has.text('runtimeVersion')}).` },
  'station-stopped': { step: 'Station', result: 'note', says: (has) => `The station stopped${has.is('reason') ? `: ${has.text('reason')}` : ''}.` },
  'update-fetched': { step: 'Update', result: 'done', says: (has) => `Version ${has.text('version')} of the station was fetched from ${has.text('source')}.` },
  'update-applied': { step: 'Update', result: 'done', says: (has) => `Version ${has.text('version')} of the station was put in place (${has.text('how')}).` },
  'clock-stepped': { step: 'Clock', result: 'note', says: (has) => `The wall clock was set by ${has.seconds('byMs')}.` },
  settings: { step: 'Settings', result: 'note', says: (has) => `The setting "${has.text('name')}" became "${has.text('after')}".` },
  refusal: { step: 'Refused', result: 'failed', says: (has) => `Refused (${has.text('what')}): ${has.text('says')}` },
  'key-created': { step: 'Key', result: 'done', says: (has) => `The ${has.text('class')} key "${has.text('name')}" (${has.text('algorithm')}, ${has.hash('key')}) was made.` },
  'key-imported': { step: 'Key', result: 'done', says: (has) => `The ${has.text('class')} key "${has.text('name')}" (${has.text('algorithm')}, ${has.hash('key')}) was taken in.` },
  'key-used': { step: 'Key', result: 'note', says: (has) => `The key "${has.text('name')}" signed something (${has.text('purpose')}).` },
  'key-exported': { step: 'Key', result: 'note', says: (has) => `The key "${has.text('name')}" was exported as ${has.text('form')}.` },
  'key-retired': { step: 'Key', result: 'done', says: (has) => `The key "${has.text('name')}" was retired.` },
  'key-policy': { step: 'Key', result: 'done', says: (has) => `The policy of the key "${has.text('name')}" became: ${has.text('after')}.` },
  'use-approved': { step: 'Approved', result: 'done', says: (has) => `Approved that "${has.text('name')}" signs ${has.hash('inputSha256')} as version ${has.text('version')}.` },
  'token-unlocked': { step: 'Token', result: 'note', says: (has) => `${has.text('token')} was unlocked.` },
  'token-locked': { step: 'Token', result: 'note', says: (has) => `${has.text('token')} was locked.` },
  'token-trouble': { step: 'Token', result: 'failed', says: (has) => `${has.text('token')}: ${has.text('says')}` },
  'image-signed': { step: 'Signed', result: 'done', says: (has) => `${has.text('file')}, version ${has.text('version')}, was signed with "${has.text('keyName')}"; image hash ${has.hash('imageHash')}.` },
  'image-refused': { step: 'Refused', result: 'failed', says: (has) => `${has.text('file')} was refused: ${has.text('says')}` },
  'recipe-released': { step: 'Recipe', result: 'done', says: (has) => `The recipe "${has.text('name')}" was released.` },
  'sign-in': { step: 'Signed in', result: 'note', says: (has) => `Signed in (${has.text('method')}).` },
  'sign-in-refused': { step: 'Refused', result: 'failed', says: (has) => `A sign-in was refused: ${has.text('says')}` },
  'sign-out': { step: 'Signed out', result: 'note', says: () => 'Signed out.' },
  'station-locked': { step: 'Locked', result: 'note', says: (has) => `The station was locked (${has.text('why')}).` },
  'person-added': { step: 'People', result: 'done', says: (has) => `An account was made for ${has.text('person')}: ${has.text('roles')}.` },
  'person-changed': { step: 'People', result: 'done', says: (has) => `The account of ${has.text('person')} was changed: ${has.text('what')}.` },
  'person-retired': { step: 'People', result: 'done', says: (has) => `The account of ${has.text('person')} was retired.` },
  'person-locked': { step: 'People', result: 'failed', says: (has) => `The account of ${has.text('person')} was locked after ${has.text('tries')} wrong tries.` },
  'person-unlocked': { step: 'People', result: 'done', says: (has) => `The account of ${has.text('person')} was unlocked.` },
  'recipe-withdrawn': { step: 'Recipe', result: 'done', says: (has) => `The recipe "${has.text('name')}", revision ${has.text('revision')}, was withdrawn.` },
  'batch-started': { step: 'Batch', result: 'begun', says: (has) => `A batch began: ${has.text('version')} (${has.hash('imageHash')}), ${has.text('mode')}.` },
  'batch-ended': { step: 'Batch', result: 'done', says: (has) => `The batch ended (${has.text('reason')}): ${has.text('confirmed')} confirmed, ${has.text('reverted')} reverted, ${has.text('unchanged')} unchanged, ${has.text('failed')} failed, ${has.text('stopped')} stopped.` },
  'unit-named': { step: 'Serial number', result: 'note', says: (has) => `${has.text('unit')} bears the serial number ${has.text('serial')}.` },
  'console-intended': { step: 'By hand', result: 'begun', says: (has) => `Sending to ${has.text('unit')} by hand: ${has.text('command')}.` },
  'console-done': { step: 'By hand', result: 'done', says: (has) => `${has.text('unit')} answered ${has.text('command')}: ${has.text('says')}` },
  'retry-asked': { step: 'Again', result: 'note', says: (has) => `${has.text('unit')} is to be tried again.` },
  'board-attached': { step: 'Attached', result: 'note', says: (has) => `${has.text('unit')} was plugged in at ${has.text('port')}.` },
  'board-detached': { step: 'Detached', result: 'note', says: (has) => `${has.text('unit')} was unplugged.` },
  'run-started': { step: 'Attached', result: 'begun', says: (has) => `Run began on ${has.text('port')}.` },
  'unit-data-intended': { step: 'Data', result: 'begun', says: (has) => `Writing the ${has.text('item')}.` },
  'unit-data-written': { step: 'Data', result: 'done', says: (has) => `The board gives the ${has.text('item')} back as it was written${has.is('value') ? `: ${has.text('value')}` : ''}.` },
  'unit-data-failed': { step: 'Data', result: 'failed', says: (has) => has.text('says') },
  'preflight-note': { step: 'Preflight', result: 'note', says: (has) => has.text('says') },
  'preflight-refused': { step: 'Preflight', result: 'failed', says: (has) => has.text('says') },
  'slot-erase-intended': { step: 'Erase', result: 'begun', says: (has) => `Erasing slot ${has.text('slot')} ${has.text('why')}.` },
  'slot-erased': { step: 'Erase', result: 'done', says: (has) => `Slot ${has.text('slot')} is empty, by the board's own word.` },
  'slot-write-intended': { step: 'Upload', result: 'begun', says: (has) => `Writing ${has.bytes('bytes')} to slot ${has.text('slot')}.` },
  'slot-write-done': { step: 'Upload', result: 'done', says: (has) => `Slot ${has.text('slot')} holds ${has.hash('slotHash')}, by the board's own word${has.is('tookMs') ? ` (${has.seconds('tookMs')})` : ''}.` },
  'slot-write-failed': { step: 'Upload', result: 'failed', says: (has) => has.text('says') },
  'mark-intended': { step: 'Mark', result: 'begun', says: () => 'Telling the board to try the new image at its next restart.' },
  marked: { step: 'Mark', result: 'done', says: () => 'The board lists the new image as pending.' },
  'reset-intended': { step: 'Restart', result: 'begun', says: (has) => `Restarting the board ${has.text('why')}.` },
  reset: { step: 'Restart', result: 'done', says: () => 'The board acknowledged the restart.' },
  booted: { step: 'Return', result: 'done', says: (has) => `The board is back and runs ${has.text('version')} (${has.hash('activeHash')}).` },
  'image-runs': { step: 'Return', result: 'done', says: (has) => `As image ${has.text('image')} the board runs ${has.text('version')} (${has.hash('activeHash')})${has.text('confirmed') === 'true' ? ', confirmed' : ''}.` },
  'proof-passed': { step: 'Proof', result: 'done', says: (has) => `Proof "${has.text('proof')}" passed: it ${has.text('says')}.` },
  'proof-failed': { step: 'Proof', result: 'failed', says: (has) => has.text('says') },
  'confirm-intended': { step: 'Confirm', result: 'begun', says: () => 'All proofs passed; confirming the new image.' },
  confirmed: { step: 'Confirm', result: 'done', says: (has) => `The board lists ${has.text('version')} as running and confirmed.` },
  outcome: { step: 'Outcome', result: 'done', says: (has) => `${has.text('outcome').toUpperCase()}. ${has.text('says')}` },
  'package-made': { step: 'Package', result: 'done', says: (has) => `The package ${has.text('file')} was made around image ${has.hash('imageHash')}.` },
  'package-opened': { step: 'Package', result: 'done', says: (has) => `The package ${has.text('file')} was opened; it holds image ${has.hash('imageHash')}.` },
  'package-refused': { step: 'Refused', result: 'failed', says: (has) => `The package ${has.text('file')} was refused: ${has.text('says')}` },
  'receipt-made': { step: 'Receipt', result: 'done', says: (has) => `The outcome was signed in the standard's form (RFC 4108) as ${has.text('file')}.` },
  'entry-redacted': { step: 'Log', result: 'note', says: (has) => `In entry ${has.text('entry')}, ${has.text('fields')} was struck out: ${has.text('says')}` },
  'log-key-changed': { step: 'Log', result: 'done', says: (has) => `The log's key handed over to another, kept ${has.text('home') === 'pkcs11' ? 'in a token' : 'in a file'}: ${has.text('after')}.` },
  'log-backed-up': { step: 'Log', result: 'note', says: (has) => `The log was backed up to ${has.text('file')} at ${has.text('size')} entries.` },
  'log-restored': { step: 'Log', result: 'note', says: (has) => `The log was restored from ${has.text('file')} with ${has.text('size')} entries.` },
  export: { step: 'Export', result: 'note', says: (has) => `${has.text('what')} was exported to ${has.text('file')}.` },
  'log-verified': { step: 'Log', result: 'note', says: (has) => `The log was verified up to entry ${has.text('size')}: ${has.text('says')}` },
}

/** One sentence on an entry. */
export function sentenceOf(entry: Pick<Entry, 'kind' | 'data'>): string {
  return told[entry.kind]?.says(readerOf(entry)) ?? `An entry of kind "${entry.kind}".`
}

/** Step name and result of an entry in a board's history. */
export function stepOf(entry: Pick<Entry, 'kind' | 'data'>): Pick<StepView, 'step' | 'result'> {
  const { step, result } = told[entry.kind] ?? { step: entry.kind, result: 'note' as const }
  if (entry.kind !== 'outcome') return { step, result }
  const bad = ['failed', 'reverted'].includes(String(entry.data['outcome']))
  return { step, result: bad ? 'failed' : entry.data['outcome'] === 'stopped' ? 'note' : 'done' }
}

function readerOf(entry: Pick<Entry, 'data'>): Reader {
  const own = (field: string): unknown => (Object.hasOwn(entry.data, field) ? entry.data[field] : undefined)
  const text = (field: string) => {
    const value = own(field)
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '(not said)'
  }
  return {
    text,
    hash: (field) => `${text(field).slice(0, 12)}…`,
    bytes: (field) => `${Number(own(field)).toLocaleString('en-GB')} bytes`,
    seconds: (field) => `${(Number(own(field)) / 1000).toFixed(1)} s`,
    is: (field) => own(field) !== undefined,
  }
}
