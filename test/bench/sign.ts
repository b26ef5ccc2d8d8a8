// Signing beside the real imgtool on the same machine: one image as a whole command, and many images in one process, with
// the peak memory of both. `npm run bench:sign [IMAGES]`, 200 unless told. imgtool signs its batch in one Python process
// too, so that the ratio is about signing and not about starting Python; its cost as people run it (a command an image)
// is the other ratio. Every image of the batch is verified by whoever made it only in our column: imgtool never does.
import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync, existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Failure } from '../../main/base/failure.ts'
import type { Signer } from '../../main/base/signer.ts'
import { signImage } from '../../main/image/sign.ts'
import { parseVersion } from '../../main/image/version.ts'
import type { AnyKeyAlgorithm } from '../../main/image/publickey.ts'
import { generateKey, writeKeyPem } from '../../main/keys/filekey.ts'
import { openSigner } from '../../main/keys/signer.ts'
import { imgtoolIn, installImgtoolIn } from '../interop/imgtool/install.ts'

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
const rows: readonly Row[] = algorithms.map((algorithm): Row => ({
  name: algorithm,
  async open(folder) {
    const { readKeyPem } = await import('../../main/keys/filekey.ts')
    const signer = value(openSigner(value(await readKeyPem(readFileSync(pemOf(folder, algorithm), 'utf8')))))
    return { signer, close: () => signer.close() }
  },
  keyFile: (folder) => pemOf(folder, algorithm),
}))

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

/** A program run to its end: seconds, and its own peak memory in MiB as the kernel counted it (VmHWM). */
async function measured(program: string, args: readonly string[], env: Record<string, string>): Promise<{ seconds: number; peakMiB: number }> {
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
  return { seconds: (performance.now() - began) / 1000, peakMiB }
}

async function wholeCommands(folder: string, imgtool: string | null): Promise<void> {
  const slotwright = existsSync('/bin/sh') && process.platform !== 'win32' ? join(root, 'bin', 'slotwright') : process.execPath
  const env = { ELECTRON_RUN_AS_NODE: '', SLOTWRIGHT_HOME: join(folder, 'home') }
  const input = join(folder, 'one.bin')
  writeFileSync(input, firmwareOf(1_000_000))
  console.log(`\none ${imageBytes / 1024 / 1024} MiB image as a whole command, median of ${commandRuns}`)
  for (const algorithm of algorithms) {
    const words = ['sign', ...layout, '-k', pemOf(folder, algorithm), input, join(folder, 'one.img')]
    const seconds = { ours: [] as number[], theirs: [] as number[] }
    const peak = { ours: 0, theirs: 0 }
    // in turn, so that a busy moment of the machine hits both
    for (let turn = 0; turn <= commandRuns; turn++) {
      const ours = await measured(slotwright, words, env)
      const theirs = imgtool === null ? null : await measured(imgtool, words, {})
      if (turn === 0) continue
      seconds.ours.push(ours.seconds)
      peak.ours = Math.max(peak.ours, ours.peakMiB)
      if (theirs !== null) {
        seconds.theirs.push(theirs.seconds)
        peak.theirs = Math.max(peak.theirs, theirs.peakMiB)
      }
    }
    const beside = imgtool === null ? '' : `, imgtool ${median(seconds.theirs).toFixed(3)} s and ${peak.theirs.toFixed(0)} MiB: ratio ${(median(seconds.ours) / median(seconds.theirs)).toFixed(2)}`
    console.log(`  ${algorithm.padEnd(14)} ${median(seconds.ours).toFixed(3)} s and ${peak.ours.toFixed(0)} MiB${beside}`)
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
    const began = performance.now()
    for (const [i, path] of inputs.entries()) {
      const signed = value(await signImage(readFileSync(path), options, signer))
      writeFileSync(join(folder, `ours-${i}.img`), signed.bytes)
      if (i % 8 === 0) peak = Math.max(peak, process.memoryUsage().rss)
    }
    const ours = (performance.now() - began) / 1000
    close()
    let beside = ''
    if (imgtool !== null && row.keyFile !== null) {
      const key = row.keyFile(folder)
      const commands = Math.min(images, 8)
      let command = 0
      for (let i = 0; i < commands; i++) command += (await measured(imgtool, ['sign', ...layout, '-k', key, inputs[i] ?? '', join(folder, 'theirs.img')], {})).seconds
      const asRun = command / commands * images
      const python = join(imgtool, '..', 'python')
      const { stdout } = await run(python, ['-c', pythonBatch, key, folder, String(images), ...layout])
      const theirs = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as { seconds: number; peakMiB: number }
      beside = `; imgtool a command an image ${asRun.toFixed(1)} s (${commands} measured): ${(asRun / ours).toFixed(0)}×; its code in one Python process ${theirs.seconds.toFixed(2)} s, peak ${theirs.peakMiB.toFixed(0)} MiB: ${(theirs.seconds / ours).toFixed(1)}×`
    }
    console.log(`  ${row.name.padEnd(14)} ${ours.toFixed(2)} s, ${(images / ours).toFixed(0)} images/s, peak ${(peak / 1024 / 1024).toFixed(0)} MiB (${((peak - before) / 1024 / 1024).toFixed(0)} more than before)${beside}`)
  }
}

const pythonBatch = `
import contextlib, io, json, resource, sys, time
from imgtool.main import imgtool
key, folder, count, layout = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
began = time.perf_counter()
for i in range(count):
    with contextlib.redirect_stdout(io.StringIO()):
        imgtool(['sign', *layout, '-k', key, f'{folder}/fw-{i}.bin', f'{folder}/theirs-{i}.img'], standalone_mode=False)
print(json.dumps({'seconds': time.perf_counter() - began, 'peakMiB': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
`

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
  console.log(`\n${readdirSync(folder).length} files in ${folder}, a file system in memory where there is one: the disk is no part of this`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
