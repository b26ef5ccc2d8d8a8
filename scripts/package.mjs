// `npm run package`: the application for this system, with the true Electron: as a folder under dist/, and on Linux as
// tar.gz, deb and AppImage besides. `--installers` adds NSIS and portable on Windows, dmg on macOS, whose tools
// electron-builder fetches.
// `--test-runtime` is for the tests: it takes whichever Electron set-up chose, lets Playwright attach, writes to dist/test
// and puts `testRuntime` into the package's own package.json, so that it can never pass for a customer's. What came of it is
// in dist/test/made.json: the files, and what could not be made here and why.
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { makeAppImage } from './package/appimage.mjs'
import { makeArchive, makeDeb } from './package/linux.mjs'
import { build } from './setup/build.mjs'
import { root, runOrStop, say, SetupStop, writeWhole } from './setup/words.mjs'
import { alone, orStop, setUp } from './setup.mjs'

const forTest = process.argv.includes('--test-runtime')
const installers = process.argv.includes('--installers')
const system = { linux: '--linux', darwin: '--mac', win32: '--win' }[process.platform]

/** The folder alone, or with installers whatever electron-builder.yml names for this system. */
function builderOrder(runtime, output) {
  return [
    join(root, 'node_modules', 'electron-builder', 'cli.js'), system, ...(installers && process.platform !== 'linux' ? [] : ['dir']), '--publish', 'never',
    `-c.electronDist=${runtime.folder}`,
    `-c.electronVersion=${runtime.version}`,
    `-c.directories.output=${output}`,
    ...(forTest ? [`-c.extraMetadata.testRuntime=${runtime.kind}-${runtime.version}`, '-c.electronFuses.enableNodeCliInspectArguments=true'] : []),
  ]
}

await orStop(async () => {
  const runtime = await setUp({ build: false })
  if (!forTest && (runtime.kind !== 'electron' || runtime.version !== runtime.wanted)) {
    throw new SetupStop(
      `a package for customers has Electron ${runtime.wanted} in it, and here runs ${runtime.kind === 'registry' ? 'the registry runtime' : 'Electron'} ${runtime.version}. ` +
        "Package where Electron's own download can be reached (or set ELECTRON_MIRROR), after deleting .runtime/runtime.json",
    )
  }
  await alone(() => build({ always: !forTest }))
  const output = join('dist', forTest ? 'test' : 'station')
  say(`packaging into ${output} (electron-builder)`)
  await runOrStop('electron-builder', process.execPath, builderOrder(runtime, output), { env: { CSC_IDENTITY_AUTO_DISCOVERY: 'false' } })
  if (process.platform !== 'linux') return say(`packaged: ${output}`)
  const program = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const folder = join(root, output, 'linux-unpacked')
  const named = (end) => join(output, `${program.name}-${program.version}-${process.arch}${end}`)
  const files = []
  for (const [make, end] of [[makeArchive, '.tar.gz'], [makeDeb, '.deb']]) {
    say(`packaging ${named(end)}`)
    await make({ folder, file: join(root, named(end)), program, fast: forTest })
    files.push(named(end))
  }
  say(`packaging ${named('.AppImage')}`)
  const why = await makeAppImage({ folder, output, name: basename(named('.AppImage')), runtime, forTest })
  if (why === undefined) files.push(named('.AppImage'))
  else say(`no AppImage: ${why}`)
  writeWhole(join(root, output, 'made.json'), `${JSON.stringify({ files, without: why === undefined ? {} : { AppImage: why } }, null, 2)}\n`)
  say(`packaged: ${[folder.slice(root.length + 1), ...files].join(', ')}`)
})
