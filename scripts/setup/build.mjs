// Builds the app with electron-vite into out/, when a source is newer than what lies there.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { writeNotices } from './notices.mjs'
import { isStamped, root, runOrStop, say, SetupStop, sha256, stamp } from './words.mjs'

const sources = ['main', 'renderer', 'resources', 'electron.vite.config.ts', 'package.json', 'package-lock.json', 'tsconfig.json']
const filesMax = 20_000

/** Name, size and time of every source: enough to know of an edit, and read in milliseconds. */
function sourcesKey() {
  const seen = []
  const waiting = sources.map((name) => join(root, name)).filter(existsSync)
  while (waiting.length > 0 && seen.length < filesMax) {
    const path = waiting.pop()
    const stat = statSync(path)
    if (stat.isDirectory()) for (const name of readdirSync(path)) waiting.push(join(path, name))
    else seen.push(`${path} ${stat.size} ${stat.mtimeMs}`)
  }
  return sha256(...seen.sort())
}

export async function build({ always = false } = {}) {
  const key = sourcesKey()
  const made = [join(root, 'out', 'main'), join(root, 'out', 'cli')]
  if (!always && made.every((folder) => existsSync(folder)) && isStamped('build', key)) return
  say('building the app (electron-vite)')
  await runOrStop('the build', process.execPath, [join(root, 'node_modules', 'electron-vite', 'bin', 'electron-vite.js'), 'build', '--logLevel', 'warn'])
  await runOrStop('the build of the command line', process.execPath, [join(root, 'scripts', 'setup', 'command-line.mjs')])
  await runOrStop('the build of the verifier', process.execPath, [join(root, 'scripts', 'setup', 'verifier.mjs')])
  writeNotices()
  stamp('build', key)
}

// `npm run build`: builds whether or not anything changed.
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    await build({ always: true })
  } catch (error) {
    if (!(error instanceof SetupStop)) throw error
    say(error.message)
    process.exitCode = 1
  }
}
