// Called by electron-builder when the application folder stands. The registry runtime (see
// scripts/setup/registry-runtime.mjs) is an old Electron made for another product; no customer may get it, whichever
// way electron-builder was started. Only a package that says of itself that it is a test's is let through.
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { registryMarker } from '../setup/registry-runtime.mjs'

/** @param {{ appOutDir: string, packager: { config: { extraMetadata?: { testRuntime?: unknown } }, getResourcesDir(folder: string): string } }} context electron-builder's AfterPackContext */
export default function afterPack({ appOutDir, packager }) {
  if (existsSync(join(appOutDir, registryMarker)) && packager.config.extraMetadata?.testRuntime === undefined) {
    throw new Error(`${appOutDir} has the registry runtime in it, which is for development and tests only; packages for customers need Electron's own download`)
  }
  // What opens any folder given to it has no place in a finished application.
  rmSync(join(packager.getResourcesDir(appOutDir), 'default_app.asar'), { force: true })
}
