// Who has a port open. Linux tells it in two places: /proc/locks names the process that holds the lock serialport and
// picocom take, /proc/PID/fd every process that has the device open at all (only those of the same user, unless we are
// root). Elsewhere nobody tells, and the sentence does without a name.
import { readFile, readdir, readlink, stat } from 'node:fs/promises'

export type Holder = Readonly<{ pid: number; command: string }>

const processesMax = 8192
const descriptorsMax = 4096

/** The process that holds the lock on this device file, if the system tells. */
export async function lockHolder(path: string): Promise<Holder | null> {
  try {
    const { dev, ino } = await stat(path)
    const device = `${hex(dev >> 8)}:${hex(dev & 0xff)}:${ino}`
    const locks = await readFile('/proc/locks', 'utf8')
    for (const line of locks.split('\n')) {
      const fields = line.trim().split(/\s+/)
      if (fields[1] === 'FLOCK' && fields[5] === device) return await describe(Number(fields[4]))
    }
  } catch {
    // No /proc, or the device went away meanwhile.
  }
  return null
}

/** Another process that has this device open, if the system tells. `path` has no symbolic links in it. */
export async function openHolder(path: string): Promise<Holder | null> {
  let processes: string[]
  try {
    processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).slice(0, processesMax)
  } catch {
    return null
  }
  for (const pid of processes) {
    if (Number(pid) !== process.pid && (await hasOpen(pid, path))) return await describe(Number(pid))
  }
  return null
}

async function hasOpen(pid: string, path: string): Promise<boolean> {
  try {
    const descriptors = (await readdir(`/proc/${pid}/fd`)).slice(0, descriptorsMax)
    const targets = await Promise.all(descriptors.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')))
    return targets.includes(path)
  } catch {
    return false // another user's process, or one that ended meanwhile
  }
}

async function describe(pid: number): Promise<Holder | null> {
  if (!(pid > 0)) return null
  try {
    if (pid === process.pid) return { pid, command: 'this station' }
    const command = (await readFile(`/proc/${pid}/comm`, 'utf8')).trim()
    // The system calls a window, a command and the boards they practise with by the name of the runtime that all of them run in.
    const runtime = await readlink(`/proc/${pid}/exe`).catch(() => null)
    return { pid, command: runtime === process.execPath ? 'another Slotwright' : command }
  } catch {
    return null
  }
}

function hex(value: number): string {
  return value.toString(16).padStart(2, '0')
}
