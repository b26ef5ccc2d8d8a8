// Signing beside the real imgtool on the same machine: one image as a whole command, and many images in one process, with
// the peak memory of both. `npm run bench:sign [IMAGES]`, 200 unless told. imgtool signs its batch in one Python process
// too, so that the ratio is about signing and not about starting Python; its cost as people run it (a command an image)
// is the other ratio. Every image of the batch is verified by whoever made it only in our column: imgtool never does. A
// command's processor time stands beside its wall time, since the first hardly moves when the machine is busy; a bare start of
// the runtime stands beside both, since no command can be quicker. Figures go to test/bench/results/sign.json.
import { execFile, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync, existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Failure } from '../../main/base/failure.ts'
import { Room } from '../../main/base/room.ts'
import type { Signer } from '../../main/base/signer.ts'
import { readInput } from '../../main/cli/files.ts'
import { signImage } from '../../main/image/sign.ts'
import { parseVersion } from '../../main/image/version.ts'
import type { AnyKeyAlgorithm } from '../../main/image/publickey.ts'
import { generateKey, writeKeyPem } from '../../main/keys/filekey.ts'
import { openSigner } from '../../main/keys/signer.ts'
import { Tokens } from '../../main/keys/pkcs11-tokens.ts'
import { imgtoolIn, imgtoolVersion, installImgtoolIn } from '../interop/imgtool/install.ts'
import { keepResults, machine } from './results.ts'

const run = promisify(execFile)
const root = process.env['SLOTWRIGHT_BENCH_ROOT'] ?? process.cwd()
const imageBytes = 1024 * 1024
const images = Number(process.argv[2] ?? 200)
/** Whole commands are started this often, in turn; the median counts. */
const commandRuns = 9
const layout = ['-v', '1.2.3', '-H', '0x200', '--pad-header', '-S', '0x180000']

function value<T>(answer: T | Failure): T {
  if (answer instanceof Failure) throw new Error(`${answer.kind}: ${answer.says}`)
  return answer
}

/** One row of the batch: what signs, and how imgtool names the same key; null where imgtool has nothing to set beside it. */
type Row = Readonly<{ name: string; open: (folder: string) => Promise<{ signer: Signer; close: () => void }>; keyFile: ((folder: string) => string) | null }>

const algorithms = ['ed25519', 'ecdsa-p256', 'rsa-2048'] as const satisfies readonly AnyKeyAlgorithm[]
const pemOf = (folder: string, algorithm: string) => join(folder, `${algorithm}.pem`)

/** A row a kind of key; one for a token goes here with an `open` that logs in to it, and no key file for imgtool. */
const fileRows: readonly Row[] = algorithms.map((algorithm): Row => ({
  name: algorithm,
  async open(folder) {
    const { readKeyPem } = await import('../../main/keys/filekey.ts')
    const signer = value(openSigner(value(await readKeyPem(readFileSync(pemOf(folder, algorithm), 'utf8')))))
    return { signer, close: () => signer.close() }
  },
  keyFile: (folder) => pemOf(folder, algorithm),
}))

const softhsm = ['/usr/lib/softhsm', '/usr/lib/x86_64-linux-gnu/softhsm', '/usr/lib/aarch64-linux-gnu/softhsm', '/usr/lib64/pkcs11'].map((place) => join(place, 'libsofthsm2.so')).find((path) => existsSync(path))

/** Keys made in a SoftHSM token of the bench's own: each signature goes to the token's process and is verified when it is back. */
const tokenRows: readonly Row[] = softhsm === undefined ? [] : algorithms.map((algorithm): Row => ({
  name: `${algorithm}, SoftHSM`,
  keyFile: null,
  async open(folder) {
    const place = join(folder, `token-${algorithm}`)
    const conf = join(place, 'softhsm2.conf')
    mkdirSync(join(place, 'tokens'), { recursive: true })
    writeFileSync(conf, `directories.tokendir = ${join(place, 'tokens')}\nobjectstore.backend = file\nlog.level = ERROR\n`)
    process.env['SOFTHSM2_CONF'] = conf
    execFileSync('softhsm2-util', ['--module', softhsm, '--init-token', '--free', '--label', 'bench', '--so-pin', '12345678', '--pin', '87654321'], { stdio: 'pipe' })
    const tokens = new Tokens({ entry: join(import.meta.dirname, 'tokens.mjs'), modules: [softhsm], installed: false })
    value(await tokens.unlock('pkcs11:token=bench', '87654321'))
    const key = value(await tokens.generate('pkcs11:token=bench', algorithm, 'bench'))
    return { signer: tokens.signer(key.uri, key.publicKey), close: () => void tokens.close() }
  },
}))
const rows: readonly Row[] = [...fileRows, ...tokenRows]

/** Firmware that no two images share, made outside the time that is taken. */
function firmwareOf(number: number): Uint8Array {
  const bytes = new Uint8Array(imageBytes)
  let state = (number + 1) * 0x9e3779b1 | 1
  for (let at = 0; at < bytes.length; at += 4) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[at] = state
    bytes[at + 1] = state >>> 8
    bytes[at + 2] = state >>> 16
    bytes[at + 3] = state >>> 24
  }
  return bytes
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0

type Taken = Readonly<{ seconds: number; processorSeconds: number; peakMiB: number }>

/** A program run to its end: seconds, processor seconds of it and its children, and its peak memory in MiB (VmHWM). */
async function measured(program: string, args: readonly string[], env: Record<string, string>): Promise<Taken> {
  const before = ticksOfChildren()
  const began = performance.now()
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...env } })
  let peakMiB = 0
  let said = ''
  child.stderr.on('data', (piece: Buffer) => { said += piece.toString('utf8') })
  const watch = setInterval(() => {
    try {
      peakMiB = Math.max(peakMiB, Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1'))?.[1] ?? 0) / 1024)
    } catch {
      // gone already
    }
  }, 5)
  const code = await new Promise<number | null>((done) => child.once('close', done))
  clearInterval(watch)
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${said}`)
  return { seconds: (performance.now() - began) / 1000, processorSeconds: (ticksOfChildren() - before) / 100, peakMiB }
}

/** Processor time of ended children in hundredths of a second: fields 16 and 17 of /proc/self/stat; 0 where there is none. */
function ticksOfChildren(): number {
  if (!existsSync('/proc/self/stat')) return 0
  const fields = readFileSync('/proc/self/stat', 'latin1').replace(/^.*\) /, '').split(' ')
  return Number(fields[13]) + Number(fields[14])
}

const figures: { commands: unknown[]; batches: unknown[] } = { commands: [], batches: [] }

/** Medians of the wall times and means of the processor times, whose clock is coarse. */
function summary(runs: readonly Taken[]): Readonly<{ seconds: number; processorSeconds: number; peakMiB: number }> {
  return {
    seconds: median(runs.map(({ seconds }) => seconds)), processorSeconds: runs.reduce((sum, { processorSeconds }) => sum + processorSeconds, 0) / runs.length,
    peakMiB: Math.max(...runs.map(({ peakMiB }) => peakMiB)),
  }
}
const said = ({ seconds, processorSeconds, peakMiB }: ReturnType<typeof summary>) => `${seconds.toFixed(3)} s, processor ${processorSeconds.toFixed(3)} s, ${peakMiB.toFixed(0)} MiB`

async function wholeCommands(folder: string, imgtool: string | null): Promise<void> {
  const slotwright = existsSync('/bin/sh') && process.platform !== 'win32' ? join(root, 'bin', 'slotwright') : process.execPath
  const env = { ELECTRON_RUN_AS_NODE: '', SLOTWRIGHT_HOME: join(folder, 'home') }
  const input = join(folder, 'one.bin')
  const nothing = join(folder, 'nothing.cjs')
  writeFileSync(input, firmwareOf(1_000_000))
  writeFileSync(nothing, '')
  console.log(`\none ${imageBytes / 1024 / 1024} MiB image as a whole command, median of ${commandRuns}`)
  for (const algorithm of algorithms) {
    const words = ['sign', ...layout, '-k', pemOf(folder, algorithm), input, join(folder, 'one.img')]
    const runs = { ours: [] as Taken[], theirs: [] as Taken[], bare: [] as Taken[] }
    // in turn, so that a busy moment of the machine hits all
    for (let turn = 0; turn <= commandRuns; turn++) {
      const ours = await measured(slotwright, words, env)
      const theirs = imgtool === null ? null : await measured(imgtool, words, {})
      const bare = await measured(process.execPath, [nothing], { ELECTRON_RUN_AS_NODE: '1' })
      if (turn === 0) continue
      runs.ours.push(ours)
      runs.bare.push(bare)
      if (theirs !== null) runs.theirs.push(theirs)
    }
    const [ours, bare] = [summary(runs.ours), summary(runs.bare)]
    const theirs = imgtool === null ? null : summary(runs.theirs)
    const ratio = theirs === null ? null : { seconds: ours.seconds / theirs.seconds, processorSeconds: ours.processorSeconds / theirs.processorSeconds }
    figures.commands.push({ algorithm, ours, imgtool: theirs, bareRuntime: bare, ratio })
    console.log(`  ${algorithm.padEnd(14)} ${said(ours)}${theirs === null || ratio === null ? '' : `; imgtool ${said(theirs)}: ratio ${ratio.seconds.toFixed(2)} (processor ${ratio.processorSeconds.toFixed(2)})`}; the bare runtime ${said(bare)}`)
  }
}

async function batches(folder: string, imgtool: string | null): Promise<void> {
  console.log(`\n${images} different images of ${imageBytes / 1024 / 1024} MiB in one process`)
  const inputs = Array.from({ length: images }, (_, i) => join(folder, `fw-${i}.bin`))
  for (const [i, path] of inputs.entries()) writeFileSync(path, firmwareOf(i))
  for (const row of rows) {
    const { signer, close } = await row.open(folder)
    const options = { version: value(parseVersion('1.2.3')), headerBytes: 0x200, padHeader: true, slotBytes: 0x180000 }
    globalThis.gc?.()
    const before = process.memoryUsage().rss
    let peak = before
    const processor = process.cpuUsage()
    const began = performance.now()
    const [firmware, image] = [new Room(), new Room()]
    for (const [i, path] of inputs.entries()) {
      const signed = value(await signImage(value(await readInput(path, 'firmware', imageBytes, firmware)), options, signer, undefined, image))
      writeFileSync(join(folder, `ours-${i}.img`), signed.bytes)
      if (i % 8 === 0) peak = Math.max(peak, process.memoryUsage().rss)
    }
    const ours = (performance.now() - began) / 1000
    const { user, system } = process.cpuUsage(processor)
    const processorMs = (user + system) / 1000 / images
    close()
    let beside = ''
    let imgtoolFigures: unknown = null
    if (imgtool !== null && row.keyFile !== null) {
      const key = row.keyFile(folder)
      const commands = Math.min(images, 8)
      const runs: Taken[] = []
      for (let i = 0; i < commands; i++) runs.push(await measured(imgtool, ['sign', ...layout, '-k', key, inputs[i] ?? '', join(folder, 'theirs.img')], {}))
      const [asRun, asRunProcessor] = (['seconds', 'processorSeconds'] as const).map((what) => runs.reduce((sum, taken) => sum + taken[what], 0) / commands * images) as [number, number]
      const python = join(imgtool, '..', 'python')
      const { stdout } = await run(python, ['-c', pythonBatch, key, folder, String(images), ...layout])
      const theirs = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as { seconds: number; processorSeconds: number; peakMiB: number }
      imgtoolFigures = { asCommandsSeconds: asRun, commandsMeasured: commands, inOneProcess: theirs, ratioToCommands: asRun / ours, ratioToOneProcess: theirs.seconds / ours, processor: { asCommandsSeconds: asRunProcessor, ratioToCommands: asRunProcessor * 1000 / images / processorMs, ratioToOneProcess: theirs.processorSeconds * 1000 / images / processorMs } }
      beside = `; imgtool a command an image ${asRun.toFixed(1)} s (${commands} measured): ${(asRun / ours).toFixed(0)}×; its code in one Python process ${theirs.seconds.toFixed(2)} s, peak ${theirs.peakMiB.toFixed(0)} MiB: ${(theirs.seconds / ours).toFixed(1)}×; by processor time ${(asRunProcessor * 1000 / images / processorMs).toFixed(0)}× and ${(theirs.processorSeconds * 1000 / images / processorMs).toFixed(1)}×`
    }
    figures.batches.push({ key: row.name, images, seconds: ours, imagesASecond: images / ours, processorMsAnImage: processorMs, peakMiB: peak / 1024 / 1024, imgtool: imgtoolFigures })
    console.log(`  ${row.name.padEnd(22)} ${ours.toFixed(2)} s, ${(images / ours).toFixed(0)} images/s, processor ${processorMs.toFixed(1)} ms an image, peak ${(peak / 1024 / 1024).toFixed(0)} MiB (${((peak - before) / 1024 / 1024).toFixed(0)} more than before)${beside}`)
  }
}

const pythonBatch = `
import contextlib, io, json, resource, sys, time
from imgtool.main import imgtool
key, folder, count, layout = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
began = time.perf_counter()
processor = time.process_time()
for i in range(count):
    with contextlib.redirect_stdout(io.StringIO()):
        imgtool(['sign', *layout, '-k', key, f'{folder}/fw-{i}.bin', f'{folder}/theirs-{i}.img'], standalone_mode=False)
print(json.dumps({'seconds': time.perf_counter() - began, 'processorSeconds': time.process_time() - processor, 'peakMiB': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
`

const about = machine()
const cache = join(root, 'node_modules', '.cache')
const missing = await installImgtoolIn(cache)
const imgtool = missing === null ? imgtoolIn(cache) : null
if (missing !== null) console.log(`without imgtool: ${missing}`)
const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'slotwright-bench-sign-'))
try {
  for (const algorithm of algorithms) {
    const key = await generateKey(algorithm)
    writeFileSync(pemOf(folder, algorithm), await writeKeyPem(key, null), { mode: 0o600 })
    key.wipe()
  }
  await wholeCommands(folder, imgtool)
  await batches(folder, imgtool)
  keepResults('sign', { machine: about, imgtool: imgtool === null ? missing : imgtoolVersion, imageBytes, ...figures }, [])
  console.log(`\n${readdirSync(folder).length} files in ${folder}, a file system in memory where there is one: the disk is no part of this`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
