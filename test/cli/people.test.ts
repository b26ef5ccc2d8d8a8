// People and recipes from a terminal or a script: accounts shut the home, `--as` opens it for those who may, two people are
// two accounts, and an operator provisions by a released recipe and no other.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { document, expectRefusal, folder, run } from './command.ts'
import type { Result } from './command.ts'

let home = ''
let work = ''
const call = (args: readonly string[]): Promise<Result> => run([...args, '--json'], { home })
const pinFile = (name: string) => join(work, `${name}.pin`)
const as = (name: string): string[] => ['--as', name, '--as-pin-file', pinFile(name)]
const add = (name: string, roles: readonly string[], by: readonly string[]) => call(['person', 'add', name, ...roles.flatMap((role) => ['--role', role]), '--new-pin-file', pinFile(name), ...by])
const people = ['Root', 'Eve', 'Eva', 'Olaf'] as const

beforeAll(async () => {
  work = folder()
  home = join(work, 'home')
  mkdirSync(home)
  for (const name of people) writeFileSync(pinFile(name), `${name}-4711-pin\n`)
  writeFileSync(join(work, 'app.bin'), new Uint8Array(4_000).fill(3))
  expect(document(await add('Root', ['administrator'], []))).toMatchObject({ name: 'Root', roles: ['administrator'] })
  for (const [name, role] of [['Eve', 'engineer'], ['Eva', 'engineer'], ['Olaf', 'operator']] as const) expect(await add(name, [role], as('Root'))).toMatchObject({ code: 0 })
})

describe('accounts', () => {
  test('shut the home to commands that change something, and say how to go on; reading needs none', async () => {
    expectRefusal(await call(['sign', join(work, 'app.bin'), join(work, 'x.bin'), '-v', '1.0.0', '-H', '0x200', '--pad-header', '-S', '0x69000']), 'needs-person', /--as NAME/)
    expectRefusal(await call(['person', 'list']), 'needs-person', /--as NAME/)
    expect((await call(['log', 'verify'])).code).toBe(0)
  })

  test('hold each command to its roles', async () => {
    expectRefusal(await call(['keygen', '-t', 'ed25519', '-k', join(work, 'mine.pem'), '--no-passphrase', ...as('Olaf')]), 'role-missing', /engineer/)
    expectRefusal(await call(['person', 'add', 'Mallory', '--role', 'administrator', '--new-pin-file', pinFile('Olaf'), ...as('Eve')]), 'role-missing', /administrator/)
    expectRefusal(await call(['log', 'export', join(work, 'b.zip'), ...as('Olaf')]), 'role-missing', /auditor/)
    // Merging changes nothing of this home; signing with its log's key does.
    expect((await call(['log', 'export', join(work, 'whole.zip'), '--no-pdf', ...as('Root')])).code).toBe(0)
    const merge = ['log', 'merge', join(work, 'merged.zip'), join(work, 'whole.zip')]
    expect((await call(merge)).code).toBe(0)
    expectRefusal(await call([...merge, '--sign']), 'needs-person', /--as NAME/)
    expectRefusal(await call([...merge, '--sign', ...as('Olaf')]), 'role-missing', /auditor/)
  })

  test('refuse a name nobody has in the words of a wrong PIN', async () => {
    writeFileSync(pinFile('wrong'), 'no\n')
    expectRefusal(await call(['person', 'list', '--as', 'Nobody', '--as-pin-file', pinFile('wrong')]), 'wrong-pin', /do not belong together/)
  })

  test('sign what they do: the log has person and role, and no PIN', async () => {
    expect((await call(['keygen', '-t', 'ed25519', '-k', join(work, 'eve.pem'), '--no-passphrase', ...as('Eve')])).code).toBe(0)
    const { entries } = document<{ entries: { person: string; kind: string }[] }>(await call(['log', 'list', '-n', '200']))
    expect(entries.find(({ kind }) => kind === 'key-created')).toMatchObject({ person: 'Eve' })
    expect(JSON.stringify(entries)).not.toContain('4711')
  })
})

test('two people: one approves, the other signs, and neither does both', async () => {
  writeFileSync(join(work, 'phrase'), 'correct horse battery\n')
  expect((await call(['key', 'add', join(work, 'eve.pem'), '-n', 'strict', '--new-passphrase-file', join(work, 'phrase'), ...as('Eve')])).code).toBe(0)
  expectRefusal(await call(['key', 'policy', 'strict', '--needs-two', ...as('Eve')]), 'role-missing', /administrator/)
  expect((await call(['key', 'policy', 'strict', '--needs-two', ...as('Root')])).code).toBe(0)
  const sign = (name: string) => call(['sign', join(work, 'app.bin'), join(work, `${name}.bin`), '-k', 'strict', '-v', '1.2.0', '-H', '0x200', '--pad-header', '-S', '0x69000', '--passphrase-file', join(work, 'phrase'), ...as(name)])
  expectRefusal(await sign('Eve'), 'needs-approval', /two people/)
  expect((await call(['key', 'approve', 'strict', join(work, 'app.bin'), '-v', '1.2.0', ...as('Eve')])).code).toBe(0)
  expectRefusal(await sign('Eve'), 'needs-approval', /does not count/)
  expect((await sign('Eva')).code).toBe(0)
  expectRefusal(await sign('Eva'), 'needs-approval', /two people/)
}, 60_000)

describe('recipes', () => {
  test('are saved, released, shown and verified; a released one starts for the file it names, and for no other', async () => {
    const image = join(work, 'Eva.bin')
    writeFileSync(join(work, 'pump.json'), JSON.stringify({ name: 'Pump', mode: 'test-and-confirm', allowedKeys: ['strict'] }))
    writeFileSync(join(work, 'nobody.json'), JSON.stringify({ name: 'Nobody', allowedKeys: ['nobody'] }))
    expectRefusal(await call(['recipe', 'save', join(work, 'nobody.json'), ...as('Eve')]), 'no-such-key', /Keys here: .*strict/)
    expect(document(await call(['recipe', 'save', join(work, 'pump.json'), '--file', image, ...as('Eve')]))).toMatchObject({ name: 'Pump', revision: 1, state: 'draft', files: [{ name: 'Eva.bin', version: '1.2.0+0' }] })
    expectRefusal(await call(['recipe', 'release', 'Pump', ...as('Olaf')]), 'role-missing', /engineer/)
    expect(document(await call(['recipe', 'release', 'Pump', ...as('Eve')]))).toMatchObject({ state: 'released', releasedBy: 'Eve' })
    expect(document(await call(['recipe', 'verify', ...as('Olaf')]))).toMatchObject({ holds: true })
    const shown = document<{ recipe: { name: string; allowedKeys: string[] } }>(await call(['recipe', 'show', 'pump', ...as('Olaf')]))
    expect(shown.recipe.name).toBe('Pump')
    expect(shown.recipe.allowedKeys).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)])
    const line = join(work, 'line')
    mkdirSync(line)
    const provision = (file: string, ...more: string[]) => call(['provision', file, '--ports', line, '--wait', '0', ...more, ...as('Olaf')])
    // Without boards everything that can be refused before them has been looked at.
    const tried = document<{ failure: { kind: string } }>(await provision(image, '--recipe', 'Pump'))
    expect(tried.failure.kind).toMatch(/^no-(boards|ports)/)
  }, 60_000)
})
