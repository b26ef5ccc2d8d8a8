// The folder of a window that only looks at a log: Chromium's own files and the log's copy lie in it. It goes with the
// window; what Chromium writes at its very end, and all that a window leaves that was killed, perhaps with a copy of a large
// log, goes when the next window of the program opens. Its name says whose it is, by the process's number.
import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const named = /^slotwright-auditor-([0-9]{1,10})-[A-Za-z0-9]{6}$/
/** Folders looked at when a window opens; the next one looks at the rest. */
const leftMax = 100

/** A new folder in `place`, for this process. */
export function makeOwnFolder(place: string, processId = process.pid): string {
  return mkdtempSync(join(place, `slotwright-auditor-${processId}-`))
}

/** Removes those in `place` whose processes are no more; one that cannot be removed stays, since it is perhaps somebody else's. */
export function removeLeftFolders(place: string): void {
  for (const name of readdirSync(place).filter((one) => named.test(one)).slice(0, leftMax)) {
    const owner = Number(named.exec(name)?.[1])
    if (isAlive(owner)) continue
    try {
      const there = lstatSync(join(place, name))
      if (there.isDirectory() && (process.getuid === undefined || there.uid === process.getuid())) rmSync(join(place, name), { recursive: true, force: true })
    } catch {
      // Another window may just be removing it.
    }
  }
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch (error) {
    // A process of another user lives.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
