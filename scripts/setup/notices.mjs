// The notices of everything that ships: name, version, licence and the licence's own text of each package that main/ and
// renderer/ import, and of all that those need, by package-lock.json. Written into out/ by every build, so that no release
// can be without; a licence that is not permissive stops the build, since somebody would have to decide.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { extname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root, SetupStop } from './words.mjs'

export const noticesFile = join(root, 'out', 'NOTICES.txt')
const permissive = new Set(['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'BlueOak-1.0.0', 'MIT-0', 'Unlicense', 'CC0-1.0', 'Python-2.0', 'Zlib'])
const builtin = new Set([...builtinModules, 'electron'])
const importPattern = /(?:from\s+|import\s*\(?\s*|require\)?\(\s*)'([^'./][^']*)'/g

/** Names of packages that the sources import. */
function importedPackages() {
  const found = new Set()
  for (const folder of ['main', 'renderer']) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !['.ts', '.vue'].includes(extname(entry.name))) continue
      for (const [, from = ''] of readFileSync(join(entry.parentPath, entry.name), 'utf8').matchAll(importPattern)) {
        const name = from.split('/').slice(0, from.startsWith('@') ? 2 : 1).join('/')
        if (!from.startsWith('node:') && !builtin.has(name) && /^(@[a-z0-9-]+\/)?[a-z0-9._-]+$/.test(name)) found.add(name)
      }
    }
  }
  return found
}

/** Places in node_modules of those packages and of all they need, found as Node finds them: nearest first. */
export function shippedPackages() {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  const declared = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).dependencies
  const shipped = new Set()
  const waiting = [...new Set([...importedPackages(), ...Object.keys(declared)])].map((name) => ({ name, from: '' }))
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const place = placeOf(lock, next.name, next.from)
    if (place === null) {
      if (next.optional === true) continue
      throw new SetupStop(`the sources import ${next.name}, which package-lock.json does not have. Run npm install and build again`)
    }
    if (shipped.has(place)) continue
    shipped.add(place)
    const { dependencies = {}, optionalDependencies = {} } = lock[place]
    for (const name of Object.keys(dependencies)) waiting.push({ name, from: place })
    for (const name of Object.keys(optionalDependencies)) waiting.push({ name, from: place, optional: true })
  }
  // Builds for other systems are in the lock file and not on this disk.
  return [...shipped].filter((place) => existsSync(join(root, place, 'package.json'))).sort().map((place) => ({ place, ...lock[place] }))
}

function placeOf(lock, name, from) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const place = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`
    if (lock[place] !== undefined) return place
    if (folder === '') return null
    if (!folder.includes('/node_modules/')) folder = ''
  }
}

/** The licence by its SPDX name; of a choice (`A OR B`) the first that is permissive. */
export function licenceOf(place) {
  const { license, licenses } = JSON.parse(readFileSync(join(root, place, 'package.json'), 'utf8'))
  const said = typeof license === 'string' ? license : (license?.type ?? licenses?.[0]?.type ?? '')
  const choices = said.replaceAll(/[()]/g, '').split(/ OR /)
  return { said, permissive: choices.some((one) => one.split(/ AND /).every((part) => permissive.has(part.trim()))) }
}

function textOf(place) {
  const names = readdirSync(join(root, place)).filter((name) => /^(licen[cs]e|copying|notice)([.-].*)?$/i.test(name)).sort()
  return names.map((name) => readFileSync(join(root, place, name), 'utf8').trim()).join('\n\n')
}

/** Writes out/NOTICES.txt. */
export function writeNotices() {
  const parts = ['Slotwright: notices of the software in it\n\nElectron and Chromium: see LICENSE.electron.txt and LICENSES.chromium.html beside the program.']
  for (const { place } of shippedPackages()) {
    const { name, version, author } = JSON.parse(readFileSync(join(root, place, 'package.json'), 'utf8'))
    const { said, permissive: holds } = licenceOf(place)
    if (!holds) throw new SetupStop(`${name} ${version} ships under the licence "${said}", which is not among the permissive ones this project takes. Take another package, or decide and add it in scripts/setup/notices.mjs`)
    const whose = typeof author === 'string' ? author : (author?.name ?? '')
    parts.push(`${name} ${version}\nLicence: ${said}\n${textOf(place) || `(no licence text comes with it${whose === '' ? '' : `; by ${whose}`})`}`)
  }
  writeFileSync(noticesFile, `${parts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) writeNotices()
