// A peer a user could pick instead: a tile log through Tessera's POSIX backend, built from the Go module proxy and run on the
// same disk after ours. What each figure means differs, and is said: Tessera keeps bytes, this log reads what it keeps.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type PeerFigures = Readonly<{ singlyPerSecond: number; sixteenPerSecond: number; bulkPerSecond: number; verifySeconds: number }>

/** The peer's figures, or in a sentence why there are none. */
export function tesseraFigures(root: string, entries: number, entryBytes: number): PeerFigures | string {
  const source = join(root, 'test', 'bench', 'log-peer')
  const folder = mkdtempSync(join(tmpdir(), 'slotwright-peer-'))
  try {
    if (spawnSync('go', ['version']).status !== 0) return 'Go is not installed, so the peer (Tessera) is left out.'
    const built = spawnSync('go', ['build', '-o', join(folder, 'peer'), '.'], { cwd: source, encoding: 'utf8', timeout: 600_000 })
    if (built.status !== 0) return `The peer (Tessera) could not be built: ${built.stderr.trim().split('\n').at(-1) ?? ''}`
    const told = execFileSync(join(folder, 'peer'), ['-dir', join(folder, 'log'), '-entries', String(entries), '-size', String(entryBytes)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 1_800_000 })
    return JSON.parse(told) as PeerFigures
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
