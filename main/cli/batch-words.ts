// A finished batch as words and as the document that scripts read: one row a board, and the counts. The document's
// names are part of the command line's promise (README); nothing is renamed without a new name beside the old one.
import { outcomeNames } from '../contract/views.ts'
import type { BatchView, OutcomeName, RunView, UpgradeMode } from '../contract/views.ts'
import { outcomePaint } from './progress.ts'
import { columns } from './terminal.ts'
import type { Paint } from './terminal.ts'

/** Outcomes that are what the mode asked for. */
const goodOutcomes: Readonly<Record<UpgradeMode, readonly OutcomeName[]>> = {
  'upload-only': ['uploaded', 'unchanged'],
  'test-only': ['tested', 'unchanged'],
  'test-and-confirm': ['confirmed', 'unchanged'],
}

/** True when every board ended as the mode asked, and there was at least one. */
export function allGood(runs: readonly RunView[], mode: UpgradeMode): boolean {
  return runs.length > 0 && runs.every((run) => run.outcome !== null && goodOutcomes[mode].includes(run.outcome))
}

/** What `--json` ends with. */
export function batchDocument(batch: BatchView, runs: readonly RunView[], log: Readonly<{ size: number; root: string }> | null): unknown {
  return {
    batch: batch.id,
    mode: batch.recipe.mode,
    image: { file: batch.image.fileName, version: batch.image.version, hash: batch.image.hash, keyHash: batch.image.keyHash, key: batch.image.keyName, bytes: batch.image.bytes },
    runs: runs.map((run) => ({
      board: run.board,
      bay: run.bay,
      port: run.port,
      outcome: run.outcome,
      kind: run.kind,
      says: run.says,
      todo: run.todo,
      activeHash: run.activeHash,
      version: run.version,
      seconds: run.seconds,
      bytes: run.bytes,
      bytesPerSecond: run.bytesPerSecond,
      run: run.run,
    })),
    outcomes: Object.fromEntries(outcomeNames.map((name) => [name, runs.filter((run) => run.outcome === name).length])),
    good: allGood(runs, batch.recipe.mode),
    startedAt: batch.startedAt,
    seconds: batch.seconds,
    log,
  }
}

/** The table of boards, the counts, and for each board that did not make it what to do. */
export function batchWords(batch: BatchView, runs: readonly RunView[], paint: Paint): string {
  const table = columns([
    ['bay', 'board', 'outcome', 'version', 'active image', 'time'].map(paint.dim),
    ...runs.map((run) => [
      String(run.bay),
      run.board,
      run.outcome === null ? '-' : outcomePaint(run.outcome, paint)(run.outcome.toUpperCase()),
      run.version ?? '-',
      run.activeHash === null ? '-' : `${run.activeHash.slice(0, 12)}…`,
      `${run.seconds.toFixed(1)} s`,
    ]),
  ])
  const troubles = alike(runs.filter((run) => run.kind !== null)).flatMap(([run, ...others]) => [
    `${paint.bold(others.length === 0 ? `bay ${run.bay}, ${run.board}:` : `bays ${[run, ...others].map(({ bay }) => bay).join(', ')}:`)} ${run.says}`,
    ...(run.todo === null || run.says.includes(run.todo) ? [] : [`  → ${run.todo}`]),
  ])
  const counts = outcomeNames
    .map((name) => [name, runs.filter((run) => run.outcome === name).length] as const)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => outcomePaint(name, paint)(`${count} ${name}`))
  return [table, ...(troubles.length === 0 ? [] : ['', ...troubles]), '', `${counts.join(', ') || 'no boards'} in ${batch.seconds.toFixed(1)} s`].join('\n')
}

/** Runs that say the same, together, in the order of the first of each: what is wrong with all boards is said once. */
function alike(runs: readonly RunView[]): [RunView, ...RunView[]][] {
  const groups = new Map<string, [RunView, ...RunView[]]>()
  for (const run of runs) {
    const key = JSON.stringify([run.says, run.todo])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [run])
    else group.push(run)
  }
  return [...groups.values()]
}
