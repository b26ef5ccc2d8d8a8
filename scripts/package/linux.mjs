// A folder that electron-builder made, as a Debian package and as an archive. electron-builder's own targets fetch fpm and
// 7-Zip from GitHub on first use; the system's tar and dpkg-deb do the same from what every build machine has. The layout
// is the usual one of Electron programs: /opt/Slotwright, a link in /usr/bin, desktop entry, icons, and the udev rules
// that let the person at the machine open boards' ports.
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root, run, runOrStop, SetupStop } from '../setup/words.mjs'

const architectures = { x64: 'amd64', arm64: 'arm64', arm: 'armhf' }
/** What Chromium loads and does not bring along; alternatives are names of newer Debian and Ubuntu releases. */
const needs = ['libgtk-3-0 | libgtk-3-0t64', 'libnss3', 'libasound2 | libasound2t64', 'libgbm1', 'libnotify4', 'xdg-utils']

/** @typedef {{ name: string, productName: string, version: string, description: string, author: string }} Program of package.json */

/**
 * `folder` (linux-unpacked) as `file`.tar.gz, unpacking into one folder that has the version in its name.
 * @param {{ folder: string, file: string, program: Program, fast: boolean }} order `fast` packs less well, for tests
 */
export async function makeArchive({ folder, file, program, fast }) {
  const name = `${program.name}-${program.version}`
  const readme = join(folder, 'INSTALL.txt')
  writeFileSync(readme, installText(program))
  try {
    await runOrStop('tar', 'tar', ['--create', `--use-compress-program=gzip -${fast ? 1 : 9}`, `--file=${file}`, '--owner=0', '--group=0', '--numeric-owner', `--transform=s,^\\.,${name},S`, '--directory', folder, '.'])
  } finally {
    // The folder goes into the other packages too, where these words would be wrong.
    rmSync(readme, { force: true })
  }
  return file
}

/** Lies in the archive, whose owner has nobody else to put these things in place. */
const installText = ({ productName, version }) => `${productName} ${version}

Start it        ./slotwright-station opens the window, resources/bin/slotwright is the command line. A link to it,
                say in ~/.local/bin, works from everywhere:
                  ln -s "$PWD/resources/bin/slotwright" ~/.local/bin/slotwright

Boards' ports   Once on each machine, so that whoever sits there may open them:
                  sudo cp resources/udev/60-slotwright.rules /etc/udev/rules.d/
                  sudo udevadm control --reload && sudo udevadm trigger

Sandbox         Chromium keeps its pages in a sandbox, for which Ubuntu 23.10 and later, and some others, want a
                helper with root's rights. If the window does not open and the terminal names chrome-sandbox:
                  sudo chown root:root chrome-sandbox && sudo chmod 4755 chrome-sandbox

Libraries       GTK 3, NSS, ALSA and GBM. Debian and Ubuntu:
                  sudo apt install ${needs.map((one) => one.split(' | ')[0]).join(' ')}
                From Debian 13 and Ubuntu 24.04 on, libgtk-3-0 and libasound2 have t64 behind their names.

Remove it       Delete this folder, the link and the rules. Keys, log and settings are elsewhere and stay:
                in ~/.local/share/slotwright, or where --home or SLOTWRIGHT_HOME says.
`

function desktopEntry({ productName, description }) {
  return `[Desktop Entry]
Type=Application
Name=${productName}
Comment=${description}
Exec=/opt/${productName}/slotwright-station %U
Icon=slotwright
Terminal=false
Categories=Development;Electronics;
StartupWMClass=slotwright
`
}

const afterInstall = `#!/bin/sh
set -e
# Chromium's sandbox needs either user namespaces or this bit; Ubuntu shuts the first by default.
chmod 4755 /opt/Slotwright/chrome-sandbox
if command -v udevadm >/dev/null 2>&1; then
  udevadm control --reload-rules 2>/dev/null || true
  udevadm trigger --subsystem-match=tty 2>/dev/null || true
fi
if command -v update-desktop-database >/dev/null 2>&1; then update-desktop-database -q || true; fi
`

const afterRemove = `#!/bin/sh
set -e
# Keys, log and settings are people's own, in their homes: purging takes the program only.
if command -v udevadm >/dev/null 2>&1; then udevadm control --reload-rules 2>/dev/null || true; fi
if command -v update-desktop-database >/dev/null 2>&1; then update-desktop-database -q || true; fi
`

/**
 * `folder` (linux-unpacked) as the Debian package `file`. Stops with a sentence where dpkg-deb is missing.
 * @param {{ folder: string, file: string, program: Program, fast: boolean }} order
 */
export async function makeDeb({ folder, file, program, fast }) {
  if ((await run('dpkg-deb', ['--version'])).code !== 0) throw new SetupStop('a Debian package is made by dpkg-deb, which this machine lacks. Install the package dpkg, or take the tar.gz')
  const staging = mkdtempSync(join(tmpdir(), 'slotwright-deb-'))
  try {
    const put = (path, text, mode = 0o644) => {
      mkdirSync(join(staging, path, '..'), { recursive: true })
      writeFileSync(join(staging, path), text, { mode })
    }
    mkdirSync(join(staging, 'opt'), { recursive: true })
    cpSync(folder, join(staging, 'opt', program.productName), { recursive: true, verbatimSymlinks: true })
    mkdirSync(join(staging, 'usr/bin'), { recursive: true })
    symlinkSync(`/opt/${program.productName}/resources/bin/slotwright`, join(staging, 'usr/bin/slotwright'))
    symlinkSync(`/opt/${program.productName}/slotwright-station`, join(staging, 'usr/bin/slotwright-station'))
    put('usr/share/applications/slotwright.desktop', desktopEntry(program))
    for (const size of readdirSync(join(root, 'resources', 'icons'))) {
      const [, pixels] = /^([0-9]+x[0-9]+)\.png$/.exec(size) ?? []
      if (pixels !== undefined) put(`usr/share/icons/hicolor/${pixels}/apps/slotwright.png`, readFileSync(join(root, 'resources', 'icons', size)))
    }
    put('usr/share/icons/hicolor/scalable/apps/slotwright.svg', readFileSync(join(root, 'resources', 'icons', 'slotwright.svg')))
    put('usr/lib/udev/rules.d/60-slotwright.rules', readFileSync(join(root, 'resources', 'udev', '60-slotwright.rules')))
    put('usr/share/doc/slotwright/copyright', readFileSync(join(root, 'LICENSE')))
    const kib = Number((await run('du', ['-sk', staging])).stdout.split('\t')[0])
    put('DEBIAN/control', `Package: ${program.name}
Version: ${program.version}
Architecture: ${architectures[process.arch] ?? process.arch}
Maintainer: ${program.author} <slotwright@localhost>
Installed-Size: ${kib}
Depends: ${needs.join(', ')}
Recommends: udev
Suggests: softhsm2, opensc-pkcs11
Section: electronics
Priority: optional
Description: Provisions fleets of MCUboot boards
 ${program.description}
`)
    put('DEBIAN/postinst', afterInstall, 0o755)
    put('DEBIAN/postrm', afterRemove, 0o755)
    chmodSync(staging, 0o755)
    await runOrStop('dpkg-deb', 'dpkg-deb', ['--root-owner-group', fast ? '-Zgzip' : '-Zxz', fast ? '-z1' : '-z6', '--build', staging, file])
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
  if (!existsSync(file)) throw new SetupStop(`dpkg-deb left no ${file}`)
  return file
}
