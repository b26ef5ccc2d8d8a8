// The answers to the contract's calls, one handler a method, each with its arguments checked first. What is more than a
// line or two lives in its own file; here it is only joined.
import { toHex } from '../base/bytes.ts'
import { Failure, failed } from '../base/failure.ts'
import { said } from '../base/said.ts'
import type { CheckedArgsOf } from '../contract/api.ts'
import type { BatchView, FileView, LogVerdictView, PortView, SettingsView } from '../contract/views.ts'
import type { BoardProfileView } from '../contract/board-profile.ts'
import { looksLikePackage } from '../cms/package.ts'
import { catalogue } from '../line/catalogue.ts'
import { looksLikeZip, openUpdateZip } from '../image/update-zip.ts'
import { writeSetting } from '../store/settings.ts'
import { exportDigest, importSignature } from './airgap.ts'
import { Batch } from './batch.ts'
import type { BayMap } from './bay-map.ts'
import { blink, consoleCall, diagnose, layBays, nameUnit, retryBay, teachBay } from './fixture.ts'
import type { FixtureWorld } from './fixture.ts'
import { entryProof, listLog, logBatches, logFigures, logKeys, recallChoices, recallUnits } from './auditing.ts'
import { exportLog } from './bundle.ts'
import { approveSigning, generateKey, importKey, listKeys, retireKey, setKeyPolicy, sign } from './desk.ts'
import type { DeskWorld } from './desk.ts'
import { decryptionKeys, openEncrypted } from './decrypting.ts'
import type { FilePurpose, OpenedFile } from './files.ts'
import type { Fleet } from './fleet.ts'
import { readRun, readRuns } from './history.ts'
import { compareFiles, sizeOfFile } from './images.ts'
import { saveReceipts } from './receipts-saved.ts'
import { laidOut } from './sending.ts'
import { packageView } from './package-view.ts'
import { openPackageFile, openedEntry, refusedEntry } from './packages.ts'
import type { OpenedPackageFile } from './packages.ts'
import { peopleHandlers } from './people-calls.ts'
import { dropDraft, keepDraft, listAllRecipes, release, startable, withdraw } from './recipes.ts'
import type { RecipeWorld } from './recipes.ts'
import { previewRecipe } from './preview.ts'
import { recallableIn } from './recall-file.ts'
import { changeLabelSettings, labelSettings, printLabel, printReport, saveHistory, saveLabel, saveRecall, saveReport, unitLabel } from './reports.ts'
import type { Desk } from './reports.ts'
import { measureFirmware } from './sign-options.ts'
import type { Practice } from './practice.ts'
import { listProfiles } from './profiles.ts'
import { askedBoard, keepProfile, profileFromBoard } from './profile-calls.ts'
import { imageOf, readied } from './readying.ts'
import { addTokenKey, addTokenModule, generateTokenKey, listTokens, lockToken, unlockToken } from './tokens.ts'
import { readNotices } from './notices.ts'
import { failureView } from './views.ts'
import type { Handlers, World } from './world.ts'

export type { Handlers, World }

/** One handler for each method of the contract. */
export function handlersOf(world: World, fleet: Fleet, practice: Practice, bayMap: BayMap): Handlers {
  const fixture: FixtureWorld = {
    bayMap, fleet, ports: world.ports, clock: world.clock, audit: world.audit, log: world.log, batch: () => world.batch, busyPorts: world.busyPorts,
    lineRate: () => world.settings.baudRate,
    onDiagnosis: (diagnosis) => world.emit({ is: 'diagnosis', diagnosis }),
  }
  const { audit, desk } = world
  const recipes: RecipeWorld = { log: world.log, clock: world.clock, changed: () => world.emit({ is: 'recipes' }) }
  const reportDesk: Desk = { audit, log: world.log, paper: world.paper, version: world.about.version, wallMs: () => world.clock.wallMs() }
  return {
    about: () => world.about,
    notices: () => readNotices(world.noticesFile),
    updates: () => world.updates.view(),
    setUpdates: (wanted) => world.updates.set(wanted),
    checkUpdate: () => world.updates.check(),
    fetchUpdate: () => world.updates.fetch(),
    applyUpdate: () => world.updates.apply(),
    listHooks: () => world.hooks.list(),
    addWebhook: (args) => world.hooks.addWebhook(args),
    addFolderHook: ({ folder }) => world.hooks.addFolder(folder),
    removeHook: ({ hook }) => world.hooks.remove(hook),
    testHook: ({ hook }) => world.hooks.test(hook),
    rewindHook: ({ hook, entry }) => world.hooks.rewind(hook, entry),
    factoryApi: () => world.door.view(),
    setFactoryApi: (wanted) => world.door.set(wanted),
    openFactoryApi: () => world.door.open(),
    newFactoryToken: () => world.door.newToken(),
    openFile: ({ path, purpose }) => openFile(world, path, purpose),
    unlockPackage: (args) => unlockPackage(world, args),
    inspectFile: async ({ file }) => {
      const opened = desk.files.get(file)
      const image = failed(opened) ? opened : await imageOf(desk, opened)
      return failed(image) ? image : image.view
    },
    decryptionKeys: ({ file }) => decryptionKeys(desk, file),
    openEncrypted: (args) => openEncrypted(desk, args),
    compareFiles: ({ left, right }) => compareFiles(desk, left, right),
    sizeOfFile: (args) => sizeOfFile(desk, args),
    measureFirmware: (args) => measureFirmware(desk, args),
    exportDigest: (args) => exportDigest(desk, args),
    importSignature: (args) => importSignature(desk, args),
    sampleFile: async () => {
      const path = await practice.sample()
      return failed(path) ? path : await openFile(world, path, 'image')
    },
    listKeys: () => listKeys(desk),
    generateKey: (args) => generateKey(desk, args),
    importKey: (args) => importKey(desk, args),
    retireKey: (args) => retireKey(desk, args),
    setKeyPolicy: (args) => setKeyPolicy(desk, args),
    listTokens: () => listTokens(desk),
    unlockToken: (args) => unlockToken(desk, args),
    lockToken: (args) => lockToken(desk, args),
    addTokenKey: (args) => addTokenKey(desk, args),
    generateTokenKey: (args) => generateTokenKey(desk, args),
    addTokenModule: (args) => addTokenModule(desk, audit.database, args),
    approveSigning: (args) => approveSigning(desk, args),
    sign: (args) => sign(desk, args),
    listPorts: () => world.ports.list().map((port): PortView => ({ port: port.path, serial: port.serial, bay: fleet.bayOf(port), maker: port.maker, usb: port.usb, practice: port.practice })),
    askBoard: ({ port, profile }) => askedBoard(world, port, profile),
    listProfiles: () => listProfiles(world.home),
    saveProfile: async ({ profile }) => (await keepProfile(world, profile.name, profile)) as BoardProfileView | Failure,
    removeProfile: async ({ name }) => {
      const removed = await keepProfile(world, name, null)
      return failed(removed) ? removed : await listProfiles(world.home)
    },
    profileFromBoard: (args) => profileFromBoard(world, args),
    questions: () => world.questions.list(),
    answerQuestion: ({ question, yes }) => world.questions.answer(question, yes, world.log.person),
    startPractice: (args) => practice.start(args),
    stopPractice: () => practice.stop(),
    practice: () => practice.view(),
    bayMap: () => bayMap.view(),
    layBays: ({ rows, columns }) => layBays(fixture, rows, columns),
    teachBay: ({ bay, port }) => teachBay(fixture, bay, port),
    blinkBoard: ({ port }) => blink(fixture, port),
    diagnosePort: ({ port }) => diagnose(fixture, port),
    nameUnit: ({ serial, bay }) => nameUnit(fixture, serial, bay),
    bays: () => fleet.rows(),
    batch: () => world.batch?.view() ?? null,
    startBatch: (args) => startBatch(world, fleet, args),
    retryBay: ({ bay }) => retryBay(fixture, bay, world.again),
    previewRecipe: (args) => previewRecipe(world, fleet, world.busyPorts, args),
    boardConsole: (args) => consoleCall(world, fixture, args),
    hushConsole: async ({ port }) => ({ hushed: await world.consoles.hush(port) }),
    failureCatalogue: () => [...catalogue()],
    stopBatch: async () => {
      await world.batch?.stop()
      return world.batch?.view() ?? null
    },
    run: ({ run }) => readRun(audit, run),
    listRuns: ({ batch }) => readRuns(audit, batch),
    listLog: (filter) => listLog(audit, filter),
    findLog: (filter) => world.searches.find(filter),
    foundEntries: ({ find, at, limit }) => world.searches.entries(find, at, limit),
    placeInLog: ({ find, seq }) => world.searches.place(find, seq),
    entryProof: ({ seq }) => entryProof(audit, seq),
    logKeys: () => logKeys(audit),
    logBatches: () => logBatches(audit),
    logFigures: (args) => logFigures(audit, args),
    recallChoices: () => recallChoices(audit),
    readRecallFile: ({ path }) => recallableIn(path),
    recallUnits: (args) => recallUnits(audit, args),
    saveRecall: (args) => saveRecall(reportDesk, args),
    saveHistory: (args) => saveHistory(reportDesk, args),
    saveReceipts: (args) => saveReceipts(world, args),
    saveReport: (args) => saveReport(reportDesk, args),
    printReport: ({ batch }) => printReport(reportDesk, batch),
    labelSettings: () => labelSettings(audit),
    changeLabelSettings: (size) => changeLabelSettings(reportDesk, size),
    unitLabel: ({ unit }) => unitLabel(audit, unit),
    saveLabel: (args) => saveLabel(reportDesk, args),
    printLabel: ({ unit }) => printLabel(reportDesk, unit),
    readAgain: () => new Failure('not-auditing', 'This station writes its log; what it shows is always the newest.'),
    verifyLog: () => verifyLog(world),
    exportLog: (args) => exportLog(world, args),
    ...peopleHandlers(world.people, world.peopleChanged),
    listRecipes: () => listAllRecipes(recipes),
    saveRecipe: (args) => keepDraft(recipes, args),
    deleteDraft: ({ id }) => dropDraft(recipes, id),
    releaseRecipe: ({ id }) => release(recipes, id),
    withdrawRecipe: (args) => withdraw(recipes, args),
    startReleased: (args) => startReleased(world, fleet, recipes, args),
    settings: () => world.settings,
    setLineRate: ({ baudRate }) => changeSettings(world, { baudRate }, 'engineer'),
    changeSettings: (changes) => changeSettings(world, changes, 'operator'),
  }
}

/** A batch by a released recipe, with a file that it names. */
async function startReleased(world: World, fleet: Fleet, recipes: RecipeWorld, { recipe: id, quota, ...args }: CheckedArgsOf<'startReleased'>, once = false): Promise<BatchView | Failure> {
  const opened = world.desk.files.get(args.file)
  if (failed(opened)) return opened
  // A recipe names files as they lie on disk: of a package, the package.
  const found = startable(recipes, id, { name: opened.name, sha256: opened.packed?.sha256 ?? opened.sha256 })
  if (failed(found)) return world.log.refuse('start a batch', found)
  const { recipe } = found.body
  return startBatch(world, fleet, { ...args, recipe: { ...recipe, quota: recipe.quota ?? quota, ...(once ? { rolling: false } : {}) } }, {
    released: `${found.id}.${found.revision}`,
    again: (bay) => startReleased(world, fleet, recipes, { recipe: id, quota, ...args, bays: [bay] }, true),
  })
}

/** The released revision behind a batch, and how one more board gets the same; left out for an engineer's own recipe. */
type StartedBy = Readonly<{ released?: string; again?: (bay: number) => Promise<BatchView | Failure> }>

async function startBatch(world: World, fleet: Fleet, args: CheckedArgsOf<'startBatch'>, by: StartedBy = {}): Promise<BatchView | Failure> {
  const { log, emit, clock, ports } = world
  const ready = await readied(world, args)
  if (failed(ready)) return ready.kind === 'file-not-open' || ready.kind === 'bad-table' ? ready : log.refuse('start a batch', ready)
  await world.consoles.hush()
  if (world.batch !== null && !world.batch.isOver) return new Failure('batch-running', 'A batch is running. Stop it, or wait until it has ended.')
  const asked = fleet.occupied().find(({ bay, port }) => (args.bays?.includes(bay) ?? true) && world.busyPorts.has(port.path))
  if (asked !== undefined) return new Failure('port-held', `The board in bay ${asked.bay} is just being asked. Wait a moment, then start again.`)
  // What the log could not take when it gave out is told now, before anything new is.
  const unclosed = log.closeAbandoned('log-failed')
  if (failed(unclosed)) return unclosed
  const { opened, sent, unitTable, profileFor, hardware, admit } = ready
  const batch = Batch.start({
    id: world.newId('batch'), fileName: opened.name, file: sent, recipe: args.recipe, unitTable, bays: args.bays, person: log.person, role: log.roleFor('operator'), released: by.released ?? null,
    hardware, ...(admit === undefined ? {} : { admit }),
  }, {
    clock, ports, fleet,
    record: (drafts) => log.record(drafts),
    recordTogether: (drafts) => log.recordTogether(drafts),
    newId: world.newId,
    nonce: world.nonce,
    questions: world.questions,
    profileFor,
    onChange: (view) => emit({ is: 'batch', batch: view }),
  })
  if (failed(batch)) return batch
  world.batch = batch
  world.again = by.again ?? ((bay) => startBatch(world, fleet, { ...args, bays: [bay], recipe: { ...args.recipe, rolling: false } }))
  // A checkpoint that cannot be signed takes nothing from the log; the next one covers these entries too.
  world.checkpoint = batch.ended.then(() => world.keeper.sign())
  return batch.view()
}

async function openFile(world: World, path: string, purpose: FilePurpose): Promise<FileView | Failure> {
  const { desk } = world
  const file = await desk.files.open(path, purpose)
  if (failed(file)) return file
  if (purpose === 'image' && looksLikeZip(file.bytes)) return await zipFileView(world, file)
  return purpose === 'image' && looksLikePackage(file.bytes) ? await packageFileView(world, file) : await fileView(desk, file, purpose)
}

/** An archive opens to the images it brings; what is wrong with it is told as a problem of the file. */
async function zipFileView({ desk }: World, file: OpenedFile): Promise<FileView> {
  const opened = openUpdateZip(file.bytes)
  if (!failed(opened)) return await fileView(desk, desk.files.unpacked(file, opened), 'image')
  const { id, name, bytes, sha256 } = file
  return { file: id, name, bytes: bytes.length, sha256, image: null, problem: failureView(opened) }
}

/** A package opens to its image after the checks; the log notes either end. */
async function packageFileView(world: World, file: OpenedFile): Promise<FileView> {
  const unwrapped = await openPackageFile(file, { ...world, atMs: world.clock.wallMs() })
  return failed(unwrapped) ? refusedPackageView(world, file, unwrapped) : openedPackageView(world, file, unwrapped)
}

/** A package whose firmware key rests here, with that key's passphrase. A wrong one is noted, and the file stays as it was. */
async function unlockPackage(world: World, { file: id, passphrase }: CheckedArgsOf<'unlockPackage'>): Promise<FileView | Failure> {
  const file = world.desk.files.get(id)
  if (failed(file)) return file
  if (!looksLikePackage(file.bytes)) return new Failure('file-not-locked', `${file.name} is not locked: it is open already, or is no package.`)
  const unwrapped = await openPackageFile(file, { ...world, atMs: world.clock.wallMs() }, passphrase)
  if (!failed(unwrapped)) return openedPackageView(world, file, unwrapped)
  return unwrapped.kind === 'wrong-passphrase' ? world.log.refuse('open an encrypted package', unwrapped) : refusedPackageView(world, file, unwrapped)
}

function refusedPackageView({ log }: World, { id, name, bytes, sha256 }: OpenedFile, why: Failure): FileView {
  // A key that nobody has opened yet is no fault of the package.
  const noted = why.kind === 'firmware-key-locked' ? null : log.recordAct({ kind: 'package-refused', data: refusedEntry(name, bytes, why) }, 'operator')
  return { file: id, name, bytes: bytes.length, sha256, image: null, problem: failureView(failed(noted) ? noted : why), package: null }
}

function openedPackageView({ log }: World, { id, name, bytes, sha256 }: OpenedFile, { opened, image }: OpenedPackageFile): FileView {
  const noted = log.recordAct({ kind: 'package-opened', data: openedEntry(name, bytes, opened, { hash: image.view.hash, version: image.view.version }) }, 'operator')
  const { version, keyName: key } = image.view
  const of = image.view.signature === 'valid' && key !== null
    ? said('package-image-signed', `MCUboot image, version ${version}, signed with ${key}.`, { version, key })
    : said('package-image-unproven', `MCUboot image, version ${version}, its signature is not proven here.`, { version })
  return { file: id, name, bytes: bytes.length, sha256, image: image.view, problem: failed(noted) ? failureView(noted) : null, package: packageView(bytes, opened, [of, ...laidOut(image.view, opened.firmwareOffset)]) }
}

/** What an opened file is. Firmware that is no image yet is nothing wrong; an image that is none is told as a problem. */
async function fileView(desk: DeskWorld, file: OpenedFile, purpose: FilePurpose): Promise<FileView> {
  const { id, name, bytes, sha256 } = file
  const image = purpose === 'key' || purpose === 'text' || purpose === 'table' ? null : await imageOf(desk, file)
  return {
    file: id, name, bytes: bytes.length, sha256,
    image: image === null || failed(image) ? null : image.view,
    problem: purpose === 'image' && image !== null && failed(image) ? failureView(image) : null,
  }
}

async function verifyLog({ audit, clock, emit, log }: World): Promise<LogVerdictView | Failure> {
  const startedMs = clock.monotonicMs()
  const verdict = await audit.verify((done, total) => emit({ is: 'progress', what: 'verify', done, total }))
  if (failed(verdict)) return verdict
  const { holds, size, says, firstWrong } = verdict
  const root = toHex(verdict.root)
  const wrongs = verdict.wrongs.slice(0, 1).map(({ kind, seq }) => ({ kind, seq }))
  // The verdict stands whether or not it can be noted.
  log.recordAct({ kind: 'log-verified', data: { size, root, holds, says: says.slice(0, 1000), ...(firstWrong === null ? {} : { firstWrong }) } }, 'operator')
  return { holds, size, root, says, firstWrong, wrongs, seconds: (clock.monotonicMs() - startedMs) / 1000 }
}

function changeSettings(world: World, changes: Partial<SettingsView>, role: 'operator' | 'engineer'): SettingsView | Failure {
  const before = world.settings
  if (changes.person !== undefined && !world.people.isOpen) return new Failure('has-accounts', 'People have accounts here: the log names whoever is signed in, and nobody else can be set.')
  const after: SettingsView = { theme: changes.theme ?? before.theme, language: changes.language ?? before.language, person: changes.person ?? before.person, baudRate: changes.baudRate ?? before.baudRate }
  for (const name of ['theme', 'language', 'person', 'baudRate'] as const) {
    if (after[name] === before[name]) continue
    const noted = world.log.recordAct({ kind: 'settings', data: { name, before: `${before[name]}`, after: `${after[name]}` } }, role)
    if (failed(noted)) return noted
  }
  const written = writeSetting(world.audit.database, 'station', after)
  if (failed(written)) return written
  world.settings = after
  world.log.person = after.person
  return after
}
