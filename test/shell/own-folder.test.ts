// A window that was killed leaves its folder, perhaps with a copy of a large log in it: the next one must remove that, and
// must not remove what belongs to a window at work or to somebody else.
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { makeOwnFolder, removeLeftFolders } from '../../main/shell/own-folder.ts'
import { newHome, release } from '../store/fixture.ts'

afterEach(release)

/** The number of a process that has ended. */
const ended = () => spawnSync(process.execPath, ['-e', ''], { env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' } }).pid

test('the folder of a window that is no more goes, with all that is in it; others stay', () => {
  const place = newHome()
  const gone = ended()
  const left = makeOwnFolder(place, gone)
  mkdirSync(join(left, 'slotwright-read-x'))
  writeFileSync(join(left, 'slotwright-read-x', 'slotwright.db'), 'a copy')
  makeOwnFolder(place)
  mkdirSync(join(place, 'slotwright-auditor-notes'))
  mkdirSync(join(place, 'kept'))
  symlinkSync(join(place, 'kept'), join(place, `slotwright-auditor-${gone}-linked`))
  writeFileSync(join(place, `slotwright-auditor-${gone}-aFiLe1`), 'no folder')
  const before = readdirSync(place).filter((name) => join(place, name) !== left)
  removeLeftFolders(place)
  expect(readdirSync(place).sort()).toEqual(before.sort())
})
