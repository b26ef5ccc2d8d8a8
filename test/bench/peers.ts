// Other people's SMP clients, as their users get them: from PyPI, crates.io and the Go proxy, each by its own installer into a
// cache folder. One that cannot be had here is named with the installer's own reason and left out.
import { execFile } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const installTimeoutMs = 600_000

export type Upload = Readonly<{ port: string; baud: number; image: string; /** The board's buffer, for clients that have to be told. */ bufferBytes: number }>

export type Peer = Readonly<{
  name: string
  program: string
  /** Settings worth a row of their own: as it comes, and the best its help offers for the board. */
  ways: readonly Readonly<{ name: string; /** Console where it does not say. */ framing?: 'raw'; args(upload: Upload): readonly string[] }>[]
}>

type Wanted = Readonly<{ name: string; version: string; folder: string; program: string; install(folder: string): Promise<unknown>; ways: Peer['ways'] }>

const wanted: readonly Wanted[] = [
  {
    name: 'smpmgr',
    version: '0.19.1',
    folder: 'smpmgr-0.19.1',
    program: 'bin/smpmgr',
    async install(folder) {
      await run('python3', ['-m', 'venv', folder])
      await run(join(folder, 'bin/pip'), ['install', '--quiet', '--retries', '0', '--timeout', '5', 'smpmgr==0.19.1'], { timeout: installTimeoutMs })
    },
    ways: [
      { name: 'smpmgr', args: ({ port, baud, image }) => ['--port', port, '--baudrate', `${baud}`, 'image', 'upload', image] },
      {
        name: 'smpmgr, buffers told',
        args: ({ port, baud, image, bufferBytes }) => ['--port', port, '--baudrate', `${baud}`, '--line-length', '128', '--line-buffers', `${Math.floor(bufferBytes / 96)}`, 'image', 'upload', image],
      },
    ],
  },
  {
    name: 'mcumgr-client',
    version: 'latest',
    folder: 'mcumgr-client',
    program: 'bin/mcumgr-client',
    install: (folder) => run('cargo', ['install', '--quiet', '--locked', '--root', folder, 'mcumgr-client'], { timeout: installTimeoutMs }),
    ways: [
      { name: 'mcumgr-client', args: ({ port, baud, image }) => ['-d', port, '-b', `${baud}`, 'upload', image] },
      { name: 'mcumgr-client, buffer told', args: ({ port, baud, image, bufferBytes }) => ['-d', port, '-b', `${baud}`, '-l', '128', '-m', `${bufferBytes}`, 'upload', image] },
    ],
  },
  {
    // Of the two Rust clients on crates.io this is the one that is there; no Bluetooth, which would want system libraries.
    name: 'mcumgrctl',
    version: '0.20.0',
    folder: 'mcumgrctl-0.20.0',
    program: 'bin/mcumgrctl',
    install: (folder) => run('cargo', ['install', '--quiet', '--locked', '--no-default-features', '--root', folder, 'mcumgrctl@0.20.0'], { timeout: installTimeoutMs }),
    ways: [
      { name: 'mcumgrctl', args: ({ port, baud, image }) => ['--serial', port, '--baud', `${baud}`, 'image', 'upload', image] },
      { name: 'mcumgrctl, raw', framing: 'raw', args: ({ port, baud, image }) => ['--serial', port, '--baud', `${baud}`, '--raw', 'image', 'upload', image] },
    ],
  },
  {
    name: 'mcumgr',
    version: 'latest',
    folder: 'mcumgr-go',
    program: 'mcumgr',
    install: (folder) => run('go', ['install', 'github.com/apache/mynewt-mcumgr-cli/mcumgr@latest'], { timeout: installTimeoutMs, env: { ...process.env, GOBIN: folder, GOFLAGS: '-modcacherw' } }),
    ways: [{ name: 'mcumgr', args: ({ port, baud, image }) => ['--conntype', 'serial', '--connstring', `dev=${port},baud=${baud},mtu=512`, 'image', 'upload', image] }],
  },
]

export type Missing = Readonly<{ name: string; why: string }>

/** Those that are installed or can be; the others with the reason. */
export async function findPeers(cache: string): Promise<{ peers: Peer[]; missing: Missing[] }> {
  const peers: Peer[] = []
  const missing: Missing[] = []
  for (const { name, version, folder, program, install, ways } of wanted) {
    const place = join(cache, folder)
    const path = join(place, program)
    try {
      if (!existsSync(path)) await install(place)
      peers.push({ name: `${name} ${version}`, program: path, ways })
    } catch (error) {
      rmSync(place, { recursive: true, force: true })
      missing.push({ name: `${name} ${version}`, why: reasonOf(error) })
    }
  }
  return { peers, missing }
}

/** The installer's own last words. */
function reasonOf(error: unknown): string {
  const { stderr = '', message } = error as Error & { stderr?: string }
  const lines = (stderr === '' ? message : stderr).split('\n').map((line) => line.trim()).filter((line) => line !== '')
  return (lines.find((line) => /error|forbidden|not available/i.test(line)) ?? lines[0] ?? 'no reason given').slice(0, 200)
}

export type PeerRun = Readonly<{ ok: boolean; says: string; cpuSeconds: number; wallSeconds: number }>

/** Runs one upload to its end; `core` pins it. The processor time is its own and its children's. */
export async function runPeer(program: string, args: readonly string[], limitMs: number, core: number | null = null): Promise<PeerRun> {
  const began = performance.now()
  const command = core === null ? [program, ...args] : ['taskset', '-c', `${core}`, program, ...args]
  // bash's own `time`, since /usr/bin/time is not everywhere; the arguments are handed through, never parsed.
  const ended = await run('bash', ['-c', 'time -p "$@"', 'bench', ...command], { timeout: limitMs, maxBuffer: 1 << 26 }).then(
    ({ stderr }) => ({ ok: true, stderr }),
    (error: Error & { stderr?: string }) => ({ ok: false, stderr: error.stderr ?? error.message }),
  )
  const cpuSeconds = ['user', 'sys'].reduce((sum, name) => sum + Number(new RegExp(`^${name} ([0-9.]+)`, 'm').exec(ended.stderr)?.[1] ?? 0), 0)
  const says = ended.stderr.split('\n').filter((line) => line.trim() !== '' && !/^(real|user|sys) /.test(line)).at(-1)?.trim() ?? ''
  return { ok: ended.ok, says, cpuSeconds, wallSeconds: (performance.now() - began) / 1000 }
}
