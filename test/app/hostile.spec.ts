// A window taken over by an attacker: what its page can reach, call and open. Everything here is tried from inside the
// page, as such a page would.
import { eightAttached, expect, test } from './station-window.ts'

type Loose = { call(method: unknown, args?: unknown): Promise<{ ok: boolean; failure?: { kind: string; says: string } }> }

test('the page has no Node, no Electron and nothing but two functions and the system\'s languages', async ({ station }) => {
  const { page } = station
  await eightAttached(page)
  const found = await page.evaluate(() => ({
    globals: ['require', 'process', 'module', 'Buffer', 'global', 'electron', 'ipcRenderer', '__dirname'].filter((name) => name in window),
    api: Object.keys(window.slotwright).sort(),
    frozen: Object.isFrozen(window.slotwright),
  }))
  expect(found).toEqual({ globals: [], api: ['call', 'languages', 'subscribe'], frozen: true })
  const settings = await station.app.evaluate(({ BrowserWindow }) => {
    const contents = BrowserWindow.getAllWindows()[0]?.webContents as unknown as { getLastWebPreferences(): Record<string, unknown> }
    const off = ['nodeIntegration', 'nodeIntegrationInWorker', 'nodeIntegrationInSubFrames', 'webviewTag', 'allowRunningInsecureContent', 'experimentalFeatures', 'enableBlinkFeatures', 'navigateOnDragDrop']
    const preferences = contents.getLastWebPreferences()
    const { sandbox, contextIsolation, webSecurity } = preferences
    return { sandbox, contextIsolation, webSecurity, on: off.filter((name) => Boolean(preferences[name])) }
  })
  expect(settings).toEqual({ sandbox: true, contextIsolation: true, webSecurity: true, on: [] })
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
    ['askBoard', { port: '/etc/passwd' }, 'no-such-port'], ['diagnosePort', { port: '/etc/passwd' }, 'no-such-port'], ['blinkBoard', { port: '/dev/tty0' }, 'no-such-port'], ['teachBay', { bay: 1, port: '../../etc/passwd' }, 'no-such-port'],
    ['boardConsole', { port: '/etc/passwd', command: { do: 'echo', text: 'x' } }, 'no-such-port'], ['profileFromBoard', { port: '/etc/passwd', name: 'evil' }, 'no-such-port'],
    ['saveReport', { batch: 'b', form: 'html', saveAs: '/tmp/anywhere.html' }, 'refused-call'], ['saveLabel', { unit: 'u', form: 'zpl', saveAs: '/dev/lp0' }, 'refused-call'], ['exportLog', { saveAs: '/tmp/anywhere.zip' }, 'refused-call'],
    ['addFolderHook', { folder: '/tmp' }, 'refused-call'], ['saveProfile', { profile: { name: '../../evil' } }, 'bad-arguments'], ['hushConsole', { port: 7 }, 'bad-arguments'],
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

test('what the page changes in its own JavaScript changes nothing in the script that calls for it', async ({ open }) => {
  const { page } = await open()
  await eightAttached(page)
  const outcome = await page.evaluate(async () => {
    const caught: string[] = []
    const spy = (name: string) => function (this: unknown, ...args: unknown[]): unknown {
      for (const one of [this, ...args]) if (typeof one === 'object' && one !== null && ('invoke' in one || 'sendSync' in one || 'senderId' in one)) caught.push(name)
      return undefined
    }
    const places: [object, string][] = [[Function.prototype, 'call'], [Function.prototype, 'apply'], [Array.prototype, 'push'], [Array.prototype, 'forEach'], [Object, 'assign'], [JSON, 'stringify']]
    const kept = places.map(([where, name]) => Reflect.get(where, name) as unknown)
    for (const [where, name] of places) Reflect.set(where, name, spy(name))
    const answering = window.slotwright.call('about', {})
    // Put back at once: the test's own driver lives in this page, too.
    for (let i = 0; i < places.length; i++) Reflect.set(places[i]![0], places[i]![1], kept[i])
    return { caught, ok: (await answering).ok }
  })
  expect(outcome).toEqual({ caught: [], ok: true })
})

test('no permission is given, whatever is asked for', async ({ open }) => {
  const { page } = await open()
  await eightAttached(page)
  const given = await page.evaluate(async () => {
    const tries: Record<string, () => Promise<unknown>> = {
      camera: () => navigator.mediaDevices.getUserMedia({ video: true }),
      screen: () => navigator.mediaDevices.getDisplayMedia({ video: true }),
      place: () => new Promise((resolve, reject) => navigator.geolocation.getCurrentPosition(resolve, reject)),
      clipboard: () => navigator.clipboard.readText(),
      midi: () => navigator.requestMIDIAccess({ sysex: true }),
      notifications: () => Notification.requestPermission().then((answer) => (answer === 'granted' ? answer : Promise.reject(new Error(answer)))),
      serial: () => (navigator as unknown as { serial: { requestPort(): Promise<unknown> } }).serial.requestPort(),
      usb: () => (navigator as unknown as { usb: { requestDevice(of: object): Promise<unknown> } }).usb.requestDevice({ filters: [] }),
      hid: () => (navigator as unknown as { hid: { requestDevice(of: object): Promise<unknown[]> } }).hid.requestDevice({ filters: [] }).then((found) => (found.length > 0 ? found : Promise.reject(new Error('none')))),
      knownSerial: () => (navigator as unknown as { serial: { getPorts(): Promise<unknown[]> } }).serial.getPorts().then((found) => (found.length > 0 ? found : Promise.reject(new Error('none')))),
      fonts: () => (window as unknown as { queryLocalFonts(): Promise<unknown[]> }).queryLocalFonts().then((found) => (found.length > 0 ? found : Promise.reject(new Error('none')))),
    }
    const answers = await Promise.all(Object.entries(tries).map(async ([name, ask]) => {
      try {
        await ask()
        return name
      } catch {
        return null
      }
    }))
    return answers.filter((name) => name !== null)
  })
  expect(given).toEqual([])
})

test('links, middle clicks, downloads, webviews and foreign pictures lead nowhere', async ({ open }) => {
  const { app, page } = await open()
  await eightAttached(page)
  await app.evaluate(({ app: electron, session, shell }) => {
    const left: string[] = []
    Object.assign(globalThis, { left })
    shell.openExternal = (url) => {
      left.push(`openExternal ${url}`)
      return Promise.resolve()
    }
    shell.openPath = (path) => {
      left.push(`openPath ${path}`)
      return Promise.resolve('')
    }
    electron.on('web-contents-created', (_event, contents) => left.push(`page ${contents.getType()}`))
    session.defaultSession.on('will-download', (event, item) => {
      if (!event.defaultPrevented) left.push(`download ${item.getURL()}`)
    })
    session.defaultSession.webRequest.onCompleted((details) => {
      if (!details.url.startsWith('app://slotwright/')) left.push(`fetched ${details.url}`)
    })
  })
  const loaded = await page.evaluate(async () => {
    const pictures = ['https://example.com/x.png', 'http://127.0.0.1:1/x.png', 'file:///usr/share/pixmaps/debian-logo.png', 'app://other/x.png', 'blob:app://slotwright/0'].map((src) => new Promise<string | null>((resolve) => {
      const picture = new Image()
      picture.onload = () => resolve(src)
      picture.onerror = () => resolve(null)
      picture.src = src
    }))
    const webview = document.createElement('webview')
    webview.setAttribute('src', 'https://example.com')
    webview.setAttribute('allowpopups', '')
    webview.setAttribute('nodeintegration', '')
    document.body.append(webview)
    for (const [href, target] of [['https://example.com/', '_blank'], ['mailto:a@example.com', '_self'], ['slotwright:open', '_self'], ['data:text/html,<p>x', '_self'], ['javascript:void(window.injected=true)', '_self']] as const) {
      const link = Object.assign(document.createElement('a'), { href, target })
      document.body.append(link)
      for (const button of [0, 1]) link.dispatchEvent(new MouseEvent(button === 0 ? 'click' : 'auxclick', { bubbles: true, cancelable: true, button, ctrlKey: button === 0, view: window }))
      link.click()
    }
    const saved = Object.assign(document.createElement('a'), { href: 'data:application/octet-stream,x', download: 'x.desktop' })
    document.body.append(saved)
    saved.click()
    return { pictures: (await Promise.all(pictures)).filter((src) => src !== null), injected: 'injected' in window, frames: window.frames.length }
  })
  expect(loaded).toEqual({ pictures: [], injected: false, frames: 0 })
  const after = await app.evaluate(({ BrowserWindow, webContents }) => ({
    left: (globalThis as unknown as { left: string[] }).left, windows: BrowserWindow.getAllWindows().length, pages: webContents.getAllWebContents().length, url: BrowserWindow.getAllWindows()[0]?.webContents.getURL(),
  }))
  expect(after).toEqual({ left: [], windows: 1, pages: 1, url: 'app://slotwright/index.html' })
})

test('a call from any other page than the station\'s own is refused, though it has the same script', async ({ open }) => {
  const { app, page } = await open()
  await eightAttached(page)
  const kind = await app.evaluate(async ({ BrowserWindow }) => {
    const preload = `${process.env['SLOTWRIGHT_BUILT'] ?? ''}/out/preload/preload.cjs`
    const other = new BrowserWindow({ show: false, webPreferences: { preload, sandbox: true, contextIsolation: true } })
    try {
      await other.loadURL('app://slotwright/index.html')
      return await other.webContents.executeJavaScript('window.slotwright.call("about", {}).then((reply) => reply.ok ? "answered" : reply.failure.kind)') as string
    } finally {
      other.destroy()
    }
  })
  expect(kind).toBe('refused-sender')
  expect(await page.evaluate(() => (window.slotwright as unknown as Loose).call('about', {}).then(({ ok }) => ok))).toBe(true)
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
      page: await ask('app://slotwright/index.html'),
      others: await Promise.all([
        'none.html', '..%2f..%2fpackage.json', '%2e%2e/%2e%2e/package.json', '..%5c..%5cpackage.json', '..\\\\..\\\\package.json', '../../package.json', 'index.html%00', 'index.html%00.png', 'assets/', '', '%2fetc%2fpasswd', '/etc/passwd', 'preload/preload.cjs', '../preload/preload.cjs', 'INDEX.HTML', 'index.html/',
      ].map((path) => ask(`app://slotwright/${path}`)).concat(['app://other/index.html', 'app://slotwright.evil/index.html', 'app:///index.html'].map(ask))),
    }
  })
  expect(answers.page.status).toBe(200)
  expect(answers.page.policy).toContain("default-src 'none'")
  expect(answers.page.policy).not.toContain('unsafe')
  expect(answers.others.map(({ status }) => status)).toEqual(answers.others.map(() => 404))
})
