// The book of words against the window that reads it: a key that is used and not written shows as its own name on the
// screen, one that is written and not used is a lie to the translator.
import { readFileSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { kindNames } from './kinds-of-the-log.ts'
import { outcomeNames } from '../../main/contract/views.ts'
import { entryKinds } from '../../renderer/log/kinds.ts'
import { en } from '../../renderer/words/en/index.ts'
import { words } from '../../renderer/words/words.ts'

const renderer = resolve(import.meta.dirname, '..', '..', 'renderer')
const sources = readdirSync(renderer, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.(vue|ts)$/.test(path) && !path.startsWith('words'))
  .map((path) => readFileSync(join(renderer, path), 'utf8'))

type Tree = { readonly [name: string]: string | Tree }
const flat = (tree: Tree, above = ''): string[] => Object.entries(tree).flatMap(([name, value]) => (typeof value === 'string' ? [above + name] : flat(value, `${above}${name}.`)))
const written = new Set(flat(en))
const groups = Object.keys(en)

/** Keys named whole in the sources, and the beginnings of keys that are put together (`look.${…}`). */
const named = new Set(sources.flatMap((text) => [...text.matchAll(/['`]([a-zA-Z]+(?:\.[a-zA-Z0-9-]+)+)['`]/g)].flatMap((match) => (groups.includes(match[1]?.split('.')[0] ?? '') ? [match[1] ?? ''] : []))))
const beginnings = new Set(sources.flatMap((text) => [...text.matchAll(/`([a-zA-Z]+(?:\.[a-zA-Z]+)*\.)\$\{/g)].map((match) => match[1] ?? '')))

test('a key that is used but not written', () => {
  const missing = [...named].filter((key) => !written.has(key) && !/\.(vue|ts|css)$/.test(key))
  expect(missing).toEqual([])
})

test('a key that is written but never used', () => {
  // The desk names what is missing by the end of a key; the stores keep those ends.
  const unused = [...written].filter((key) => !named.has(key) && ![...beginnings].some((begin) => key.startsWith(begin) && !key.slice(begin.length).includes('.')))
  const byEnd = unused.filter((key) => !sources.some((text) => text.includes(`'${key.split('.').at(-1)}'`)))
  expect(byEnd).toEqual([])
})

test('a state without a word', () => {
  for (const outcome of outcomeNames) expect(Object.keys(en.look)).toContain(outcome)
  for (const phase of ['attached', 'identifying', 'preflight', 'uploading', 'checking', 'marking', 'resetting', 'waiting', 'proving', 'confirming', 'ended']) expect(Object.keys(en.phase)).toContain(phase)
})

test('a message that does not compile: braces, pipes and at signs are the book\'s own signs', () => {
  for (const key of written) expect(() => words.global.t(key, { n: 2 }), key).not.toThrow()
  expect(words.global.t('line.practiceFaultsHint')).toContain('2:unplug@40%')
  expect(words.global.t('line.attachedCount', 1)).toBe('one board attached')
  expect(words.global.t('line.attachedCount', 8)).toBe('8 boards attached')
})

test('a kind that the log\'s filter offers and the log does not have', () => {
  expect(entryKinds.filter((kind) => !kindNames.includes(kind))).toEqual([])
})
