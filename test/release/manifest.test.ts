// The release note: what it says survives the way there and back, and what it does not say, or somebody else signed, is not
// taken.
import { generateKeyPairSync, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Failure } from '../../main/base/failure.ts'
import type { Signer } from '../../main/base/signer.ts'
import { noteKey, signNote } from '../../main/log/checkpoint.ts'
import type { NoteKey } from '../../main/log/checkpoint.ts'
import { compareReleases, fileFor, openRelease, packageFileNamed, packageKinds, releaseText } from '../../main/release/manifest.ts'
import type { Release } from '../../main/release/manifest.ts'

function signer(): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }))
  return { publicKey: { algorithm: 'ed25519', spki, encoded: spki }, sign: (what) => Promise.resolve(new Uint8Array(sign(null, 'message' in what ? what.message : new Uint8Array(0), privateKey))) }
}
const owner = signer()
const key = noteKey('updates.example', owner.publicKey) as NoteKey
const sha256 = 'ab'.repeat(32)
const release: Release = { version: '0.10.0', day: '2026-11-23', notes: 'Faster.', files: [{ kind: 'deb', arch: 'x64', name: 'slotwright-0.10.0-x64.deb', bytes: 5, sha256 }] }
const signed = async (text: string, by = owner) => (await signNote(text, 'updates.example', by)) as string
const kindOf = (value: unknown) => (value instanceof Failure ? value.kind : 'taken')

test('a release that is not what was signed', async () => {
  expect(openRelease(await signed(releaseText(release) as string), key)).toEqual(release)
})

test('a release signed by nobody, by another key, or changed by one letter', async () => {
  const note = await signed(releaseText(release) as string)
  expect(kindOf(openRelease(releaseText(release) as string, key))).toBe('release-not-signed')
  expect(kindOf(openRelease(await signed(releaseText(release) as string, signer()), key))).toBe('release-not-signed')
  for (let at = 0; at < note.length; at++) {
    const other = note.slice(0, at) + (note[at] === 'x' ? 'y' : 'x') + note.slice(at + 1)
    expect(openRelease(other, key), `letter ${at}`).toBeInstanceOf(Failure)
  }
})

test.each([
  ['no first word', 'version 1.0.0\n'],
  ['no file', 'slotwright-release/v1\nversion 1.0.0\nday 2026-01-01\nnotes \n'],
  ['a path in a name', `slotwright-release/v1\nversion 1.0.0\nday 2026-01-01\nnotes \nfile deb x64 ../etc/passwd 5 ${sha256}\n`],
  ['a hidden name', `slotwright-release/v1\nversion 1.0.0\nday 2026-01-01\nnotes \nfile deb x64 .profile 5 ${sha256}\n`],
  ['a length of 5 TiB', `slotwright-release/v1\nversion 1.0.0\nday 2026-01-01\nnotes \nfile deb x64 a.deb 5497558138880 ${sha256}\n`],
  ['a kind from elsewhere', `slotwright-release/v1\nversion 1.0.0\nday 2026-01-01\nnotes \nfile rpm x64 a.rpm 5 ${sha256}\n`],
  ['one file twice', `slotwright-release/v1\nversion 1.0.0\nday 2026-01-01\nnotes \n${`file deb x64 a.deb 5 ${sha256}\n`.repeat(2)}`],
])('a signed note with %s', async (_, text) => {
  expect(kindOf(openRelease(await signed(text), key))).toBe('bad-release')
})

test('any signed text gives a release or a sentence', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.string({ maxLength: 60 }).map((line) => line.replaceAll('\n', ' ')), { maxLength: 12 }), async (lines) => {
    const note = await signNote(`slotwright-release/v1\n${lines.map((line) => `${line}\n`).join('')}`, 'updates.example', owner)
    if (note instanceof Failure) return
    const read = openRelease(note, key)
    if (read instanceof Failure) expect(read.says.length).toBeGreaterThan(20)
  }), { numRuns: 300 })
})

describe('which file a station takes', () => {
  const here = { version: '0.9.1', kind: 'deb', arch: 'x64' } as const
  test('the one of its own kind and processor', () => expect(fileFor(release, here)).toEqual(release.files[0]))
  test('none of another processor or kind', () => {
    expect(kindOf(fileFor(release, { ...here, arch: 'arm64' }))).toBe('no-file-for-this')
    expect(kindOf(fileFor(release, { ...here, kind: 'AppImage' }))).toBe('no-file-for-this')
  })
  test('none that is as old or older', () => {
    for (const version of ['0.10.0', '0.10.1', '1.0.0', '0.11.0']) expect(kindOf(fileFor(release, { ...here, version })), version).toBe('not-newer')
  })
})

test('versions that are compared as text', () => {
  expect(compareReleases('0.10.0', '0.9.9')).toBeGreaterThan(0)
  expect(compareReleases('1.0.0', '1.0.0')).toBe(0)
  expect(compareReleases('1.0.0', '1.0.0-test')).toBe(0)
  fc.assert(fc.property(fc.array(fc.nat(9999), { minLength: 3, maxLength: 3 }), fc.array(fc.nat(9999), { minLength: 3, maxLength: 3 }), (a, b) => {
    const [x, y] = [a.join('.'), b.join('.')]
    expect(Math.sign(compareReleases(x, y))).toBe(-Math.sign(compareReleases(y, x)) + 0)
  }))
})

test('a package whose name does not tell what it is', () => {
  for (const kind of packageKinds) {
    const name = `slotwright-1.2.3-x64${kind.endsWith('.exe') ? '-' : '.'}${kind}`
    expect(packageFileNamed(name, '1.2.3')).toEqual({ kind, arch: 'x64', name })
  }
  expect(packageFileNamed('slotwright-1.2.4-x64.deb', '1.2.3')).toBeNull()
  expect(packageFileNamed('builder-debug.yml', '1.2.3')).toBeNull()
})

test('an installer whose name no station that looks for its next version would know', () => {
  const config = readFileSync(join(import.meta.dirname, '..', '..', 'electron-builder.yml'), 'utf8')
  const named = (section: string, ext: string, arch: string) => {
    const pattern = new RegExp(`^${section}:\\n(?: .*\\n)*? {2}artifactName: (.+)$`, 'm').exec(config)?.[1] ?? ''
    return packageFileNamed(pattern.replace('${version}', '0.2.0').replace('${arch}', arch).replace('${ext}', ext), '0.2.0')
  }
  expect(named('nsis', 'exe', 'x64')).toMatchObject({ kind: 'setup.exe', arch: 'x64' })
  expect(named('portable', 'exe', 'arm64')).toMatchObject({ kind: 'portable.exe', arch: 'arm64' })
  expect(named('mac', 'dmg', 'arm64')).toMatchObject({ kind: 'dmg', arch: 'arm64' })
})
