// Electron's security checklist, as far as the source can answer for it: words that would open a door are nowhere, and
// what makes a page or listens to one stands in one file each. What only a running window can answer is in
// test/app/hostile.spec.ts and packaged.spec.ts; docs/security.md has the list.
import { readFileSync, readdirSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { contentPolicy } from '../../main/shell/page.ts'

const root = resolve(import.meta.dirname, '..', '..')
const sources = ['main', 'renderer'].flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
  .filter((one) => one.isFile() && /\.(ts|vue|html)$/.test(one.name)).map((one) => relative(root, join(one.parentPath, one.name)).replaceAll('\\', '/')))
  .map((file) => ({ file, text: withoutComments(readFileSync(join(root, file), 'utf8')) }))

/** Comments may name what the code must not do. */
function withoutComments(text: string): string {
  return text.replace(/(^|[\s;{(])\/\/[^\n]*/g, '$1').replace(/\/\*[\s\S]*?\*\//g, '').replace(/<!--[\s\S]*?-->/g, '')
}

const filesWith = (words: RegExp) => sources.filter(({ text }) => words.test(text)).map(({ file }) => file)

describe('words that are nowhere', () => {
  test.each<[string, RegExp]>([
    ['Node in a page (2)', /nodeIntegration\w*: *true/],
    ['a page in the preload script\'s own context (3)', /contextIsolation: *false/],
    ['a page out of the sandbox (4)', /sandbox: *false|'no-sandbox'\)?, *'/],
    ['the same-origin policy off (6)', /webSecurity: *false/],
    ['content over HTTP in a page (8)', /allowRunningInsecureContent/],
    ['experimental features (9)', /experimentalFeatures/],
    ['Blink features (10)', /enableBlinkFeatures/],
    ['a webview (11, 12)', /<webview|allowpopups|webviewTag: *true/i],
    ['the system\'s browser (15)', /openExternal/],
    ['pages from file: (18)', /loadFile|\bfile:\/\//],
    // The language of its own date fields is the one that is (main/shell/language.ts).
    ['a switch given to Chromium from inside', /appendSwitch(?!\('lang',)|appendArgument/],
    ['code out of text', /\beval\(|new Function\(|executeJavaScript|insertCSS|document\.write\b|setTimeout\(['"`]/],
    ['mark-up out of text', /v-html|innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|DOMParser/],
    ['a certificate that is not looked at', /certificate-error|setCertificateVerifyProc|rejectUnauthorized|NODE_TLS_REJECT_UNAUTHORIZED/],
    ['another page\'s hands in this process (20)', /@electron\/remote|enableRemoteModule/],
    ['crash reports that leave the machine', /crashReporter/],
    ['links of the web that start the station', /setAsDefaultProtocolClient/],
  ])('%s', (_what, words) => expect(filesWith(words)).toEqual([]))
})

describe('what makes a page or listens to one stands once', () => {
  test.each<[string, RegExp, string[]]>([
    ['windows', /new (Base|Browser)Window\(|new BrowserView\(/, ['main/shell/window.ts']],
    ['pages without a window', /new WebContentsView\(/, ['main/shell/paper.ts']],
    ['calls from pages', /\bipcMain\b/, ['main/shell/bridge.ts']],
    ['what a page is given', /\bcontextBridge\b|\bipcRenderer\b/, ['main/shell/preload.ts']],
    ['what the system opens', /\bshell\.open/, ['main/shell/app.ts']],
    ['protocols', /protocol\.handle\(/, ['main/shell/paper.ts', 'main/shell/program.ts']],
  ])('%s', (_what, words, files) => expect(filesWith(words).sort()).toEqual(files))

  test('every page is made in the sandbox, isolated and without Node; the paper\'s also without scripts', () => {
    const made = ['main/shell/window.ts', 'main/shell/paper.ts'].map((file) => /webPreferences: \{[\s\S]*?\}/.exec(sources.find((one) => one.file === file)?.text ?? '')?.[0] ?? '')
    for (const preferences of made) for (const word of ['sandbox: true', 'contextIsolation: true', 'nodeIntegration: false', 'webviewTag: false']) expect(preferences).toContain(word)
    expect(made[0]).toContain('devTools: !app.isPackaged')
    expect(made[1]).toContain('javascript: false')
  })

  test('whoever starts Electron locks its sessions and pages and wants the sandbox', () => {
    const textOf = (file: string) => sources.find((one) => one.file === file)?.text ?? ''
    for (const word of ['lockSession()', 'lockContents(contents)', 'app.enableSandbox()']) expect(textOf('main/shell/program.ts')).toContain(word)
    for (const file of ['main/shell/app.ts', 'main/shell/auditor-app.ts']) for (const word of ['beginProgram({', 'beginPages(built)']) expect(textOf(file), file).toContain(word)
  })
})

describe('the page\'s policy (7)', () => {
  const rules = new Map(contentPolicy.split('; ').map((rule) => [rule.split(' ')[0] ?? '', rule.split(' ').slice(1)]))

  test('begins with nothing and gives the page its own files and no way out', () => {
    expect(rules.get('default-src')).toEqual(["'none'"])
    for (const own of ['script-src', 'style-src', 'font-src']) expect(rules.get(own), own).toEqual(["'self'"])
    expect(rules.get('img-src')).toEqual(["'self'", 'data:'])
    for (const none of ['connect-src', 'base-uri', 'form-action', 'object-src', 'frame-src', 'frame-ancestors', 'worker-src']) expect(rules.get(none), none).toEqual(["'none'"])
  })

  test('stands in the page as well, no weaker than in the answers\' heads', () => {
    const [, inPage = ''] = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/.exec(readFileSync(join(root, 'renderer', 'index.html'), 'utf8')) ?? []
    for (const rule of inPage.split('; ')) expect(contentPolicy.split('; '), rule).toContain(rule)
    expect(inPage).toContain("default-src 'none'")
  })
})

test('the runtime is one exact version (16), so that an update is a decision and a commit', () => {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { devDependencies: Record<string, string> }
  expect(devDependencies['electron']).toMatch(/^\d+\.\d+\.\d+$/)
})
