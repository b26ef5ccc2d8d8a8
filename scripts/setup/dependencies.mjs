// The npm packages, exactly as package-lock.json has them. `npm ci` runs without install scripts: the few
// packages with native code are prebuilt, or compiled by set-up itself for the runtime that really runs.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { npmOrStop } from './npm.mjs'
import { isStamped, readJson, root, say, sha256, stamp } from './words.mjs'

/** Does node_modules already hold what the lock file asks for? npm writes what it installed beside it. */
function installedAsLocked() {
  const locked = readJson(join(root, 'package-lock.json'))?.packages
  const installed = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages
  if (locked === undefined || installed === undefined) return false
  for (const [path, entry] of Object.entries(locked)) {
    if (path === '') continue
    const there = installed[path]
    if (there === undefined && (entry.optional === true || entry.peer === true)) continue
    if (there?.version !== entry.version || !existsSync(join(root, path))) return false
  }
  return true
}

export async function dependencies() {
  const lock = readFileSync(join(root, 'package-lock.json'))
  const key = sha256(lock)
  if (isStamped('dependencies', key) && existsSync(join(root, 'node_modules', '.package-lock.json'))) return
  if (!installedAsLocked()) {
    say('installing the npm packages that package-lock.json names (npm ci)')
    // node-gyp is told of headers that are already here, where a system has them, since it would download them.
    const headers = existsSync('/usr/include/node/node_api.h') ? { npm_config_nodedir: '/usr' } : {}
    await npmOrStop('npm ci', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { env: headers })
  }
  stamp('dependencies', key)
}
