// One sentence for each entry, for people who read the log in a list. The entry is the record, the sentence only its
// reading: it may change between versions and is never hashed. Fields are read leniently, since a later version may have
// written the entry; a kind nobody here knows is shown by its name.
import type { Entry } from './entry.ts'

/** Longest sentence; what an entry's texts add beyond is cut. */
export const sentenceLettersMax = 400

type Say = (field: (name: string) => string) => string

const short = (hash: string) => (/^[0-9a-f]{64,}$/.test(hash) ? `${hash.slice(0, 12)}…` : hash)

const sentences: Readonly<Record<string, Say>> = {
  'station-started': (f) => `The station started: Slotwright ${f('appVersion')} on ${f('runtimeKind')} ${f('runtimeVersion')}, ${f('platform')}.`,
  'update-fetched': (f) => `Fetched version ${f('version')} of the station (${f('file')}) from ${f('source')}.`,
  'update-applied': (f) => `Put version ${f('version')} of the station in place (${f('how')}).`,
  'station-stopped': () => 'The station was closed.',
  'clock-stepped': (f) => `The computer's clock was moved by ${f('byMs')} ms.`,
  settings: (f) => `The setting ${f('name')} was set to ${f('after')}.`,
  'sign-in': (f) => `Signed in (${f('method')}).`,
  'sign-in-refused': (f) => `A sign-in was refused: ${f('says')}`,
  'sign-out': () => 'Signed out.',
  'station-locked': (f) => `The station was locked (${f('why')}).`,
  'person-added': (f) => `Made an account for ${f('person')}: ${f('roles')}.`,
  'person-changed': (f) => `Changed the account of ${f('person')}: ${f('what')}.`,
  'person-retired': (f) => `Retired the account of ${f('person')}.`,
  'person-locked': (f) => `The account of ${f('person')} is locked after ${f('tries')} wrong tries.`,
  'person-unlocked': (f) => `Unlocked the account of ${f('person')}.`,
  refusal: (f) => `Refused (${f('what')}): ${f('says')}`,
  'key-created': (f) => `Made the ${f('class')} key ${f('name')} (${f('algorithm')}, ${f('key')}).`,
  'key-imported': (f) => `Took in the ${f('class')} key ${f('name')} (${f('algorithm')}, ${f('key')}).`,
  'key-used': (f) => `Used the key ${f('name')} (${f('key')}) for ${f('purpose')}.`,
  'key-exported': (f) => `Exported the public half of the key ${f('name')} (${f('key')}) as ${f('form')}.`,
  'key-retired': (f) => `Retired the key ${f('name')} (${f('key')}).`,
  'key-policy': (f) => `Changed the policy of the key ${f('name')} (${f('key')}): ${f('after')}.`,
  'use-approved': (f) => `Approved that the key ${f('name')} (${f('key')}) signs ${f('inputSha256')} as version ${f('version')}.`,
  'token-unlocked': (f) => `Unlocked ${f('token')}.`,
  'token-locked': (f) => `Locked ${f('token')}.`,
  'token-trouble': (f) => `Trouble with ${f('token')}: ${f('says')}`,
  'image-signed': (f) => `Signed ${f('file')} as version ${f('version')} with the key ${f('key')}: image ${f('imageHash')}.`,
  'image-refused': (f) => `Refused to sign ${f('file')}: ${f('says')}`,
  'package-made': (f) => `Packed ${f('file')} as ${f('packageName')} version ${f('packageVersion')} with the key ${f('key')} for ${f('hardware')}.`,
  'package-opened': (f) => `Opened the package ${f('file')}: ${f('packageName')} version ${f('packageVersion')}, signed by ${f('signer')}, trusted through ${f('anchor')}.`,
  'package-refused': (f) => `Refused the package ${f('file')} (RFC 4108 code ${f('code')}): ${f('says')}`,
  'receipt-made': (f) => `${f('unit')}: signed a ${f('code') === '–' ? 'load receipt' : `load error report (code ${f('code')})`} as ${f('file')}.`,
  'recipe-released': (f) => `Released the recipe ${f('name')}, revision ${f('revision')}.`,
  'recipe-withdrawn': (f) => `Withdrew the recipe ${f('name')}, revision ${f('revision')}.`,
  'batch-started': (f) => `Batch started: version ${f('version')}, image ${f('imageHash')}, ${f('mode')}.`,
  'batch-ended': (f) => `Batch ended (${f('reason')}): ${f('confirmed')} confirmed, ${f('reverted')} reverted, ${f('unchanged')} unchanged, ${f('failed')} failed, ${f('stopped')} stopped.`,
  'unit-named': (f) => `${f('unit')}: bears the serial number ${f('serial')}.`,
  'console-intended': (f) => `${f('unit')}: about to be sent by hand: ${f('command')}.`,
  'console-done': (f) => `${f('unit')}: answered ${f('command')}: ${f('says')}`,
  'retry-asked': (f) => `${f('unit')}: is to be tried again.`,
  'board-attached': (f) => `${f('unit')} was plugged in (${f('port')}).`,
  'board-detached': (f) => `${f('unit')} was unplugged (${f('port')}).`,
  'run-started': (f) => `${f('unit')}: run started, runs version ${f('version')} now.`,
  'unit-data-intended': (f) => `${f('unit')}: about to write the ${f('item')}.`,
  'unit-data-written': (f) => `${f('unit')}: gives the ${f('item')} back as it was written.`,
  'unit-data-failed': (f) => `${f('unit')}: the ${f('item')} was not written: ${f('says')}`,
  'preflight-note': (f) => `${f('unit')}: ${f('says')}`,
  'preflight-refused': (f) => `${f('unit')}: refused before the first byte: ${f('says')}`,
  'slot-erase-intended': (f) => `${f('unit')}: slot ${f('slot')} is about to be erased ${f('why')}.`,
  'slot-erased': (f) => `${f('unit')}: says that slot ${f('slot')} is empty.`,
  'slot-write-intended': (f) => `${f('unit')}: is about to get image ${f('imageHash')} into slot ${f('slot')} (${f('bytes')} bytes).`,
  'slot-write-done': (f) => `${f('unit')}: says that slot ${f('slot')} holds image ${f('slotHash')}.`,
  'slot-write-failed': (f) => `${f('unit')}: writing slot ${f('slot')} failed: ${f('says')}`,
  'mark-intended': (f) => `${f('unit')}: image ${f('imageHash')} is about to be marked (${f('for')}).`,
  marked: (f) => `${f('unit')}: image ${f('imageHash')} is marked (${f('for')}).`,
  'reset-intended': (f) => `${f('unit')}: is about to be reset.`,
  reset: (f) => `${f('unit')}: took the reset.`,
  booted: (f) => `${f('unit')}: came back and runs version ${f('version')}, image ${f('activeHash')}.`,
  'image-runs': (f) => `${f('unit')}: runs version ${f('version')} as image ${f('image')}: ${f('activeHash')}.`,
  'proof-passed': (f) => `${f('unit')}: passed the proof ${f('proof')}.`,
  'proof-failed': (f) => `${f('unit')}: failed the proof ${f('proof')}: ${f('says')}`,
  'confirm-intended': (f) => `${f('unit')}: image ${f('imageHash')} is about to be confirmed.`,
  confirmed: (f) => `${f('unit')}: image ${f('activeHash')} is confirmed.`,
  outcome: (f) => `${f('unit')}: ${f('outcome').toUpperCase()}. ${f('says')}`,
  'entry-redacted': (f) => `Struck out ${f('fields')} of entry ${f('entry')}: ${f('says')}`,
  'log-key-changed': (f) => `The log's key handed over to another, kept as ${f('home')}: ${f('after')}.`,
  'log-backed-up': (f) => `The log was backed up to ${f('file')} (${f('size')} entries).`,
  'log-restored': (f) => `The log was restored from ${f('file')} (${f('size')} entries).`,
  export: (f) => `Exported ${f('what')} to ${f('file')}.`,
  'log-verified': (f) => `The log was verified over ${f('size')} entries: ${f('holds') === 'true' ? 'it holds' : `it does not hold. ${f('says')}`}`,
}

/** The sentence for an entry of any kind, at most `sentenceLettersMax` letters. */
export function sayEntry(entry: Entry): string {
  const say = Object.hasOwn(sentences, entry.kind) ? sentences[entry.kind] : undefined
  const field = (name: string): string => {
    const value = Object.hasOwn(entry.data, name) ? entry.data[name] : undefined
    if (typeof value === 'string') return value === '' ? '–' : short(value)
    return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '–'
  }
  const text = say === undefined ? `${entry.kind}: an entry of a kind that this version does not know.` : say(field).trim()
  return text.length <= sentenceLettersMax ? text : `${text.slice(0, sentenceLettersMax - 1)}…`
}
