// Recipes: a release is signed, logged and final, and an operator's batch is what was released or does not start.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createHash } from 'node:crypto'
import type { RecipeBody } from '../../main/contract/api.ts'
import type { Session } from '../../main/station/session.ts'
import { Line, value } from '../scenarios/simulation.ts'
import { House, kindOf } from './house.ts'

let house: House
let engineer: Session
let operator: Session
let sha256 = ''
beforeEach(async () => {
  house = await House.open()
  await house.add('Eve', ['engineer'])
  await house.add('Olaf', ['operator'])
  engineer = await house.as('Eve')
  operator = await house.as('Olaf')
  sha256 = (await value(operator.api.sampleFile({}))).sha256
})
afterEach(() => house.close())

type Given = { name?: string; files?: RecipeBody['files']; quota?: number }
const body = ({ name = 'Pump 3', files = [{ sha256, name: 'sample.bin', version: '1.1.0' }], quota }: Given = {}) => ({ recipe: { name, ...(quota === undefined ? {} : { quota }) }, files, product: null, notes: '' })
const draft = async (given: Given = {}) => value(engineer.api.saveRecipe({ id: null, body: body(given) }))
const start = async (recipe: string) => {
  const { file } = await value(operator.api.sampleFile({}))
  return kindOf(await operator.api.startReleased({ recipe, file }))
}

test('an operator starts nothing but what was released; without boards the batch gets as far as looking for them', async () => {
  const { id } = await draft()
  expect(await start(id)).toBe('recipe-not-released')
  const released = await value(engineer.api.releaseRecipe({ id }))
  expect(released).toMatchObject({ state: 'released', revision: 1, releasedBy: 'Eve', problem: null })
  expect(await start(id)).toBe('no-boards')
  expect(await start('r000000000000')).toBe('no-such-recipe')
})

test('the log has who released what, whole, and the hash is over that very text', async () => {
  const { id } = await draft()
  const released = await value(engineer.api.releaseRecipe({ id }))
  const [entry] = await house.logged('recipe-released')
  expect(entry).toMatchObject({ person: 'Eve', data: { recipe: id, revision: 1, recipeSha256: released.sha256 } })
  expect(createHash('sha256').update(entry!.data['content'] as string).digest('hex')).toBe(released.sha256)
  expect(JSON.parse(entry!.data['content'] as string)).toMatchObject({ recipe: id, body: { files: [{ sha256 }] } })
})

test('a file that the recipe does not name is refused and the refusal is logged', async () => {
  const { id } = await draft({ files: [{ sha256: 'ab'.repeat(32), name: 'other.bin', version: '' }] })
  await value(engineer.api.releaseRecipe({ id }))
  expect(await start(id)).toBe('file-not-in-recipe')
  expect((await house.logged('refusal'))[0]).toMatchObject({ person: 'Olaf', data: { failure: 'file-not-in-recipe' } })
})

test('a recipe that names no file is not released', async () => {
  const { id } = await draft({ files: [] })
  expect(kindOf(await engineer.api.releaseRecipe({ id }))).toBe('names-no-file')
})

test('a change after the release is the next revision; the released one stays in use until that one is released', async () => {
  const { id } = await draft()
  await value(engineer.api.releaseRecipe({ id }))
  const next = await value(engineer.api.saveRecipe({ id, body: body({ quota: 5 }) }))
  expect(next).toMatchObject({ revision: 2, state: 'draft' })
  const all = await value(operator.api.listRecipes({}))
  expect(all.map(({ revision, state, recipe }) => [revision, state, recipe.quota])).toEqual([[2, 'draft', 5], [1, 'released', null]])
  expect(await start(id)).toBe('no-boards')
  await value(engineer.api.deleteDraft({ id }))
  expect(await value(operator.api.listRecipes({}))).toHaveLength(1)
})

test('a withdrawn revision starts nothing any more, and the one before it is in use again', async () => {
  const { id } = await draft()
  await value(engineer.api.releaseRecipe({ id }))
  await value(engineer.api.saveRecipe({ id, body: body({ files: [{ sha256: 'cd'.repeat(32), name: '', version: '' }] }) }))
  await value(engineer.api.releaseRecipe({ id }))
  expect(await start(id)).toBe('file-not-in-recipe')
  await value(engineer.api.withdrawRecipe({ id, revision: 2 }))
  expect(await start(id)).toBe('no-boards')
  await value(engineer.api.withdrawRecipe({ id, revision: 1 }))
  expect(await start(id)).toBe('recipe-not-released')
  expect(await house.logged('recipe-withdrawn')).toHaveLength(2)
})

test.each([
  ['its files', "UPDATE recipes SET body = replace(body, 'sample.bin', 'sbmple.bin')"],
  ['its hash beside it', `UPDATE recipes SET body = json_set(body, '$.release.sha256', '${'0'.repeat(64)}')`],
  ['another revision in its place', "UPDATE recipes SET body = replace(body, 'revision\\\":1', 'revision\\\":7')"],
])('a released recipe changed in the database (%s) starts nothing, and says why', async (_what, sql) => {
  const { id } = await draft()
  await value(engineer.api.releaseRecipe({ id }))
  const { changes } = house.station.audit.database.sql.prepare(sql).run()
  expect(changes).toBe(1)
  expect(await start(id)).toBe('recipe-broken')
  expect((await value(operator.api.listRecipes({})))[0]?.problem?.says).toMatch(/cannot be used/)
})

test('a release forged whole, with hash and signature of another log\'s key, starts nothing', async () => {
  const other = await House.open()
  await other.add('Eve', ['engineer'])
  const forger = await other.as('Eve')
  const theirs = await value(forger.api.saveRecipe({ id: null, body: body() }))
  await value(forger.api.releaseRecipe({ id: theirs.id }))
  const row = other.station.audit.database.sql.prepare('SELECT * FROM recipes').get() as Record<string, unknown>
  await other.close()
  house.station.audit.database.sql.prepare('INSERT INTO recipes (id, name, revision, released, body) VALUES (@id, @name, @revision, @released, @body)').run(row)
  expect(await start(theirs.id)).toBe('recipe-broken')
})

test('two recipes are never called the same, and a draft of another\'s name is refused', async () => {
  await draft()
  expect(kindOf(await engineer.api.saveRecipe({ id: null, body: body({ name: 'PUMP 3' }) }))).toBe('name-taken')
})

test('an engineer tries a draft without releasing it; an operator does not', async () => {
  const { file } = await value(operator.api.sampleFile({}))
  expect(kindOf(await engineer.api.startBatch({ file, recipe: body().recipe }))).toBe('no-boards')
  expect(kindOf(await operator.api.startBatch({ file, recipe: body().recipe }))).toBe('role-missing')
})

test('two people are two accounts: one approves, the other signs, and a name spelled alike is nobody else', async () => {
  await house.add('Eva', ['engineer'])
  const second = await house.as('Eva')
  const passphrase = 'correct horse battery'
  await value(engineer.api.generateKey({ name: 'line', algorithm: 'ed25519', class: 'production', passphrase }))
  await value(house.root.api.setKeyPolicy({ name: 'line', needsTwo: true }))
  expect(kindOf(await engineer.api.setKeyPolicy({ name: 'line', needsTwo: false }))).toBe('role-missing')
  const path = join(house.home, 'fw.bin')
  writeFileSync(path, new Uint8Array(4_000).fill(3))
  const { file } = await value(engineer.api.openFile({ path, purpose: 'firmware' }))
  const sign = async (who: Session) => kindOf(await who.api.sign({ file, key: 'line', passphrase, options: { version: '1.0.0' }, saveAs: join(house.home, 'out.bin') }))
  expect(await sign(engineer)).toBe('needs-approval')
  const { entry } = await value(engineer.api.approveSigning({ file, key: 'line', version: '1.0.0' }))
  expect(await sign(engineer)).toBe('needs-approval')
  expect(await sign(second)).toBe('done')
  const accounts = Object.fromEntries((await value(house.root.api.listPeople({}))).map(({ name, account }) => [name, account]))
  expect((await house.logged('image-signed'))[0]).toMatchObject({ person: 'Eva', data: { approval: entry, account: accounts['Eva'] } })
  expect((await house.logged('use-approved'))[0]).toMatchObject({ person: 'Eve', data: { account: accounts['Eve'] } })
  expect(await sign(second)).toBe('needs-approval')
})

test('a batch by a released recipe names it in the log, and its boards end confirmed', async () => {
  const line = await Line.open({ seed: 7, boards: 2 })
  try {
    const file = await value(line.station.sampleFile({}))
    const { id } = await value(line.station.saveRecipe({ id: null, body: { recipe: { name: 'Two boards' }, files: [{ sha256: file.sha256 }] } }))
    await value(line.station.releaseRecipe({ id }))
    await value(line.station.startReleased({ recipe: id, file: file.file }))
    expect((await line.finish()).counts.confirmed).toBe(2)
    const { entries } = await value(line.station.listLog({ kind: 'batch-started' }))
    expect(entries[0]?.data).toMatchObject({ recipe: `${id}.1`, name: 'Two boards' })
    expect(await line.check()).toEqual([])
  } finally {
    await line.close()
  }
})
