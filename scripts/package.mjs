// `npm run package`: the application for this system as a folder under dist/, with the true Electron.
// `--test-runtime` is for the tests: it takes whichever Electron set-up chose, lets Playwright attach, writes to dist/test
// and puts `testRuntime` into the package's own package.json, so that it can never pass for a customer's.
import { join } from 'node:path'
import { build } from './setup/build.mjs'
import { root, runOrStop, say, SetupStop } from './setup/words.mjs'
import { alone, orStop, setUp } from './setup.mjs'

const forTest = process.argv.includes('--test-runtime')
const system = { linux: '--linux', darwin: '--mac', win32: '--win' }[process.platform]

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
  const wishes = [
    `-c.electronDist=${runtime.folder}`,
    `-c.electronVersion=${runtime.version}`,
    `-c.directories.output=${output}`,
    ...(forTest ? [`-c.extraMetadata.testRuntime=${runtime.kind}-${runtime.version}`, '-c.electronFuses.enableNodeCliInspectArguments=true'] : []),
  ]
  await runOrStop('electron-builder', process.execPath, [join(root, 'node_modules', 'electron-builder', 'cli.js'), system, 'dir', '--publish', 'never', ...wishes], {
    env: { CSC_IDENTITY_AUTO_DISCOVERY: 'false' },
  })
  say(`packaged: ${join(output, process.platform === 'linux' ? 'linux-unpacked' : '')}`)
})
