// Many images in one process: what one image does to the others when it is refused, lists that nobody could have meant, and
// that nothing is signed without its entry in the log.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { document, folder, run } from './command.ts'

const dir = folder()
const home = join(dir, 'home')
const at = (name: string) => join(dir, name)
const layout = ['-H', '0x200', '--pad-header', '-S', '0x20000']

type Batch = { images: { file: string; hash?: string; failure?: { kind: string; says: string } }[]; done: number; refused: number }
const entries = async () => document<{ entries: { kind: string; data: { file: string; keyName?: string } }[] }>(await run(['log', 'list', '--json', '--limit', '100'], { home })).entries
const list = (name: string, ...lines: string[]) => {
  writeFileSync(at(name), `${lines.join('\n')}\n`)
  return at(name)
}

beforeAll(async () => {
  for (let number = 1; number <= 5; number++) writeFileSync(at(`app${number}.bin`), new Uint8Array(900 * number).map((_, i) => i * number))
  writeFileSync(at('empty.bin'), '')
  expect((await run(['keygen', '--type', 'ed25519', '--out', at('one.pem'), '--no-passphrase'], { home })).code).toBe(0)
  writeFileSync(at('secret'), 'correct horse\n')
  expect((await run(['keygen', '--type', 'ecdsa-p256', '--out', at('two.pem'), '--passphrase-file', at('secret')], { home })).code).toBe(0)
})

test('image 3 of 7 is bad: the other six are signed, logged and the very bytes of a call of their own; one sentence a file', async () => {
  const path = list('list.txt',
    '# what goes out this week', '',
    `${at('app1.bin')} ${at('1.img')} -v 1.0.0`,
    `${at('app2.bin')} ${at('2.img')} -v 1.0.0 --sha 512 # not a remark: this line has three words too many`,
    `${at('app2.bin')} "${at('a name with blanks.img')}" -v 1.0.0 --sha 512`,
  )
  const wrongLine = await run(['sign', '--batch', path, '-k', at('one.pem'), ...layout], { home })
  expect(wrongLine).toMatchObject({ code: 2, stdout: '' })
  expect(wrongLine.stderr).toContain('list.txt, line 4:')
  expect(existsSync(at('1.img'))).toBe(false)

  const good = list('good.txt',
    `${at('app1.bin')} ${at('1.img')} -v 1.0.0`,
    `${at('app2.bin')} "${at('a name with blanks.img')}" -v 1.0.0 --sha 512`,
    `${at('empty.bin')} ${at('3.img')} -v 1.0.0`,
    `${at('app3.bin')} '${at('4.hex')}' -v 1.2.3+4 --hex-addr 0x8000000`,
    `${at('app4.bin')} ${at('5.img')} -v 2.0.0 -k ${at('two.pem')} --passphrase-file ${at('secret')}`,
    `${at('app5.bin')} ${at('6.img')} -v 2.0.0 --confirm --custom-tlv 0xa0 word -d "(1, 1.0.0)"`,
    `${at('app5.bin')} ${at('7.img')} -v 2.0.0 -S 0x10000 --pad`,
  )
  const before = (await entries()).length
  const result = await run(['sign', '--batch', good, '-k', at('one.pem'), ...layout, '--json'], { home })
  expect(result.code).toBe(1)
  const batch = document<Batch>(result)
  expect([batch.done, batch.refused, batch.images.length]).toEqual([6, 1, 7])
  expect(batch.images.flatMap((image, number) => (image.failure === undefined ? [] : [[number, image.failure.kind]]))).toEqual([[2, 'empty-file']])
  expect(result.stderr.trim().split('\n')).toEqual([expect.stringContaining('empty.bin is empty')])
  expect(existsSync(at('3.img'))).toBe(false)
  expect((await entries()).length).toBe(before + 6)
  expect((await entries()).map(({ data }) => data.file)).toEqual(expect.arrayContaining(['1.img', 'a name with blanks.img', '4.hex', '5.img', '6.img', '7.img']))

  expect((await run(['sign', at('app5.bin'), at('alone.img'), '-v', '2.0.0', '--confirm', '--custom-tlv', '0xa0', 'word', '-d', '(1, 1.0.0)', '-k', at('one.pem'), ...layout], { home })).code).toBe(0)
  expect(readFileSync(at('6.img')).equals(readFileSync(at('alone.img')))).toBe(true)
  expect(readFileSync(at('7.img')).length).toBe(0x10000)
  expect(document(await run(['verify', at('5.img'), '-k', at('two.pem'), '--passphrase-file', at('secret'), '--json'], { home }))).toMatchObject({ holds: true, algorithm: 'ecdsa-p256' })
}, 120_000)

test('--out-dir makes its folder and names each file after its own; one in no folder costs a sentence a file and signs nothing', async () => {
  const inputs = [1, 2, 3].map((number) => at(`app${number}.bin`))
  const words = ['-v', '1.0.0', '-k', at('one.pem'), ...layout]
  expect(await run(['sign', ...inputs, '--out-dir', at('out'), ...words], { home })).toMatchObject({ code: 0, stdout: expect.stringContaining('3 of 3 done') as string, stderr: '' })
  expect(readdirSync(at('out')).sort()).toEqual(['app1.signed.bin', 'app2.signed.bin', 'app3.signed.bin'])
  const before = (await entries()).length
  const nowhere = await run(['sign', ...inputs, '--out-dir', at('nowhere/out'), ...words], { home })
  expect(nowhere).toMatchObject({ code: 1, stdout: expect.stringContaining('0 of 3 done, 3 refused') as string })
  expect(nowhere.stderr.trim().split('\n')).toHaveLength(3)
  expect((await entries()).length).toBe(before)
  // imgtool replaces the firmware by its image without a word
  expect((await run(['sign', at('out/app1.signed.bin'), at('out/app1.signed.bin'), ...words], { home })).stderr).toMatch(/app1\.signed\.bin was the firmware itself/)
}, 60_000)

test('while a batch is signed, calls of its own get their entries too, and the log holds', async () => {
  mkdirSync(at('many'))
  const lines = Array.from({ length: 60 }, (_, number) => `${at('app5.bin')} ${at(`many/${number}.img`)} -v 1.0.${number}`)
  const before = (await entries()).length
  const batch = run(['sign', '--batch', list('many.txt', ...lines), '-k', at('one.pem'), ...layout], { home })
  const beside = await Promise.all([1, 2, 3].map((number) => run(['sign', at(`app${number}.bin`), at(`beside${number}.img`), '-v', '1.0.0', '-k', at('one.pem'), ...layout], { home })))
  expect(beside.map(({ code, stderr }) => ({ code, stderr }))).toEqual(Array(3).fill({ code: 0, stderr: '' }))
  expect(await batch).toMatchObject({ code: 0, stdout: expect.stringContaining('60 of 60 done') as string })
  expect((await entries()).length).toBe(Math.min(100, before + 63))
  expect(document(await run(['log', 'verify', '--json'], { home }))).toMatchObject({ holds: true, firstWrong: null })
}, 120_000)

test('a wrong passphrase is tried once for the whole batch, not once an image', async () => {
  writeFileSync(at('wrong'), 'incorrect horse\n')
  const result = await run(['sign', at('app1.bin'), at('app2.bin'), '--out-dir', at('.'), '-v', '1.0.0', '-k', at('two.pem'), '--passphrase-file', at('wrong'), ...layout, '--json'], { home })
  expect(result.code).toBe(1)
  expect(document<Batch>(result).images.map(({ failure }) => failure?.kind)).toEqual(['wrong-passphrase', 'wrong-passphrase'])
  expect(existsSync(at('app1.signed.bin'))).toBe(false)
}, 30_000)

describe('a list that nobody can have meant is refused before anything is signed', () => {
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['an option that there is none of', [`${at('app1.bin')} ${at('x.img')} -v 1.0.0`, `${at('app2.bin')} ${at('y.img')} -v 1.0.0 --unheard-of`], /line 2: unknown option '--unheard-of'/],
    ['no version on a line', [`${at('app1.bin')} ${at('x.img')}`], /line 1: required option '-v/],
    ['no output', [`${at('app1.bin')} -v 1.0.0`], /line 1: missing required argument/],
    ['a quotation mark left open', [`"${at('app1.bin')} ${at('x.img')} -v 1.0.0`], /line 1: a quotation mark is not closed/],
    ['two images under one name', [`${at('app1.bin')} ${at('x.img')} -v 1.0.0`, `${at('app2.bin')} ${join(dir, '.', 'sub', '..', 'x.img')} -v 1.0.0`], /named twice/],
    ['nothing but remarks', ['# nothing'], /names no image/],
  ]
  test.each(cases)('%s', async (_, lines, sentence) => {
    const result = await run(['sign', '--batch', list('bad.txt', ...lines), '-k', at('one.pem'), ...layout], { home })
    expect(result).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(sentence) as string })
    expect(existsSync(at('x.img'))).toBe(false)
  })

  test('a list that is not there, and both ways at once', async () => {
    expect(await run(['sign', '--batch', at('none.txt'), '-k', at('one.pem'), ...layout], { home })).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no such file') as string })
    expect((await run(['sign', at('app1.bin'), '--out-dir', dir, '--batch', at('good.txt'), '-v', '1.0.0', ...layout], { home })).code).toBe(2)
    expect((await run(['sign', at('app1.bin'), at('app2.bin'), '--out-dir', dir, '-v', '1.0.0', '--sig-out', at('s'), ...layout], { home })).code).toBe(2)
  })
})
