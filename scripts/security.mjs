// `npm run security`: electronegativity over the sources and over what was built from them, and `npm audit`; every finding
// must stand in scripts/security/explained.json with a word of ours, and every word there must still have its finding. Not
// part of `npm test`: it fetches its tool, and asks the registry. Exit code 0: nothing unexplained; 1: something is, or a
// check could not be made and --may-be-offline was not given.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { writePlain } from './security/plain.mjs'

const root = resolve(import.meta.dirname, '..')
const tool = '@doyensec/electronegativity@1.10.3'
const toolTimeoutMs = 10 * 60_000
const mayBeOffline = process.argv.includes('--may-be-offline')
const explained = JSON.parse(readFileSync(join(root, 'scripts', 'security', 'explained.json'), 'utf8'))

const say = (text) => console.log(`security: ${text}`)
const run = (command, args, options = {}) => spawnSync(command, args, { encoding: 'utf8', timeout: toolTimeoutMs, maxBuffer: 64 * 1024 * 1024, shell: process.platform === 'win32', ...options })

/** Built files carry a hash in their names, and a new one with each change. */
const plainName = (file) => file.replaceAll('\\', '/').replace(/-[\w-]{8}(?=\.js$)/, '')

/** Each line of the tool's table: check, file and place. */
function findingsIn(csv) {
  return csv.split('\n').slice(1).filter((line) => line !== '').map((line) => {
    const [, check, severity, file, place] = /^(\w+),"(\w+)","\w+","([^"]*)","([^"]*)"/.exec(line) ?? []
    if (check === undefined) throw new Error(`electronegativity wrote a line that is not understood: ${line.slice(0, 200)}`)
    return { check, severity, file: plainName(file), place }
  })
}

/** The tool's findings in these folders, or null where it could not be had. */
function electronegativity(folders, work) {
  const plain = join(work, folders.join('-'))
  const counts = writePlain(root, folders, plain)
  // A file that must be found: a tool that reads nothing finds nothing.
  writeFileSync(join(plain, 'canary.js'), "new BrowserWindow({ webPreferences: { nodeIntegration: true } })\n")
  const table = join(work, `${folders.join('-')}.csv`)
  const done = run('npx', ['--yes', tool, '--input', plain, '--output', table, '--relative'], { cwd: work })
  if (done.status !== 0 || !existsSync(table)) {
    say(`${tool} did not run: ${(done.stderr || done.error?.message || '').trim().split('\n').at(-1)}`)
    return null
  }
  // With a table the tool keeps silent about files it cannot parse; without one it tells.
  const told = run('npx', ['--yes', tool, '--input', plain, '--relative'], { cwd: work })
  const unread = `${told.stdout}${told.stderr}`.split('\n').filter((line) => /error parsing/i.test(line))
  if (unread.length > 0) throw new Error(`electronegativity cannot read ${unread.length} files, the first: ${unread[0]}`)
  const findings = findingsIn(readFileSync(table, 'utf8'))
  if (!findings.some(({ check, file }) => check === 'NODE_INTEGRATION_JS_CHECK' && file === 'canary.js')) throw new Error('electronegativity did not find the window with Node that was laid for it')
  const real = findings.filter(({ file }) => file !== 'canary.js')
  say(`electronegativity over ${folders.join(' and ')} (${Object.entries(counts).map(([end, count]) => `${count} ${end}`).join(', ')}): ${real.length} findings`)
  return real
}

/** Advisories by name and source; null where the registry does not answer. */
function npmAudit() {
  const done = run('npm', ['audit', '--json'], { cwd: root })
  let answer
  try {
    answer = JSON.parse(done.stdout.slice(done.stdout.indexOf('{')))
  } catch {
    answer = { message: 'no answer' }
  }
  if (answer.vulnerabilities === undefined) {
    say(`npm audit could not be made: ${answer.message ?? answer.error?.summary}`)
    return null
  }
  const found = Object.values(answer.vulnerabilities).flatMap(({ name, severity, via }) => via.filter((one) => typeof one === 'object').map((one) => ({ name, severity, advisory: one.url })))
  say(`npm audit: ${found.length} advisories`)
  return found
}

const work = mkdtempSync(join(tmpdir(), 'slotwright-security-'))
let unexplained = 0
let notMade = 0
try {
  if (!existsSync(join(root, 'out', 'main', 'app.js'))) throw new Error('nothing is built; npm run build first')
  const seen = new Set()
  for (const folders of [['main', 'renderer'], ['out']]) {
    const findings = electronegativity(folders, work)
    if (findings === null) {
      notMade++
      continue
    }
    for (const { check, severity, file, place } of findings) {
      const known = explained.electronegativity.find((one) => one.check === check && one.file === file)
      if (known !== undefined) seen.add(known)
      else {
        unexplained++
        say(`NOT EXPLAINED: ${check} (${severity.toLowerCase()}) in ${file} at ${place}`)
      }
    }
  }
  if (notMade === 0) {
    for (const one of explained.electronegativity.filter((each) => !seen.has(each))) {
      unexplained++
      say(`EXPLAINED AND NOT FOUND: ${one.check} in ${one.file}; take the word away`)
    }
  }
  const advisories = npmAudit()
  if (advisories === null) notMade++
  for (const { name, severity, advisory } of advisories ?? []) {
    if (explained.npmAudit.some((one) => one.name === name && one.advisory === advisory)) continue
    unexplained++
    say(`NOT EXPLAINED: ${name} (${severity}): ${advisory}`)
  }
} catch (error) {
  unexplained++
  say(error instanceof Error ? error.message : String(error))
} finally {
  rmSync(work, { recursive: true, force: true })
}
say(unexplained > 0 ? `${unexplained} to be explained or mended` : notMade > 0 ? `nothing unexplained, but ${notMade} of 3 checks could not be made here` : 'nothing unexplained')
process.exitCode = unexplained > 0 || (notMade > 0 && !mayBeOffline) ? 1 : 0
