// The notices against what really ships: a package in the program that its notices do not name is a licence broken.
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { licenceOf, shippedPackages } from '../../scripts/setup/notices.mjs'

const root = resolve(import.meta.dirname, '..', '..')
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }
const shipped = shippedPackages() as readonly { place: string }[]
const names = new Set(shipped.map(({ place }) => place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length)))

test('a package that the program needs and its notices leave out', () => {
  expect(Object.keys(dependencies).filter((name) => !names.has(name))).toEqual([])
  // What the window's build takes in is a development dependency, and ships all the same.
  for (const name of ['vue', 'pinia', 'vue-i18n', 'reka-ui', '@vue/runtime-dom', 'ms']) expect(names, name).toContain(name)
  // And what only builds and tests is none of it.
  for (const name of ['vitest', 'electron-builder', 'typescript', '@playwright/test']) expect(names, name).not.toContain(name)
})

test('a package whose licence is not permissive', () => {
  expect(shipped.filter(({ place }) => !licenceOf(place).permissive).map(({ place }) => place)).toEqual([])
})

test('a map of a built file that names a package without a notice', () => {
  const maps = ['main', 'renderer'].flatMap((folder) => readdirSync(join(root, 'out', folder), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.map')).map((name) => join(root, 'out', folder, name)))
  const used = new Set(maps.flatMap((map) => (JSON.parse(readFileSync(map, 'utf8')) as { sources: string[] }).sources.flatMap((source) => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(source)?.[1] ?? [])))
  expect([...used].filter((name) => !names.has(name))).toEqual([])
})
