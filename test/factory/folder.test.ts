// Events as files: whole or not there, one for each event, and a folder that is full or gone is waited for.
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { FactoryEvent } from '../../main/factory/event.ts'
import { fileNameOf, openFolder } from '../../main/factory/folder.ts'
import { kindOf } from '../station/house.ts'

const forever = new AbortController().signal
const event = (entry: number, more: Partial<FactoryEvent> = {}): FactoryEvent => ({ id: entry.toString(16).padStart(64, '0'), type: 'run.ended', timestamp: '2026-01-01T00:00:00.000Z', station: 'Line 3', entry, person: '', kind: 'outcome', data: { unit: 'A' }, ...more })

let folder = ''
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'slotwright-events-')) })
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('each event is one file with nothing beside it, in the log\'s order, and twice the same event is one file', async () => {
  const sink = openFolder(folder)
  for (const entry of [9, 10, 100, 10]) expect(await sink.deliver(event(entry), forever)).toBe(null)
  const names = readdirSync(folder)
  expect(names.map((name) => Number(name.slice(0, 12)))).toEqual([9, 10, 100])
  expect(JSON.parse(readFileSync(join(folder, names[0] ?? ''), 'utf8'))).toEqual(event(9))
})

test('whatever an event says, its file lies in the folder', () => {
  fc.assert(fc.property(fc.string(), fc.nat(), (id, entry) => {
    expect(fileNameOf(event(entry, { id }))).toMatch(/^[0-9]{12,}-run-ended-[0-9a-z]{0,16}\.json$/)
  }))
})

test('a folder that nobody empties is filled so far and no further, and goes on when it is emptied', async () => {
  const sink = openFolder(folder, 3)
  for (let entry = 0; entry < 3; entry++) expect(await sink.deliver(event(entry), forever)).toBe(null)
  const full = await sink.deliver(event(3), forever)
  expect(kindOf(full)).toBe('receiver-away')
  expect(full?.says).toContain('nobody has fetched')
  expect(readdirSync(folder)).toHaveLength(3)
  for (const name of readdirSync(folder)) rmSync(join(folder, name))
  expect(await sink.deliver(event(3), forever)).toBe(null)
})

test('a folder that is gone is not made: a share that is not mounted is waited for', async () => {
  const sink = openFolder(folder)
  rmSync(folder, { recursive: true })
  expect(kindOf(await sink.deliver(event(1), forever))).toBe('receiver-away')
  writeFileSync(folder, 'a file in its place')
  expect(kindOf(await sink.deliver(event(1), forever))).toBe('receiver-away')
  rmSync(folder)
  mkdirSync(folder)
  expect(await sink.deliver(event(1), forever)).toBe(null)
})

test('a folder that is taken away between two events leaves no half of one', async () => {
  const sink = openFolder(folder)
  expect(await sink.deliver(event(1), forever)).toBe(null)
  rmSync(folder, { recursive: true })
  expect(kindOf(await sink.deliver(event(2), forever))).toBe('receiver-away')
  mkdirSync(folder)
  expect(readdirSync(folder)).toEqual([])
})
