import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { namedHome } from '../../main/shell/arguments.ts'
import { makePage, pageOrigin } from '../../main/shell/page.ts'
import { atFirst, recall, remember } from '../../main/shell/remembered.ts'

const folder = mkdtempSync(join(tmpdir(), 'slotwright-page-'))
mkdirSync(join(folder, 'renderer', 'assets'), { recursive: true })
writeFileSync(join(folder, 'secret.html'), 'secret')
writeFileSync(join(folder, 'renderer', 'index.html'), '<p>page</p>')
writeFileSync(join(folder, 'renderer', 'assets', 'a.js'), 'a')
writeFileSync(join(folder, 'renderer', 'notes.txt'), 'a type the page has no use for')
afterAll(() => rmSync(folder, { recursive: true }))

const page = makePage(join(folder, 'renderer'))
const ask = (url: string, method = 'GET') => page(new Request(url, { method }))

test('the page\'s own files come with the policy', async () => {
  const reply = ask(`${pageOrigin}/index.html`)
  expect(await reply.text()).toBe('<p>page</p>')
  expect(reply.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(reply.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(reply.headers.get('content-security-policy')).not.toMatch(/unsafe|\*/)
  expect(ask(`${pageOrigin}/assets/a.js?x#y`).status).toBe(200)
})

test('nothing else comes, however the path is written', () => {
  for (const path of ['/', '/../secret.html', '/%2e%2e/secret.html', '/..%2fsecret.html', '/assets/../../secret.html', '/assets', '//etc/passwd', '/notes.txt', '/index.html%00', '/INDEX.HTML', '/__proto__', '/constructor']) {
    expect(ask(`${pageOrigin}${path}`).status, path).toBe(404)
  }
  expect(ask('app://other/index.html').status).toBe(404)
  expect(ask('https://slotwright/index.html').status).toBe(404)
  expect(ask(`${pageOrigin}/index.html`, 'POST').status).toBe(405)
})

test('the home folder from the words behind the program', () => {
  expect(namedHome(['--inspect=0', '/path/to/app', '--home', '/h'])).toBe('/h')
  expect(namedHome(['--home=/h'])).toBe('/h')
  for (const none of [[], ['--home'], ['--home', '--no-sandbox'], ['--home='], ['home']]) expect(namedHome(none)).toBeNull()
})

test('a window file that is damaged, foreign or missing means the defaults', async () => {
  const file = join(folder, 'window.json')
  expect(recall(file)).toEqual(atFirst)
  await remember(file, { ...atFirst, width: 1400, theme: 'dark' })
  expect(recall(file)).toEqual({ ...atFirst, width: 1400, theme: 'dark' })
  for (const bad of ['', '{', '[]', '{"width":-5}', JSON.stringify({ ...atFirst, width: 1e9 }), JSON.stringify({ ...atFirst, extra: 1 }), 'x'.repeat(10_000)]) {
    writeFileSync(file, bad)
    expect(recall(file), bad.slice(0, 40)).toEqual(atFirst)
  }
})

test('a disk that refuses costs the window size and nothing else', async () => {
  await expect(remember(join(folder, 'no', 'such', 'folder', 'window.json'), atFirst)).resolves.toBeUndefined()
})
