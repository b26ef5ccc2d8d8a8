// The documentation's own promises: links that lead somewhere, pictures that the window's tests take and that are small
// enough for a clone, commands that exist. What the pages say is tried elsewhere, by the tests they name.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const pictureBytesMax = 150 * 1024

const pages = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
].map((name) => ({ name, text: readFileSync(join(root, name), 'utf8') }))

/** GitHub's anchor of a heading. */
const anchorOf = (heading: string): string => heading.trim().toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-')
const anchorsIn = (text: string): Set<string> => new Set([...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => anchorOf(heading)))

const picturesShown = new Set(pages.flatMap(({ text }) => [...text.matchAll(/screens\/([\w-]+\.png)/g)].map(([, name = '']) => name)))
const picturesTaken = new Set(readdirSync(join(root, 'test', 'app')).filter((name) => name.endsWith('.spec.ts'))
  .flatMap((name) => [...readFileSync(join(root, 'test', 'app', name), 'utf8').matchAll(/\bpicture\([\w.]+, '([\w-]+)'\)/g)].map(([, taken = '']) => taken)))

describe.each(pages.map(({ name, text }) => [name, text] as const))('%s', (name, text) => {
  test('has no link that leads nowhere', () => {
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, to = '']) => to).filter((to) => !/^(https?:|mailto:)/.test(to))
    const wrong = links.filter((to) => {
      const [path = '', anchor] = to.split('#')
      const target = path === '' ? join(root, name) : join(root, dirname(name), path)
      if (!existsSync(target)) return true
      return anchor !== undefined && !anchorsIn(readFileSync(target, 'utf8')).has(anchor)
    })
    expect(wrong).toEqual([])
  })

  test('names only npm scripts that there are', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
    const named = [...text.matchAll(/\bnpm run ([a-z][\w:-]*)/g)].map(([, script = '']) => script)
    expect(named.filter((script) => scripts[script] === undefined)).toEqual([])
  })

  test('names only files that there are', () => {
    const named = [...text.matchAll(/`((?:main|renderer|test|scripts|resources|docs)\/[\w./-]+)`/g)].map(([, path = '']) => path.replace(/\/$/, ''))
    expect(named.filter((path) => !existsSync(join(root, path)) && !/^(test\/bench\/results|renderer\/words\/it)/.test(path))).toEqual([])
  })
})

describe('pictures', () => {
  const folder = join(root, 'docs', 'screens')
  const there = readdirSync(folder)

  test('each picture shown is there, and each that is there is shown', () => {
    expect([...there].sort()).toEqual([...picturesShown].sort())
  })

  test('each is one that the window\'s tests take, so that npm run docs can renew it', () => {
    expect(there.filter((name) => !picturesTaken.has(name.replace(/-(dark|light)\.png$/, '')))).toEqual([])
  })

  test.each(there)('%s is small enough for a clone', (name) => {
    expect(statSync(join(folder, name)).size, relative(root, join(folder, name))).toBeLessThanOrEqual(pictureBytesMax)
  })
})

describe('security, shown not said', () => {
  const page = (name: string) => pages.find((one) => one.name === name)?.text ?? ''
  /** The rows of all tables, without their heads. */
  const rowsOf = (text: string) => [...text.matchAll(/^\|(?! *\|?-)(.*)\|$/gm)].map(([, row = '']) => row.split('|').map((cell) => cell.trim()))

  test('every point of Electron\'s checklist names a test that holds it', () => {
    const points = rowsOf(page('docs/security.md')).filter(([number]) => /^\d+$/.test(number ?? ''))
    expect(points.map(([number]) => Number(number))).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
    expect(points.filter((cells) => !/`test\/[\w./-]+\.(test|spec)\.ts`/.test(cells.at(-1) ?? '')).map(([number]) => number)).toEqual([])
  })

  test('every threat that is said to be held names a test that tries it', () => {
    const sections = page('docs/threat-model.md').split(/^## /m).filter((section) => /^\| tries \| holds \| tried by \|$/m.test(section))
    expect(sections.length).toBe(8)
    const untried = sections.flatMap((section) => rowsOf(section).filter(([tries]) => tries !== 'tries' && !/^-+$/.test(tries ?? '')).filter((cells) => !/`test\/[\w./-]+\.(test|spec)\.ts`/.test(cells[2] ?? '')))
    expect(untried).toEqual([])
    expect(sections.filter((section) => !section.includes('Does not hold'))).toEqual([])
  })

  test('every explained finding of the checking tool stands in the page', () => {
    const { electronegativity } = JSON.parse(readFileSync(join(root, 'scripts', 'security', 'explained.json'), 'utf8')) as { electronegativity: { check: string; file: string }[] }
    const rows = rowsOf(page('docs/security.md'))
    const sources = electronegativity.filter(({ file }) => !file.startsWith('out/'))
    expect(sources.filter(({ check, file }) => !rows.some((cells) => cells[0] === `\`${check}\`` && cells[1]?.startsWith(`\`${file.replace(/\.js$/, '.ts')}\``)))).toEqual([])
    expect(sources.length).toBe(electronegativity.length / 2)
  })
})
