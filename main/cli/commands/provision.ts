// `provision`: the main job from a terminal or a script. It is a client of the station like the window: it opens the
// image, waits for the boards, starts a batch over their bays, draws what the station pushes, and reports.
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { Failure, failed } from '../../base/failure.ts'
import { looksLikePackage } from '../../cms/package.ts'
import { inspectImage } from '../../image/inspect.ts'
import { looksLikeZip, openUpdateZip } from '../../image/update-zip.ts'
import type { ArgsOf } from '../../contract/api.ts'
import type { BatchView, FileView, RunView, UpgradeMode } from '../../contract/views.ts'
import { usageKind } from '../call.ts'
import type { Act, Answer, Call } from '../call.ts'
import { allGood, batchDocument, batchWords } from '../batch-words.ts'
import { waitForBays, waitForPorts } from '../bays.ts'
import { firmwarePassphrase } from '../firmware-key.ts'
import type { FirmwarePassphrase } from '../firmware-key.ts'
import { readImageFile } from '../image-file.ts'
import { oneOf, wholeNumber } from '../numbers.ts'
import { oidText } from '../packages.ts'
import { progressFor } from '../progress.ts'
import { answerQuestions } from '../questions.ts'
import { readRecipeFile, withFingerprints } from '../recipe-file.ts'
import { stopped } from '../interrupt.ts'
import { withStation } from '../station-call.ts'
import type { CalledStation } from '../station-call.ts'

type Recipe = ArgsOf<'startBatch'>['recipe']

export type ProvisionFlags = FirmwarePassphrase & Readonly<{
  ports: string
  recipe?: string
  mode?: UpgradeMode
  boards?: number
  baud?: number
  allowDowngrade?: true
  key?: readonly string[]
  unitTable?: string
  profile?: string
  answers?: 'yes' | 'no'
  send?: 'image' | 'whole' | 'in-place'
  hardware?: string
  wait: number
}>

const modes = ['upload-only', 'test-only', 'test-and-confirm'] as const
const sends = ['image', 'whole', 'in-place'] as const
const boardsMax = 1024
const waitSecondsMax = 3600

export function declare(command: Command, act: Act): void {
  command
    .argument('<image>', 'signed image, a firmware package around one, or a zip of several (dfu_application.zip)')
    .requiredOption('--ports <dir-or-glob>', 'folder of a practice line, a port, or a pattern of ports such as "/dev/ttyACM*"')
    .option('--recipe <file>', 'name of a released recipe, or a JSON file with name, mode, allowedKeys, allowDowngrade, proofs, tests, unitData, needsWayBack, quota, hardware, communities, send')
    .option('--profile <name>', 'board profile to go by (`slotwright profile list` names them)')
    .option('--answers <yes|no>', 'the answer to every question that a recipe has for the operator (default: asked for here)', oneOf(['yes', 'no'] as const))
    .option('--unit-table <file>', 'comma-separated table of unit data, with a column "serial"')
    .option('--mode <mode>', `${modes.join(', ')} (default: test-and-confirm)`, oneOf(modes))
    .option('--boards <n>', 'wait for this many boards, and provision no more', wholeNumber(1, boardsMax))
    .option('--baud <rate>', 'line rate of real ports (default: 115200)', wholeNumber(1200, 10_000_000))
    .option('--allow-downgrade', 'let boards go back to an older version')
    .option('--key <key>', 'key that must have signed the image: name, fingerprint or PEM file (may be repeated)', (text: string, before: readonly string[] = []) => [...before, text])
    .option('--send <what>', 'of a firmware package, what goes to the boards: image (unwrapped here, the default), whole (their bootloader unpacks it) or in-place (it runs from inside)', oneOf(sends))
    .option('--hardware <oid>', 'the boards\' hardware type, which a firmware package must name', oidText)
    .option('--firmware-passphrase-file <file>', 'file whose first line is the passphrase of the home\'s firmware key, for an encrypted package (default: asked for)')
    .option('--wait <seconds>', 'how long to wait for the boards to appear', wholeNumber(0, waitSecondsMax), 10)
    .addHelpText('after', '\nExit code 0 only if every board ended as the mode asks (test-and-confirm: confirmed or unchanged).\n\nExample:\n  slotwright practice --boards 8 --dir /tmp/line &\n  slotwright provision app-1.1.0.bin --ports /tmp/line --json')
    .action(act<ProvisionFlags>((call, [image], flags) => provision(call, image ?? '', flags)))
}

/** Provisions the image onto the boards of the flags; the answer is good when every board made it. */
export async function provision(call: Call, image: string, flags: ProvisionFlags): Promise<Answer | Failure> {
  const released = releasedName(flags)
  if (failed(released)) return released
  const recipe = await recipeOf(call, released === null ? flags : { ...flags, recipe: undefined })
  if (failed(recipe)) return recipe
  // A file that is no image is refused before anybody waits for boards.
  const bytes = await readImageFile(image)
  const report = failed(bytes) || looksLikePackage(bytes) ? bytes : looksLikeZip(bytes) ? openUpdateZip(bytes) : inspectImage(bytes)
  if (failed(report)) return report
  const waited = await waitForPorts(call, flags.ports, flags.wait)
  return withStation(call, { ports: flags.ports, keys: flags.key ?? [], baudRate: flags.baud }, async (station) => {
    const file = await openedImage(call, station, image, flags)
    if (failed(file)) return file
    if (file.problem !== null) return new Failure(file.problem.kind, file.problem.says, file.problem.facts)
    const bays = await waitForBays(call, station, { boards: flags.boards ?? null, waitSeconds: flags.wait, ports: flags.ports, told: waited })
    if (failed(bays)) return bays
    const table = flags.unitTable === undefined ? null : await station.openFile({ path: flags.unitTable, purpose: 'table' })
    if (failed(table)) return table
    if (released !== null) {
      const recipes = await station.listRecipes({})
      if (failed(recipes)) return recipes
      const found = recipes.find((one) => one.state === 'released' && one.name.toLowerCase() === released.trim().toLowerCase())
      if (found === undefined) return new Failure('no-such-recipe', `There is no file "${released}", and no released recipe of that name. See: slotwright recipe list`)
      const args = { file: file.file, unitTable: table?.file ?? null, bays: baysOf(bays, found.recipe, flags) }
      return runBatch(call, station, { ...args, recipe: {} }, flags.answers ?? null, () => station.startReleased({ ...args, recipe: found.id, quota: flags.boards ?? null }))
    }
    return runBatch(call, station, { file: file.file, recipe: { ...recipe, allowedKeys: [...(recipe.allowedKeys ?? []), ...station.namedKeys] }, unitTable: table?.file ?? null, bays: baysOf(bays, recipe, flags) }, flags.answers ?? null)
  })
}

/** The boards that are there now; a rolling recipe also takes those that come later, in whichever bay. */
function baysOf(there: number[], { rolling }: Readonly<{ rolling?: boolean }>, { boards }: ProvisionFlags): number[] | null {
  return rolling === true && boards === undefined ? null : there
}

/** The file, opened; of an encrypted package whose key the home keeps, with that key's passphrase. */
async function openedImage(call: Call, station: CalledStation, path: string, { firmwarePassphraseFile }: ProvisionFlags): Promise<FileView | Failure> {
  const file = await station.openFile({ path, purpose: 'image' })
  if (failed(file) || file.problem?.kind !== 'firmware-key-locked') return file
  const passphrase = await firmwarePassphrase(call, String(file.problem.facts['name']), { firmwarePassphraseFile })
  return failed(passphrase) ? passphrase : station.unlockPackage({ file: file.file, passphrase })
}

/** Starts the batch, follows it to its end (or stops it when the signal says so) and tells what came of it. */
export async function runBatch(call: Call, station: CalledStation, args: ArgsOf<'startBatch'>, answers: 'yes' | 'no' | null = null, start: () => Promise<BatchView | Failure> = () => station.startBatch(args)): Promise<Answer | Failure> {
  const before = await station.bays({})
  if (failed(before)) return before
  const progress = progressFor(call, before.filter((row) => args.bays?.includes(row.bay) ?? true))
  const off = station.subscribe((event) => {
    if (event.is === 'bay') progress.show(event.bay)
  })
  const hush = answerQuestions(call, station, answers, (words) => progress.note(words))
  try {
    const started = await start()
    if (failed(started)) return started
    void stopped(call.signal).then(() => station.stopBatch({}))
    await station.batchEnded()
    // Rows are pushed ten times a second at most; the last ones are asked for.
    const rows = await station.bays({})
    if (!failed(rows)) for (const row of rows) if (row.run !== null) progress.show(row)
  } finally {
    off()
    hush()
    progress.end()
  }
  const batch = await station.batch({})
  if (failed(batch)) return batch
  if (batch === null) throw new Error('a batch that was started is gone')
  const runs = await station.listRuns({ batch: batch.id })
  if (failed(runs)) return runs
  const inOrder = [...runs].sort((a: RunView, b: RunView) => a.bay - b.bay || a.startedAt.localeCompare(b.startedAt))
  return {
    document: batchDocument(batch, inOrder, station.logHead()),
    words: batchWords(batch, inOrder, call.paint),
    good: allGood(inOrder, batch.recipe.mode),
  }
}

/** The name of a stored recipe, where `--recipe` names no file. What such a recipe says cannot be said again beside it. */
function releasedName({ recipe, mode, allowDowngrade, key }: ProvisionFlags): string | null | Failure {
  if (recipe === undefined || /[\\/]|\.json$/i.test(recipe) || existsSync(recipe)) return null
  if (mode === undefined && allowDowngrade === undefined && key === undefined) return recipe
  return new Failure(usageKind, `"${recipe}" is a released recipe and says itself how, with which keys and whether back: leave --mode, --allow-downgrade and --key out.`)
}

/** The recipe of the flags: the file's, with what the flags say on top. The station checks its contents. */
async function recipeOf(call: Call, flags: ProvisionFlags): Promise<Recipe | Failure> {
  let recipe: Recipe = {}
  if (flags.recipe !== undefined) {
    const read = await readRecipeFile(flags.recipe)
    const named = failed(read) ? read : await withFingerprints(call, read)
    if (failed(named)) return named
    recipe = named
  }
  return {
    ...recipe,
    ...(flags.mode === undefined ? {} : { mode: flags.mode }),
    ...(flags.profile === undefined ? {} : { profile: flags.profile }),
    ...(flags.allowDowngrade === true ? { allowDowngrade: true } : {}),
    ...(flags.boards === undefined ? {} : { quota: flags.boards }),
    ...(flags.send === undefined ? {} : { send: flags.send }),
    ...(flags.hardware === undefined ? {} : { hardware: flags.hardware }),
  }
}
