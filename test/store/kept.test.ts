// Settings, recipes and boards: what people set survives, and what does not fit is not believed.
import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import { knownBoard, knownBoards, rememberBoard } from '../../main/store/boards.ts'
import { listRecipes, saveRecipe } from '../../main/store/recipes.ts'
import { readSetting, writeSetting } from '../../main/store/settings.ts'
import { newHome, release, storeIn, value } from './fixture.ts'

afterEach(release)

const theme = z.enum(['light', 'dark'])

test('a setting is there after the next start, and one that fits no more falls back', () => {
  const home = newHome()
  const before = storeIn(home)
  expect(readSetting(before.database, 'theme', theme, 'light')).toBe('light')
  value(writeSetting(before.database, 'theme', 'dark'))
  before.close()
  const { database } = storeIn(home)
  expect(readSetting(database, 'theme', theme, 'light')).toBe('dark')
  value(writeSetting(database, 'theme', 'mauve'))
  expect(readSetting(database, 'theme', theme, 'light')).toBe('light')
  database.sql.exec("UPDATE settings SET value = '{broken'")
  expect(readSetting(database, 'theme', theme, 'light')).toBe('light')
})

test('a released recipe stays as it is; a draft may change', () => {
  const { database } = storeIn(newHome())
  const body = z.strictObject({ mode: z.string() })
  const draft = { id: 'r1', name: 'Line 1', revision: 1, released: false, body: { mode: 'test-only' } }
  value(saveRecipe(database, draft))
  value(saveRecipe(database, { ...draft, released: true, body: { mode: 'upload-only' } }))
  expect(saveRecipe(database, draft)).toMatchObject({ kind: 'recipe-released' })
  value(saveRecipe(database, { ...draft, id: 'r2', revision: 2 }))
  database.sql.exec(`UPDATE recipes SET body = '{"mode":5}' WHERE id = 'r2'`)
  expect(value(listRecipes(database, body))).toEqual({ recipes: [{ ...draft, released: true, body: { mode: 'upload-only' } }], unreadable: 1 })
})

test('news of a board adds to what is known and forgets nothing', () => {
  const { database } = storeIn(newHome())
  value(rememberBoard(database, { unit: 'u1', at: '2026-03-01T08:00:00.000Z', port: '/dev/ttyACM0', version: '1.0.0' }))
  value(rememberBoard(database, { unit: 'u1', at: '2026-03-01T09:00:00.000Z', outcome: 'confirmed', version: '1.1.0' }))
  value(rememberBoard(database, { unit: 'u1', at: '2026-03-01T10:00:00.000Z', port: '/dev/ttyACM3' }))
  value(rememberBoard(database, { unit: 'u2', at: '2026-03-01T09:30:00.000Z' }))
  expect(value(knownBoard(database, 'u1'))).toEqual({
    unit: 'u1', firstSeen: '2026-03-01T08:00:00.000Z', lastSeen: '2026-03-01T10:00:00.000Z', port: '/dev/ttyACM3', version: '1.1.0', activeHash: null,
    outcome: 'confirmed', outcomeAt: '2026-03-01T09:00:00.000Z',
  })
  expect(value(knownBoards(database)).map(({ unit }) => unit)).toEqual(['u1', 'u2'])
  expect(value(knownBoard(database, 'u3'))).toBeNull()
})
