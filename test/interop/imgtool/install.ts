// Installs the real imgtool from PyPI into an environment of its own under a cache folder, once.
import { execFile } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export const imgtoolVersion = '2.4.0'
export const installTimeoutMs = 180_000

const environmentIn = (cache: string) => join(cache, `imgtool-${imgtoolVersion}`)

/** imgtool as a command of its own, as its users start it; Python lies beside it. pip writes it last. */
export const imgtoolIn = (cache: string): string => join(environmentIn(cache), 'bin', 'imgtool')

/** Installs imgtool unless it is there; a sentence when that cannot be done here. */
export async function installImgtoolIn(cache: string): Promise<string | null> {
  if (existsSync(imgtoolIn(cache))) return null
  const environment = environmentIn(cache)
  try {
    await run('python3', ['-m', 'venv', environment])
  } catch {
    rmSync(environment, { recursive: true, force: true })
    return 'Python 3 with venv is not installed'
  }
  try {
    await run(join(environment, 'bin/pip'), ['install', '--quiet', '--retries', '0', '--timeout', '10', `imgtool==${imgtoolVersion}`], { timeout: installTimeoutMs })
    return null
  } catch (error) {
    rmSync(environment, { recursive: true, force: true })
    return `imgtool ${imgtoolVersion} could not be installed from the package index: ${(error as Error).message.trim().split('\n').at(-1)}`
  }
}
