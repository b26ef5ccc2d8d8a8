// The bridge's answers without Electron: everything a hostile page could send, and that nothing but data comes back.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Failure } from '../../main/base/failure.ts'
import { methods, type StationApi } from '../../main/contract/api.ts'
import { personRoles } from '../../main/contract/roles.ts'
import { callsAtOnceMax, makeAnswer, type Answering } from '../../main/shell/answer.ts'

type Calls = { method: string; args: unknown }[]

/** A station that answers everything with a note of the call. */
function noteTaker(calls: Calls, more: Partial<Record<string, (args: unknown) => Promise<unknown>>> = {}): StationApi {
  const noted = Object.keys(methods).map((method) => [method, more[method] ?? ((args: unknown) => {
    calls.push({ method, args })
    return Promise.resolve({ noted: method })
  })])
  const everybody = () => Promise.resolve({ person: { roles: personRoles } })
  return { ...Object.fromEntries(noted), session: everybody }
}

function answering(station: StationApi | Failure, more: Partial<Answering> = {}): { answer: ReturnType<typeof makeAnswer>; reports: unknown[] } {
  const reports: unknown[] = []
  const answer = makeAnswer({ station: () => Promise.resolve(station), chooseFile: () => Promise.resolve(null), chooseFolder: () => Promise.resolve(null), chooseTarget: () => Promise.resolve(null), fullScreen: (on) => on, report: (_method, error) => reports.push(error), ...more })
  return { answer, reports }
}

test('only the contract\'s window methods reach the station', async () => {
  const calls: Calls = []
  const { answer } = answering(noteTaker(calls))
  for (const method of ['openFile', 'close', 'subscribe', 'audit', 'constructor', '__proto__', 'toString', 'hasOwnProperty', '', 7, null, undefined, ['about'], { toString: () => 'about' }]) {
    expect(await answer(method, { path: '/etc/passwd', purpose: 'key' })).toMatchObject({ ok: false, failure: { kind: 'refused-call' } })
  }
  expect(calls).toEqual([])
  expect(await answer('about', {})).toEqual({ ok: true, value: { noted: 'about' } })
})

test('arguments of any other shape are refused before the station is opened, and never repeated', async () => {
  let opened = 0
  const { answer, reports } = answering(noteTaker([]), { station: () => {
    opened++
    return Promise.resolve(noteTaker([]))
  } })
  for (const args of [undefined, null, 1, 'x', [], { extra: true }]) expect(await answer('listKeys', args)).toMatchObject({ ok: false, failure: { kind: 'bad-arguments' } })
  const reply = await answer('sign', { file: 'f1', key: 'k', passphrase: { secret: 'hunter2' }, options: { version: 'hunter2' }, saveAs: null })
  expect(reply.ok).toBe(false)
  expect(JSON.stringify(reply)).not.toContain('hunter2')
  expect(opened).toBe(0)
  expect(reports).toEqual([])
})

test('whatever comes in, a reply goes out', async () => {
  const { answer } = answering(noteTaker([], { listPorts: () => Promise.resolve([]) }))
  const names = fc.oneof(fc.constantFrom(...Object.keys(methods)), fc.string(), fc.anything())
  await fc.assert(fc.asyncProperty(names, fc.anything(), async (method, args) => {
    const reply = await answer(method, args)
    expect(typeof reply.ok).toBe('boolean')
    if (!reply.ok) expect(reply.failure.says.length).toBeGreaterThan(10)
  }), { numRuns: 2000 })
})

test('the window cannot choose where a file is written', async () => {
  const calls: Calls = []
  const options = { version: '1.2.3' }
  const { answer } = answering(noteTaker(calls), { chooseTarget: () => Promise.resolve('/chosen/by/dialog.bin') })
  expect(await answer('sign', { file: 'f1', key: 'k', passphrase: null, options, saveAs: '/etc/cron.d/evil' })).toMatchObject({ ok: false, failure: { kind: 'refused-call' } })
  expect(calls).toEqual([])
  await answer('sign', { file: 'f1', key: 'k', passphrase: null, options, saveAs: null })
  expect(calls).toMatchObject([{ method: 'sign', args: { saveAs: '/chosen/by/dialog.bin' } }])
})

test('a dialog that was closed is no failure and reaches no station', async () => {
  const calls: Calls = []
  const { answer } = answering(noteTaker(calls))
  expect(await answer('chooseFile', { purpose: 'firmware' })).toEqual({ ok: true, value: null })
  expect(await answer('sign', { file: 'f1', key: 'k', passphrase: null, options: { version: '1.2.3' }, saveAs: null })).toEqual({ ok: true, value: null })
  expect(calls).toEqual([])
})

test('the window cannot have any path opened as a port, whichever call names one', async () => {
  const calls: Calls = []
  const { answer } = answering(noteTaker(calls, { listPorts: () => Promise.resolve([{ port: '/dev/ttyACM0' }]) }))
  const rest: Partial<Record<string, object>> = { profileFromBoard: { name: 'x' }, boardConsole: { command: { do: 'echo', text: 'x' } }, teachBay: { bay: 1 } }
  const naming = Object.entries(methods).filter(([, { args }]) => 'port' in ((args as { shape?: object }).shape ?? {}))
    .map(([method]) => method).filter((method) => !['hushConsole', 'setFactoryApi'].includes(method))
  expect(naming).toEqual(expect.arrayContaining(['askBoard', 'profileFromBoard', 'boardConsole', 'teachBay', 'blinkBoard', 'diagnosePort']))
  for (const method of naming) {
    expect(await answer(method, { ...rest[method], port: '/etc/shadow' }), method).toMatchObject({ ok: false, failure: { kind: 'no-such-port' } })
    expect(calls, method).toEqual([])
    expect(await answer(method, { ...rest[method], port: '/dev/ttyACM0' }), method).toMatchObject({ ok: true })
    expect(calls.splice(0), method).toMatchObject([{ method }])
  }
  // A port of the network is none of these.
  expect(await answer('setFactoryApi', { on: false, port: 8470, host: '127.0.0.1' })).toMatchObject({ ok: true })
})

test('a station that throws becomes a sentence; its words and stack stay outside', async () => {
  const { answer, reports } = answering(noteTaker([], { about: () => Promise.reject(new Error('passphrase hunter2 at /home/ada/x.ts:3')) }))
  const reply = await answer('about', {})
  expect(reply).toMatchObject({ ok: false, failure: { kind: 'bug' } })
  expect(JSON.stringify(reply)).not.toMatch(/hunter2|\.ts:/)
  expect(reports).toHaveLength(1)
})

test('a station that could not open answers every call with the reason', async () => {
  const { answer } = answering(new Failure('database-damaged', 'The database is damaged. Restore it.', { page: 3 }))
  for (const method of ['about', 'bays', 'listKeys']) expect(await answer(method, {})).toEqual({ ok: false, failure: { kind: 'database-damaged', says: 'The database is damaged. Restore it.', facts: { page: 3 } } })
})

test('a window that calls without end is told to wait, and is heard again afterwards', async () => {
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const { answer } = answering(noteTaker([], { bays: async () => {
    await held
    return []
  } }))
  const waiting = Array.from({ length: callsAtOnceMax }, () => answer('bays', {}))
  expect(await answer('about', {})).toMatchObject({ ok: false, failure: { kind: 'too-many-calls' } })
  release()
  await Promise.all(waiting)
  expect(await answer('about', {})).toMatchObject({ ok: true })
})

test('a PKCS#11 module is the person\'s own choice of a file: the window names none, and a changed mind loads none', async () => {
  const calls: Calls = []
  let asked: string[] = []
  const chosen = answering(noteTaker(calls), { chooseFile: (purpose) => { asked.push(purpose); return Promise.resolve('/opt/vendor/p11.so') } })
  expect(await chosen.answer('chooseTokenModule', { path: '/tmp/evil.so' })).toMatchObject({ ok: false, failure: { kind: 'bad-arguments' } })
  expect(asked).toEqual([])
  expect(await chosen.answer('chooseTokenModule', {})).toMatchObject({ ok: true })
  expect(asked).toEqual(['module'])
  expect(calls).toEqual([{ method: 'addTokenModule', args: { path: '/opt/vendor/p11.so' } }])
  asked = []
  const changed = answering(noteTaker(calls))
  expect(await changed.answer('chooseTokenModule', {})).toEqual({ ok: true, value: null })
  expect(calls).toHaveLength(1)
})

test('the folder that events go to is the person\'s own choice as well, and nobody is asked who may not choose it', async () => {
  const calls: Calls = []
  let asked = 0
  const more = { chooseFolder: () => { asked += 1; return Promise.resolve('/srv/events') } }
  const { answer } = answering(noteTaker(calls), more)
  expect(await answer('addFolderHook', { folder: '/etc' })).toMatchObject({ ok: false, failure: { kind: 'refused-call' } })
  expect(await answer('chooseFolderHook', { folder: '/etc' })).toMatchObject({ ok: false, failure: { kind: 'bad-arguments' } })
  expect(asked).toBe(0)
  expect(await answer('chooseFolderHook', {})).toMatchObject({ ok: true })
  expect(calls).toEqual([{ method: 'addFolderHook', args: { folder: '/srv/events' } }])
})

test('the file that a recall begins with is the person\'s own choice too, and only its hash comes back', async () => {
  const calls: Calls = []
  const { answer } = answering(noteTaker(calls), { chooseFile: () => Promise.resolve('/home/ada/app.bin') })
  expect(await answer('readRecallFile', { path: '/etc/shadow' })).toMatchObject({ ok: false, failure: { kind: 'refused-call' } })
  expect(await answer('recallFile', { path: '/etc/shadow' })).toMatchObject({ ok: false, failure: { kind: 'bad-arguments' } })
  expect(await answer('recallFile', {})).toMatchObject({ ok: true })
  expect(calls).toEqual([{ method: 'readRecallFile', args: { path: '/home/ada/app.bin' } }])
})

test.each(['chooseFolderHook', 'chooseTokenModule'] as const)('%s by somebody without the role is refused by the station, before a dialog opens', async (method) => {
  const says = { addFolderHook: () => Promise.resolve(new Failure('role-missing', 'not this role')), addTokenModule: () => Promise.resolve(new Failure('role-missing', 'not this role')) }
  const operator = { ...noteTaker([], says), session: () => Promise.resolve({ person: { roles: ['operator'] } }) } as unknown as StationApi
  const { answer, reports } = answering(operator, { chooseFile: () => { throw new Error('a dialog opened') }, chooseFolder: () => { throw new Error('a dialog opened') } })
  expect(await answer(method, {})).toMatchObject({ ok: false, failure: { kind: 'role-missing' } })
  expect(reports).toEqual([])
})
