// A window taken over by an attacker: what its page can reach, call and open. Everything here is tried from inside the
// page, as such a page would.
import { eightAttached, expect, test } from './station-window.ts'

type Loose = { call(method: unknown, args?: unknown): Promise<{ ok: boolean; failure?: { kind: string; says: string } }> }

test('the page has no Node, no Electron and nothing but two functions', async ({ station }) => {
  const { page } = station
  await eightAttached(page)
  const found = await page.evaluate(() => ({
    globals: ['require', 'process', 'module', 'Buffer', 'global', 'electron', 'ipcRenderer', '__dirname'].filter((name) => name in window),
    api: Object.keys(window.slotwright).sort(),
    frozen: Object.isFrozen(window.slotwright),
  }))
  expect(found).toEqual({ globals: [], api: ['call', 'subscribe'], frozen: true })
  const settings = await station.app.evaluate(({ BrowserWindow }) => {
    const contents = BrowserWindow.getAllWindows()[0]?.webContents as unknown as { getLastWebPreferences(): Record<string, unknown> }
    const { sandbox, contextIsolation, nodeIntegration, webSecurity, webviewTag } = contents.getLastWebPreferences()
    return { sandbox, contextIsolation, nodeIntegration: nodeIntegration ?? false, webSecurity, webviewTag: webviewTag ?? false }
  })
  expect(settings).toEqual({ sandbox: true, contextIsolation: true, nodeIntegration: false, webSecurity: true, webviewTag: false })
})

test('calls that are unknown, the command line\'s, or of the wrong shape are refused', async ({ station }) => {
  const { page } = station
  await eightAttached(page)
  const tries: [unknown, unknown, string][] = [
    ['format', {}, 'refused-call'], ['toString', {}, 'refused-call'], ['__proto__', {}, 'refused-call'], ['constructor', {}, 'refused-call'], [null, {}, 'refused-call'], [{}, {}, 'refused-call'],
    ['openFile', { path: '/etc/passwd', purpose: 'firmware' }, 'refused-call'],
    ['about', { extra: 1 }, 'bad-arguments'], ['about', null, 'bad-arguments'], ['startBatch', { file: '../x', recipe: {} }, 'bad-arguments'], ['inspectFile', { file: '/etc/passwd' }, 'bad-arguments'],
    ['listLog', { limit: 1e9 }, 'bad-arguments'], ['generateKey', { name: 'x'.repeat(10_000), algorithm: 'ed25519', class: 'test', passphrase: null }, 'bad-arguments'],
    ['sign', { file: 'f1', key: 'practice', passphrase: null, saveAs: '/tmp/anywhere.bin', options: { version: '1.0.0' } }, 'refused-call'],
    ['exportDigest', { file: 'f1', publicKey: 'f1', saveAs: '/tmp/anywhere.bin', options: { version: '1.0.0' } }, 'refused-call'],
    ['importSignature', { file: 'f1', publicKey: 'f1', signature: 'f1', saveAs: '/tmp/anywhere.bin', options: { version: '1.0.0' } }, 'refused-call'],
    ['addTokenModule', { path: '/tmp/evil.so' }, 'refused-call'], ['unlockToken', { token: 'pkcs11:token=x?module-path=/tmp/evil.so', pin: '1' }, 'module-not-listed'],
    ['askBoard', { port: '/etc/passwd' }, 'no-such-port'],
  ]
  for (const [method, args, kind] of tries) {
    const reply = await page.evaluate(([name, given]) => (window.slotwright as unknown as Loose).call(name, given), [method, args] as const)
    expect(reply.ok, JSON.stringify(method)).toBe(false)
    expect(reply.failure?.kind, JSON.stringify(method)).toBe(kind)
    expect(reply.failure?.says).not.toContain('x'.repeat(100))
  }
  // Arguments that cannot be cloned never arrive; the call rejects in the page.
  const uncloneable = await page.evaluate(() => (window.slotwright as unknown as Loose).call('about', { f: () => 1 }).then((reply) => reply.failure?.kind ?? 'ok', () => 'rejected'))
  expect(['rejected', 'bad-arguments']).toContain(uncloneable)
})

test('the page can neither go elsewhere, nor open a window, nor reach the network, nor run what it makes up', async ({ open }) => {
  // Not the `station` fixture: each of these is meant to make the page complain.
  const { app, page } = await open()
  await eightAttached(page)
  const before = page.url()
  expect(before).toBe('app://slotwright/index.html')
  const outcome = await page.evaluate(async () => {
    const opened = window.open('https://example.com') === null
    const fetched = await fetch('https://example.com').then(() => true, () => false)
    const own = await fetch('app://slotwright/index.html').then(() => true, () => false)
    // In a turn of its own: what the test's debugger runs directly is above the policy.
    const evaluated = await new Promise<boolean>((resolve) => {
      setTimeout(() => {
        try {
          resolve(new Function('return true')() as boolean)
        } catch {
          resolve(false)
        }
      })
    })
    const script = document.createElement('script')
    script.textContent = 'window.injected = true'
    document.head.append(script)
    const frame = document.createElement('iframe')
    frame.src = 'https://example.com'
    document.body.append(frame)
    const asked = await navigator.permissions.query({ name: 'notifications' }).then((status) => status.state, () => 'denied')
    const camera = await navigator.mediaDevices.getUserMedia({ video: true }).then(() => 'given', () => 'denied')
    return { opened, fetched, own, evaluated, injected: 'injected' in window, asked, camera }
  })
  expect(outcome).toEqual({ opened: true, fetched: false, own: false, evaluated: false, injected: false, asked: 'denied', camera: 'denied' })
  // Asked from the main process, since a page whose navigation was refused looks to the test's driver as if it were under way.
  await app.evaluate(({ BrowserWindow }) => {
    const refused: [string, boolean][] = []
    Object.assign(globalThis, { refused })
    BrowserWindow.getAllWindows()[0]?.webContents.on('will-frame-navigate', (event) => refused.push([event.url, event.defaultPrevented]))
  })
  const refused = () => app.evaluate(() => (globalThis as unknown as { refused: [string, boolean][] }).refused)
  for (const away of ['https://example.com/', 'app://other/index.html', 'app://slotwright/package.json', 'app://slotwright/index.html?other']) {
    await page.evaluate((url) => {
      location.href = url
    }, away)
    await expect.poll(refused).toContainEqual([away, true])
  }
  // Chromium itself refuses the step to file:, without asking.
  await page.evaluate(() => {
    location.href = 'file:///etc/passwd'
  })
  const after = await app.evaluate(({ BrowserWindow }) => ({
    windows: BrowserWindow.getAllWindows().length, url: BrowserWindow.getAllWindows()[0]?.webContents.getURL(), loading: BrowserWindow.getAllWindows()[0]?.webContents.isLoadingMainFrame(),
  }))
  expect(after).toEqual({ windows: 1, url: before, loading: false })
})

test('the policy comes with every file, and only the page\'s own files come at all', async ({ station }) => {
  const { app, page } = station
  await eightAttached(page)
  const answers = await app.evaluate(async ({ net }) => {
    const ask = async (url: string) => {
      const response = await net.fetch(url)
      return { status: response.status, policy: response.headers.get('content-security-policy') ?? '', type: response.headers.get('content-type') ?? '' }
    }
    return {
      page: await ask('app://slotwright/index.html'), missing: await ask('app://slotwright/none.html'), above: await ask('app://slotwright/..%2f..%2fpackage.json'), other: await ask('app://other/index.html'),
    }
  })
  expect(answers.page.status).toBe(200)
  expect(answers.page.policy).toContain("default-src 'none'")
  expect(answers.page.policy).not.toContain('unsafe')
  expect([answers.missing.status, answers.above.status, answers.other.status]).toEqual([404, 404, 404])
})
