// How npm is called by set-up, on machines that are not ours: with a cache it can write where the person's own cannot be
// (a home on a read-only disk), and out of that cache alone where its registry does not answer. Asked so, npm says within
// seconds what it lacks; otherwise it asks for each package again and again, for a quarter of an hour.
import { accessSync, constants, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { ask } from './reach.mjs'
import { run, runtimeFolder, say, SetupStop } from './words.mjs'

const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
const registryTimeoutMs = 8_000
/** What says that nobody is there. Others (a certificate that npm was told of, and Node was not) are npm's to judge. */
const nobodyThere = /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|no answer)/

/** npm's own settings, wherever they come from: files, environment, a mirror. */
async function settings() {
  const asked = await run(npm, ['config', 'get', 'cache', 'registry', 'https-proxy', 'proxy'], { timeoutMs: 60_000 })
  if (asked.code !== 0) throw new SetupStop(`npm does not start: ${asked.output.trim().split('\n')[0] ?? asked.code}. It comes with Node (https://nodejs.org); some systems have it in a package of its own: sudo apt-get install npm`)
  return Object.fromEntries(asked.stdout.split('\n').map((line) => /^([a-z-]+)=(.*)$/.exec(line.trim())).filter(Boolean).map(([, name, value]) => [name, value]))
}

function isWritable(folder) {
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** @returns {Promise<{ env: Record<string, string>, args: string[], without?: string, isSlow?: boolean }>} `without`: the registry that does not answer, and why */
export async function npmHere() {
  const { cache, registry, 'https-proxy': secureProxy, proxy } = await settings()
  const env = {}
  if (cache !== undefined && !isWritable(cache)) {
    env.npm_config_cache = join(runtimeFolder, 'npm-cache')
    say(`npm's cache ${cache} cannot be written; taking ${env.npm_config_cache}`)
  }
  // What is behind a proxy npm knows to reach, and a question of ours would go round it and prove nothing.
  const asksDirectly = [secureProxy, proxy].every((one) => one === undefined || one === 'null' || one === '')
  const answer = asksDirectly && /^https?:/.test(registry ?? '') ? await ask(registry, registryTimeoutMs) : {}
  if (!nobodyThere.test(answer.why ?? '')) return { env, args: [] }
  say(`the npm registry ${registry} cannot be reached (${answer.why}); taking what npm has in its cache`)
  return { env, args: ['--offline'], without: `${registry} (${answer.why})`, isSlow: answer.why.startsWith('no answer') }
}

/**
 * Runs npm to its end, or stops with the end of its output.
 * @param {string} what
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string> }} [options]
 */
export async function npmOrStop(what, args, { env = {}, ...options } = {}) {
  const here = await npmHere()
  const call = (more) => run(npm, [...args, ...more], { ...options, env: { ...env, ...here.env } })
  let done = await call(here.args)
  // A registry that is only slow has not answered in time either, and npm is more patient.
  if (done.code !== 0 && here.isSlow) done = await call([])
  if (done.code === 0) return done
  if (here.without !== undefined) {
    throw new SetupStop(`${what} needs the npm registry, and ${here.without} does not answer; npm's cache on this machine does not have everything. Connect the machine, or name a mirror that it can reach (npm config set registry ADDRESS), and run the command again`)
  }
  throw new SetupStop(`${what} failed (exit ${done.code}):\n${done.output.trimEnd().split('\n').slice(-40).join('\n')}`)
}
