// Keys in a token (SoftHSM 2), in the real window: unlock, make, look at what it says of itself, sign with it, and the
// wrong PIN; then the key that is elsewhere, by digest and signature.
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign as signBytes } from 'node:crypto'
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSoftHsm, pin, type SoftHsm } from '../keys/softhsm.ts'
import { answerOpenDialog, answerSaveDialog, eightAttached, expect, picture, test, view, writeFirmware } from './station-window.ts'

let hsm: SoftHsm
test.beforeAll(() => {
  hsm = openSoftHsm()
  hsm.makeToken('factory')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  hsm.importKey('factory', String(privateKey.export({ type: 'pkcs8', format: 'pem' })), 'brought-in', '4242')
})
test.afterAll(() => hsm.remove())

test('a key is made in a token, signs there, and a wrong PIN costs a sentence and not a signature', async ({ station }) => {
  const { app, page, home } = station
  await eightAttached(page)
  await view(page, 'Keys').click()
  await page.getByRole('button', { name: 'From a token' }).click()
  const token = page.locator('[data-token=factory]')
  await expect(token).toContainText('locked')
  await token.getByLabel('PIN of factory').fill('00000000')
  await token.getByRole('button', { name: 'Unlock' }).click()
  await expect(token.getByRole('alert').first()).toContainText(/PIN/)
  await expect(token.getByLabel('PIN of factory')).toHaveValue('')
  await picture(page, '30-token-wrong-pin')
  await token.getByLabel('PIN of factory').fill(pin)
  await token.getByRole('button', { name: 'Unlock' }).click()
  await expect(token.locator('[data-token-key="brought-in"]')).toContainText('copies may exist')

  await token.getByRole('button', { name: 'Make a key in this token' }).click()
  await token.getByLabel('Name in the ring').fill('hsm-2026')
  await token.getByRole('button', { name: 'Make it in the token' }).click()
  await expect(token.locator('[data-token-key="hsm-2026"]')).toContainText('never been able to leave')
  await expect(token.locator('[data-token-key="hsm-2026"]')).toContainText('in the ring as hsm-2026')
  await token.locator('[data-token-key="brought-in"]').getByRole('button', { name: 'Take into the ring' }).click()
  await expect(token.getByLabel('Name in the ring')).toHaveValue('brought-in')
  await token.getByRole('button', { name: 'Take it in' }).click()
  await expect(token.locator('[data-token-key="brought-in"]')).toContainText('in the ring as brought-in')
  await picture(page, '31-token')
  await token.getByRole('button', { name: 'Lock', exact: true }).click()
  await expect(token.locator('[data-token-key]')).toHaveCount(0)
  await page.getByRole('button', { name: 'Done' }).click()
  await expect(page.locator('[data-key="hsm-2026"]')).toContainText('in the token factory')
  await expect(page.locator('[data-key="hsm-2026"] [data-residence=bound]')).toContainText('CKA_EXTRACTABLE no')
  await picture(page, '32-keys-with-token')

  const firmware = join(home, 'app.bin')
  writeFirmware(firmware)
  await view(page, 'Signing').click()
  await answerOpenDialog(app, firmware)
  await answerSaveDialog(app, join(home, 'app.signed.bin'))
  await page.getByRole('button', { name: 'Choose firmware' }).click()
  await page.getByRole('radio', { name: /hsm-2026/ }).click()
  await page.getByLabel('Version').fill('3.0.0')
  await expect(page.locator('[data-part=missing]')).toContainText('the PIN')
  await page.getByLabel('PIN of factory').fill('00000000')
  await page.getByRole('button', { name: 'Sign and save' }).click()
  await expect(page.getByRole('alert')).toContainText(/PIN/)
  expect(existsSync(join(home, 'app.signed.bin'))).toBe(false)
  await page.getByLabel('PIN of factory').fill(pin)
  await page.getByRole('button', { name: 'Sign and save' }).click()
  await expect(page.locator('[data-part=signed]')).toContainText('hsm-2026')
  await expect(page.getByText('The token factory is unlocked.')).toBeVisible()
  await picture(page, '33-signed-in-token')
})

test('a key with a policy: products and a second person are asked for, and the same person twice is not two', async ({ station }) => {
  const { app, page, home } = station
  await eightAttached(page)
  await view(page, 'Keys').click()
  await page.locator('[data-key=practice]').getByRole('button', { name: 'Policy' }).click()
  await page.getByLabel('Only for these products').fill('pump, valve')
  await page.getByText('Two people for each signature').click()
  await picture(page, '34-policy')
  await page.getByRole('button', { name: 'Set the policy' }).click()
  await expect(page.locator('[data-key=practice] [data-part=policy]')).toHaveText('only for pump, valve, two people for each signature')

  const firmware = join(home, 'app.bin')
  const target = join(home, 'app.signed.bin')
  writeFirmware(firmware)
  // Two people are two accounts.
  const enter = (method: string, args: unknown) => page.evaluate(([name, given]) => (window as unknown as { slotwright: { call(method: unknown, args: unknown): Promise<{ ok: boolean }> } }).slotwright.call(name, given), [method, args] as const)
  const roles = ['engineer', 'administrator']
  expect(await enter('addPerson', { name: 'Ada Lovelace', roles, pin: '4711' })).toMatchObject({ ok: true })
  expect(await enter('signIn', { name: 'Ada Lovelace', pin: '4711' })).toMatchObject({ ok: true })
  expect(await enter('addPerson', { name: 'Grace Hopper', roles, pin: '4712' })).toMatchObject({ ok: true })
  await view(page, 'Signing').click()
  await answerOpenDialog(app, firmware)
  await answerSaveDialog(app, target)
  await page.getByRole('button', { name: 'Choose firmware' }).click()
  await page.getByRole('radio', { name: /practice/ }).click()
  await page.getByLabel('Version').fill('3.1.0')
  await expect(page.locator('[data-part=missing]')).toContainText('the product')
  await page.getByLabel('Product').selectOption('valve')
  await page.getByRole('button', { name: /^Approve as/ }).click()
  await expect(page.getByText('Another person may now sign it')).toBeVisible()
  await page.getByRole('button', { name: 'Sign and save' }).click()
  await expect(page.getByRole('alert')).toBeVisible()
  expect(existsSync(target)).toBe(false)
  expect(await enter('signIn', { name: 'Grace Hopper', pin: '4712' })).toMatchObject({ ok: true })
  await page.getByRole('button', { name: 'Sign and save' }).click()
  await expect(page.locator('[data-part=signed]')).toContainText('3.1.0')
})

test('a key elsewhere: the digest goes out, a wrong signature is refused, the right one comes back', async ({ station }) => {
  const { app, page, home } = station
  await eightAttached(page)
  const pair = generateKeyPairSync('ed25519')
  const publicPem = join(home, 'vault.pub.pem')
  const [firmware, digest, signature, target] = ['app.bin', 'app.bin.digest', 'app.sig', 'app.signed.bin'].map((name) => join(home, name)) as [string, string, string, string]
  writeFirmware(firmware)
  writeFileSync(publicPem, createPublicKey(createPrivateKey(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }))).export({ type: 'spki', format: 'pem' }))

  await view(page, 'Signing').click()
  await answerOpenDialog(app, firmware)
  await page.getByRole('button', { name: 'Choose firmware' }).click()
  await page.getByRole('radio', { name: 'A key elsewhere' }).click()
  await answerOpenDialog(app, publicPem)
  await page.getByRole('button', { name: 'Choose its public key' }).click()
  await expect(page.getByText('vault.pub.pem')).toBeVisible()
  await page.getByLabel('Version').fill('4.0.0')
  await answerSaveDialog(app, digest)
  await page.getByRole('button', { name: 'Export digest' }).click()
  await expect(page.locator('[data-part=exported]')).toContainText('app.bin.digest')
  await expect(page.locator('[data-part=exported] code')).toHaveText('openssl pkeyutl -sign -rawin -inkey KEY.pem -in app.bin.digest -out app.bin.digest.sig')
  await picture(page, '35-digest-exported')
  const bytes = readFileSync(digest)
  expect(bytes).toHaveLength(32)

  await answerSaveDialog(app, target)
  writeFileSync(signature, signBytes(null, Buffer.concat([bytes, Buffer.from('!')]), pair.privateKey).toString('base64'))
  await answerOpenDialog(app, signature)
  await page.getByRole('button', { name: 'Bring the signature' }).click()
  await expect(page.getByRole('alert')).toBeVisible()
  expect(existsSync(target)).toBe(false)
  await picture(page, '36-wrong-signature')

  // As OpenSSL writes it; base64 is tried in the station's own tests.
  writeFileSync(signature, signBytes(null, bytes, pair.privateKey))
  await page.getByRole('button', { name: 'Bring the signature' }).click()
  await expect(page.locator('[data-part=signed]')).toContainText('4.0.0')
  expect(existsSync(target)).toBe(true)
})

test('a module in an unusual place is chosen in a dialog; a file that is none is refused and not kept', async ({ station }) => {
  const { app, page, home } = station
  await eightAttached(page)
  await view(page, 'Keys').click()
  await page.getByRole('button', { name: 'From a token' }).click()
  await expect(page.locator('[data-token=factory]')).toBeVisible()
  const [none, copied] = ['notes.so', 'vendor-pkcs11.so'].map((name) => join(home, name)) as [string, string]
  writeFileSync(none, 'no machine code here')
  copyFileSync(hsm.module, copied)
  await answerOpenDialog(app, none)
  await page.getByRole('button', { name: 'Add a module' }).click()
  await expect(page.getByRole('alert').first()).toContainText('does not load as a PKCS#11 module')
  await expect(page.locator(`[data-module="${none}"]`)).toHaveCount(0)
  await answerOpenDialog(app, copied)
  await page.getByRole('button', { name: 'Add a module' }).click()
  await expect(page.locator(`[data-module="${copied}"] [data-token=factory]`)).toBeVisible()
  await expect(page.getByRole('alert')).toHaveCount(0)
  await picture(page, '37-module-added')
})
