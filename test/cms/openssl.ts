// The openssl program as a second opinion. Its files lie in one temporary folder a test; a test that cannot find the
// program fails, since CI has it and a silent skip would prove nothing.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { writeKeyPem } from '../../main/keys/filekey.ts'
import type { FileKey } from '../../main/keys/filekey.ts'

export type OpenSsl = {
  path(name: string): string
  put(name: string, bytes: Uint8Array | string): string
  get(name: string): Uint8Array
  putKey(name: string, key: FileKey): Promise<string>
  /** Runs it; throws with its words when it fails. */
  run(...words: string[]): string
  /** Runs it; its exit code and words. */
  tried(...words: string[]): { code: number; words: string }
}

export function openssl(): OpenSsl {
  const folder = mkdtempSync(join(tmpdir(), 'slotwright-openssl-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const path = (name: string) => join(folder, name)
  const tried = (...words: string[]) => {
    const { status, stdout, stderr, error } = spawnSync('openssl', words, { cwd: folder, maxBuffer: 256 * 1024 * 1024, encoding: 'utf8' })
    if (error !== undefined) throw error
    return { code: status ?? -1, words: `${stdout}${stderr}` }
  }
  return {
    path,
    put(name, bytes) {
      writeFileSync(path(name), bytes)
      return path(name)
    },
    get: (name) => new Uint8Array(readFileSync(path(name))),
    async putKey(name, key) {
      writeFileSync(path(name), await writeKeyPem(key, null))
      return path(name)
    },
    run(...words) {
      const { code, words: said } = tried(...words)
      if (code !== 0) throw new Error(`openssl ${words.join(' ')}: ${said}`)
      return said
    },
    tried,
  }
}

/** The version of the program, as `[3, 0]`. */
export function opensslVersion(): readonly [number, number] {
  const [, major = '0', minor = '0'] = /OpenSSL (\d+)\.(\d+)/.exec(execFileSync('openssl', ['version'], { encoding: 'utf8' })) ?? []
  return [Number(major), Number(minor)]
}

/** PEM around DER, as openssl wants certificates. */
export function pem(label: string, der: Uint8Array): string {
  return `-----BEGIN ${label}-----\n${(Buffer.from(der).toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END ${label}-----\n`
}
