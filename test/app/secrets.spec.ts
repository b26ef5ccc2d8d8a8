// Where secrets must not be: after a PIN, passphrases and private keys have passed through the window, nothing of them is in
// the page's heap, in the main process's, in any file of the home or of Electron's own folder, nor in the dump of a crash. Each
// search also finds something that is known to be there, so that it cannot pass by looking at nothing.
import { generateKeyPairSync } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ElectronApplication, Page } from '@playwright/test'
import { openSoftHsm, pin, soPin, type SoftHsm } from '../keys/softhsm.ts'
import { answerOpenDialog, answerSaveDialog, eightAttached, expect, test, view, writeFirmware } from './station-window.ts'

const passphrase = 'a phrase like no other 4711'
const oldPassphrase = 'its former phrase 0815 of old'
const wrongPin = '31415926-wrong'

let hsm: SoftHsm
test.beforeAll(() => {
  hsm = openSoftHsm()
  hsm.makeToken('factory')
})
test.afterAll(() => hsm.remove())

type Secret = Readonly<{ name: string; bytes: Buffer }>

/** A secret as it may lie somewhere: plain, as UTF-16, in hex, and in base64 at any of the three places in its triple. */
function shapes(name: string, secret: Buffer): Secret[] {
  const base64 = [0, 1, 2].map((shift) => Buffer.concat([Buffer.alloc(shift), secret]).toString('base64').slice(4, -4)).filter((text) => text.length > 10)
  return [secret, Buffer.from(secret.toString('latin1'), 'utf16le'), Buffer.from(secret.toString('hex')), ...base64.map((text) => Buffer.from(text))].map((bytes) => ({ name, bytes }))
}

function found(secrets: readonly Secret[], where: string, bytes: Buffer): string[] {
  return [...new Set(secrets.filter((secret) => bytes.includes(secret.bytes)).map(({ name }) => `${name} in ${where}`))]
}

/** The page's heap after a collection, as its own snapshot. */
async function pageHeap(page: Page): Promise<Buffer> {
  const session = await page.context().newCDPSession(page)
  const pieces: string[] = []
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => pieces.push(chunk))
  await session.send('HeapProfiler.collectGarbage')
  await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false })
  await session.detach()
  return Buffer.from(pieces.join(''))
}

/** The main process's heap after a collection. */
async function mainHeap(app: ElectronApplication, path: string): Promise<Buffer> {
  await app.evaluate(async (_electron, file) => {
    const v8 = process.getBuiltinModule('v8')
    const vm = process.getBuiltinModule('vm')
    v8.setFlagsFromString('--expose-gc')
    const collect = vm.runInNewContext('gc') as () => void
    for (let turn = 0; turn < 3; turn++) {
      collect()
      await new Promise((next) => setImmediate(next))
    }
    v8.writeHeapSnapshot(file)
  }, path)
  return readFileSync(path)
}

const filesBelow = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name)) : [])

test('PIN, passphrases and private keys are in no heap, no file and no crash dump after they were used', async ({ open, home }) => {
  test.slow()
  const { app, page } = await open()
  await eightAttached(page)
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const scalar = Buffer.from(String(privateKey.export({ format: 'jwk' }).d), 'base64url')
  const outside = join(home, '..', `${home.split('/').at(-1) ?? ''}.pem`)
  writeFileSync(outside, privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: oldPassphrase }))
  const secrets = [
    ...shapes('PIN', Buffer.from(pin)), ...shapes('SO PIN', Buffer.from(soPin)), ...shapes('wrong PIN', Buffer.from(wrongPin)), ...shapes('passphrase', Buffer.from(passphrase)),
    ...shapes('former passphrase', Buffer.from(oldPassphrase)), ...shapes('private key', scalar),
  ]

  await view(page, 'Keys').click()
  await page.getByRole('button', { name: 'Import a key' }).click()
  await answerOpenDialog(app, outside)
  await page.getByRole('button', { name: 'Choose file' }).click()
  await page.getByLabel('Name').fill('brought-key')
  await page.getByLabel('Passphrase of the file').fill(oldPassphrase)
  await page.getByLabel('New passphrase').fill(passphrase)
  await page.getByLabel('The same again').fill(passphrase)
  await page.getByRole('button', { name: 'Import the key' }).click()
  await expect(page.locator('[data-key="brought-key"]')).toContainText('Production')

  await page.getByRole('button', { name: 'From a token' }).click()
  const token = page.locator('[data-token=factory]')
  for (const typed of [wrongPin, pin]) {
    await token.getByLabel('PIN of factory').fill(typed)
    await token.getByRole('button', { name: 'Unlock' }).click()
    await expect(token.getByLabel('PIN of factory')).toHaveValue('')
  }
  await token.getByRole('button', { name: 'Make a key in this token' }).click()
  await token.getByLabel('Name in the ring').fill('token-key')
  await token.getByRole('button', { name: 'Make it in the token' }).click()
  await expect(token.locator('[data-token-key="token-key"]')).toContainText('in the ring as token-key')
  await page.getByRole('button', { name: 'Done' }).click()

  const firmware = join(home, 'app.bin')
  writeFirmware(firmware)
  await view(page, 'Signing').click()
  await answerOpenDialog(app, firmware)
  await page.getByRole('button', { name: 'Choose firmware' }).click()
  await page.getByLabel('Version').fill('7.0.0')
  for (const [key, secret] of [['brought-key', passphrase], ['token-key', null]] as const) {
    await answerSaveDialog(app, join(home, `${key}.bin`))
    await page.getByRole('radio', { name: new RegExp(key) }).click()
    if (secret !== null) await page.getByLabel(/^Passphrase of/).fill(secret)
    await page.getByRole('button', { name: 'Sign and save' }).click()
    await expect(page.locator('[data-part=signed]')).toContainText(key)
  }
  // The token stays unlocked: its own process, which no dump of ours shows, holds the PIN now.
  await expect(page.getByText('The token factory is unlocked.')).toBeVisible()

  const pageBytes = await pageHeap(page)
  expect(pageBytes.includes('brought-key')).toBe(true)
  expect(found(secrets, 'the page\'s heap', pageBytes)).toEqual([])
  const mainBytes = await mainHeap(app, join(home, '..', `${home.split('/').at(-1) ?? ''}.heapsnapshot`))
  expect(mainBytes.includes('brought-key')).toBe(true)
  expect(found(secrets, 'the main process\'s heap', mainBytes)).toEqual([])

  // By itself the station keeps no dumps; here Electron is told to, and what it writes is searched too.
  const { userData, dumps } = await app.evaluate(({ app: electron, crashReporter }) => {
    crashReporter.start({ uploadToServer: false })
    return { userData: electron.getPath('userData'), dumps: electron.getPath('crashDumps') }
  })
  expect(filesBelow(dumps).filter((file) => file.endsWith('.dmp'))).toEqual([])
  const closed = app.waitForEvent('close')
  void app.evaluate(() => process.crash()).catch(() => null)
  await closed
  const written = () => filesBelow(dumps).filter((file) => file.endsWith('.dmp'))
  await expect.poll(() => written().length).toBeGreaterThan(0)
  const files = [...new Set([...filesBelow(home), ...filesBelow(userData), ...filesBelow(dumps)])]
  expect(files.some((file) => file.includes('slotwright.db') && readFileSync(file).includes('brought-key'))).toBe(true)
  expect(written().some((file) => readFileSync(file).subarray(0, 4).toString('latin1') === 'MDMP')).toBe(true)
  expect(files.flatMap((file) => found(secrets, file, readFileSync(file)))).toEqual([])
})
