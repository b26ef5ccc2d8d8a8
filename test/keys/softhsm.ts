// A software token of the test's own (SoftHSM 2), made afresh in a temporary folder, and the built process that talks to it.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { build } from 'vite'

export const project = resolve(import.meta.dirname, '../..')
export const pin = '74920183-right'
export const soPin = '5550000-officer'

const places = ['/usr/lib/softhsm', '/usr/lib/x86_64-linux-gnu/softhsm', '/usr/lib/aarch64-linux-gnu/softhsm', '/usr/lib64/softhsm', '/usr/lib64/pkcs11', '/usr/local/lib/softhsm', '/opt/homebrew/lib/softhsm']

/** Where SoftHSM lies; the tests cannot do without it. */
export function softhsmModule(): string {
  const found = places.map((folder) => join(folder, 'libsofthsm2.so')).find((path) => existsSync(path))
  if (found === undefined) throw new Error('SoftHSM is not installed, and keys in hardware are tested with it: apt-get install softhsm2 (npm test does so by itself as root on Debian)')
  return found
}

export type SoftHsm = Readonly<{
  module: string
  folder: string
  conf: string
  /** Makes a token; gives its label. */
  makeToken(label: string): string
  /** As if pulled: its files are elsewhere until `putBack`. */
  pull(): void
  putBack(): void
  /** Takes a private key in from PEM (PKCS#8): one that was not made in the token. */
  importKey(token: string, pem: string, label: string, id: string): void
  remove(): void
}>

/** A folder of tokens; SOFTHSM2_CONF is set for this process and those it starts. */
export function openSoftHsm(): SoftHsm {
  const module = softhsmModule()
  const folder = mkdtempSync(join(tmpdir(), 'slotwright-token-'))
  const tokens = join(folder, 'tokens')
  const pulled = join(folder, 'pulled')
  const conf = join(folder, 'softhsm2.conf')
  mkdirSync(tokens)
  writeFileSync(conf, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = true\n`)
  process.env['SOFTHSM2_CONF'] = conf
  const util = (...args: string[]) => execFileSync('softhsm2-util', ['--module', module, ...args], { env: { ...process.env, SOFTHSM2_CONF: conf }, stdio: 'pipe' })
  return {
    module, folder, conf,
    makeToken(label) {
      util('--init-token', '--free', '--label', label, '--so-pin', soPin, '--pin', pin)
      return label
    },
    pull() {
      mkdirSync(pulled)
      for (const token of readdirSync(tokens)) renameSync(join(tokens, token), join(pulled, token))
    },
    putBack() {
      for (const token of readdirSync(pulled)) {
        // SoftHSM leaves the name of what it missed behind, as an empty folder.
        rmSync(join(tokens, token), { recursive: true, force: true })
        renameSync(join(pulled, token), join(tokens, token))
      }
      rmSync(pulled, { recursive: true })
    },
    importKey(token, pem, label, id) {
      const file = join(folder, `${label}.pem`)
      writeFileSync(file, pem)
      util('--import', file, '--token', token, '--label', label, '--id', id, '--pin', pin)
      rmSync(file)
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Builds the token process's entry as the app has it; `name` keeps test files apart. Inside the project, so that it finds the project's packages. */
export async function buildTokenProcess(name: string): Promise<string> {
  const outDir = join(project, 'node_modules/.cache', `token-process-${name}`)
  await build({
    root: project,
    configFile: false,
    logLevel: 'error',
    build: { ssr: join(project, 'main/keys/pkcs11-process.ts'), outDir, emptyOutDir: true, target: 'node20', rolldownOptions: { output: { entryFileNames: 'tokens.mjs' } } },
  })
  return join(outDir, 'tokens.mjs')
}
