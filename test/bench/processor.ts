// Who runs where, how soon, and for how long: cores, priority and processor time, by Linux' own tools.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setPriority } from 'node:os'

/** USER_HZ, in which /proc counts; 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

/** Keeps a process and its threads on one core; null leaves it where it is. */
export function pin(pid: number, core: number | null): void {
  if (core !== null) execFileSync('taskset', ['-a', '-c', '-p', `${core}`, `${pid}`], { stdio: 'ignore' })
}

/** Processor seconds a process has used, by the kernel's own count. */
export function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /s, '').split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/**
 * Puts this process, and those it starts from now on, before whatever else the machine does: the clients measured, ours
 * and others', and the boards, which as hardware would not wait for a processor at all. False where that is not allowed.
 */
export function goFirst(): boolean {
  try {
    setPriority(-10)
    return true
  } catch {
    return false
  }
}
