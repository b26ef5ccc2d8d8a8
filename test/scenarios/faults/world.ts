// One simulated world from one seed, from its first bay to its last line in the log: boards and cables with their troubles,
// a station that may be killed and opened again, then everything is mended, the batch is run once more, and every promise is
// checked. `replay.ts` runs one seed alone; docs of the checks stand at each `wrong`.
import { rmSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { failed } from '../../../main/base/failure.ts'
import { toHex } from '../../../main/base/bytes.ts'
import type { RunView } from '../../../main/contract/views.ts'
import type { Entry } from '../../../main/log/entry.ts'
import { createBoard } from '../../../main/practice/board.ts'
import { seededNumbers } from '../../../main/practice/faults.ts'
import { testName } from '../../../main/line/selftest.ts'
import { listedOrPacked } from '../../../main/practice/package-place.ts'
import type { Slot, Slots } from '../../../main/practice/swap.ts'
import { openStation } from '../../../main/station/station.ts'
import type { Station } from '../../../main/station/station.ts'
import { databaseName } from '../../../main/store/database.ts'
import { Cable, PortNames } from './cable.ts'
import { WorldClock } from './clock.ts'
import { liar } from './lies.ts'
import { Life } from './life.ts'
import { scenarioOf } from './scenario.ts'
import type { BoardPlan, Scenario, StationTrouble, Trouble } from './scenario.ts'
import type { ImageName, Stock, Stocked } from './stock.ts'
import { Witness } from './witness.ts'
import type { Ended } from './witness.ts'

export type WorldReport = Readonly<{
  seed: number
  scenario: Scenario
  wrongs: readonly string[]
  /** Outcomes of all runs, in order, as `outcome` or `outcome kind`. */
  outcomes: readonly string[]
  /** Same for the same seed: log entries and timers that rang. */
  fingerprint: string
}>

const proofs = ['echo', 'active-hash', 'version'] as const
const selfTests = [
  { test: 'statistic', group: 'selftest', name: 'sensors_ok', min: 4, max: 4, timeoutMs: 3_000 },
  { test: 'os-info', format: 'sv', matches: 'Zephyr*', timeoutMs: 3_000 },
] as const
const unitData = [{ what: 'setting', name: 'unit/serial', value: '{serial}', secret: false }, { what: 'setting', name: 'unit/line', value: 'three', secret: false }] as const
/** Longest that a batch may take by the world's clock. */
const batchMsMax = 2 * 3_600_000
/** Real time for a whole world, of which most take a fortieth of a second. */
const realMsMax = 60_000

/** Runs the world of a seed to its end. Never throws for what goes wrong in it: that is in the report. */
export async function runWorld(seed: number, stock: Stock, onSight?: (line: string) => void): Promise<WorldReport> {
  const world = new World(scenarioOf(seed), stock)
  if (onSight !== undefined) world.witness.onSight = (line) => onSight(`${(world.nowMs / 1000).toFixed(3).padStart(9)}  ${line}`)
  try {
    await soonerThan(world.run(), realMsMax)
  } catch (error) {
    world.witness.wrong(`it threw: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  } finally {
    await world.clear()
  }
  return world.report()
}

/** A world that waits for something that never comes would otherwise stand still without a word. */
async function soonerThan(work: Promise<void>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it stands still: not over after ${limitMs / 1000} s`)), limitMs)
  })
  try {
    await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

class World {
  readonly scenario: Scenario
  readonly witness = new Witness()
  readonly #stock: Stock
  readonly #clock = new WorldClock()
  readonly #cables: Cable[] = []
  readonly #names = new PortNames()
  readonly #plans = new Map<Cable, BoardPlan>()
  readonly #draw: () => number
  readonly #homes: string[] = []
  /** What the world itself has planned on its clock. */
  readonly #planned = new Set<() => void>()
  readonly #undo: (() => void)[] = []
  #life: Life
  #station: Station | null = null
  #lives = 0
  #ids = 0
  #entries = 0
  #lastSeq = -1
  #outcomes: string[] = []
  /** What the batch under way brings. */
  #sent: ImageName = 'update'

  constructor(scenario: Scenario, stock: Stock) {
    this.scenario = scenario
    this.#stock = stock
    this.#draw = seededNumbers(scenario.seed ^ 0x5eed)
    this.#life = new Life(this.#clock, [])
  }

  /** The image of that name as it is made for these boards. */
  #imageOf(name: ImageName): Stocked {
    const { images } = this.#stock
    const inRam: Partial<Record<ImageName, ImageName>> = { factory: 'ramFactory', update: 'ramUpdate', other: 'ramOther', strange: 'ramStrange' }
    const { profile, kind, brought } = this.scenario
    const inside: Partial<Record<ImageName, ImageName>> = { factory: 'insideFactory', update: 'inside', strange: 'strangeInside' }
    if (brought === 'in-place') return images[inside[name] ?? name]
    if (profile.mode === 'ram-load') return images[inRam[name] ?? name]
    return kind === 'encrypted' && name === 'update' ? images.sealed : images[name]
  }

  #fileOf(name: ImageName): string {
    if (this.scenario.kind === 'two-images' && name === 'update') return this.#stock.bothFile
    const image = this.#imageOf(name)
    return name === 'update' || name === 'strange' ? this.#stock.fileOf(image, this.scenario.brought) : image.file
  }

  /** What a board may run once it has the update: where it is linked for each slot, either. */
  #isUpdate(hash: string | null): boolean {
    const { images } = this.#stock
    return this.scenario.brought === 'slots' ? hash === images.low.hash || hash === images.high.hash : hash === this.#imageOf('update').hash
  }

  get nowMs(): number {
    return this.#clock.monotonicMs()
  }

  report(): WorldReport {
    const { seed } = this.scenario
    return { seed, scenario: this.scenario, wrongs: this.witness.wrongs, outcomes: this.#outcomes, fingerprint: `${this.#entries} entries, ${this.#clock.rung} timers` }
  }

  async run(): Promise<void> {
    const { scenario } = this
    for (const [i, plan] of scenario.boards.entries()) this.#place(plan, i + 1)
    this.witness.onEnded = (ended) => this.#checkOutcome(ended)
    await this.#open(this.#stock.home())
    await this.#clock.wind(2_500)
    if (scenario.before !== null) await this.#batch('other', scenario.before)
    this.#letLoose()
    const troubled = await this.#batch(scenario.image, scenario.mode)
    this.#life.spare()
    // The kill may also have come with the very last words of the batch.
    if (this.#life.isDead) await this.#reopen()
    else if (troubled === 'ended') this.#checkAccounts()
    await this.#mend()
    await this.#recover()
    await this.#lastLook()
  }

  #place(plan: BoardPlan, bay: number): void {
    const { profile, usb, baud } = this.scenario
    const board = createBoard({ clock: this.#clock, profile, serial: plan.serial, trust: this.#stock.trust, check: this.#stock.check, firmware: this.#imageOf('factory').bytes, others: [this.#stock.images.radioFactory.bytes], secret: this.#stock.secret })
    const cable = new Cable(board, { bay, serial: plan.serial }, this.#clock, this.#draw, { baud, usb, names: this.#names })
    this.#cables.push(cable)
    this.#plans.set(cable, plan)
    this.witness.watch(cable, { raw: profile.framing === 'raw', overActive: profile.recovery !== null })
    board.powerOn()
  }

  async #open(home: string): Promise<void> {
    this.#homes.push(home)
    const life = new Life(this.#clock, this.#cables)
    this.#life = life
    const number = ++this.#lives
    await life.start()
    const station = await openStation({
      home, version: '0.0.0-test', clock: life.clock, ports: life, person: 'tester',
      newId: (kind) => `${kind}-${number}-${++this.#ids}`,
      nonce: () => `nonce-${++this.#ids}`,
      turn: (work) => void life.clock.after(0, work),
    })
    if (failed(station)) throw new Error(`the station does not open: ${station.says}`)
    this.#station = station
    const opening = station.audit.list({ limit: 100 })
    if (failed(opening)) throw new Error(opening.says)
    const entries = opening.flatMap(({ entry }) => (failed(entry) || entry.seq <= this.#lastSeq || this.#lives === 1 ? [] : [entry])).reverse()
    this.#see(entries)
    station.audit.onAppended((entries) => {
      if (life.isDead) return
      this.#see(entries)
      life.beat()
    })
  }

  #see(entries: readonly Entry[]): void {
    this.#entries += entries.length
    this.#lastSeq = entries.at(-1)?.seq ?? this.#lastSeq
    this.witness.logged(entries)
  }

  get #here(): Station {
    if (this.#station === null) throw new Error('no station is open')
    return this.#station
  }

  async #batch(image: ImageName, mode: Scenario['mode']): Promise<'ended' | 'killed' | 'refused'> {
    const station = this.#here
    const { tests, data } = this.scenario
    this.witness.expectProofs(tests ? [...proofs, ...selfTests.map(testName)] : proofs)
    this.#sent = image
    const opened = await station.openFile({ path: this.#fileOf(image), purpose: 'image' })
    if (failed(opened)) throw new Error(opened.says)
    const { brought } = this.scenario
    const send = (image === 'update' || image === 'strange') && (brought === 'unwrap' || brought === 'in-place') ? { send: brought === 'unwrap' ? 'whole' as const : brought } : {}
    const started = await station.startBatch({ file: opened.file, recipe: { mode, proofs: [...proofs], ...send, ...(tests ? { tests: [...selfTests] } : {}), ...(data ? { unitData: [...unitData] } : {}) } })
    if (this.#life.isDead) return 'killed'
    if (failed(started)) {
      // A package is proven with the same keys, and one that was not proven opens to no image.
      const withoutKeys = brought === 'package' || brought === 'unwrap' || brought === 'in-place' ? 'not-an-image' : 'unknown-key'
      const expected = started.kind === 'no-boards' || (started.kind === withoutKeys && this.scenario.station.some(({ is }) => is === 'key-gone'))
      if (!expected) this.witness.wrong(`the batch was refused: ${started.kind}: ${started.says}`)
      return 'refused'
    }
    const end = await this.#clock.settle(Promise.race([station.batchEnded().then(() => 'ended' as const), this.#life.killed.then(() => 'killed' as const)]), batchMsMax)
    return end
  }

  /** From here on the troubles of the scenario may strike. */
  #letLoose(): void {
    for (const cable of this.#cables) {
      const plan = this.#plans.get(cable)!
      cable.noise = plan.noise
      const { troubles } = plan
      for (const trouble of troubles) {
        if (trouble.is === 'hangs' || trouble.is === 'fails-proof') cable.board.setFault(trouble)
        if (trouble.is === 'lies') cable.lie = liar(trouble.lie, this.#draw, this.#imageOf('update').hash)
      }
      let from: number | null = null
      cable.onFrame = (count) => {
        from ??= count
        for (const trouble of troubles) if ('atFrame' in trouble && trouble.atFrame === count - from) this.#strike(cable, trouble)
        if (cable === this.#cables[0]) for (const trouble of this.scenario.station) if ('atFrame' in trouble && trouble.atFrame === count - from) this.#befall(trouble)
      }
      let firstDown: number | null = null
      cable.onDown = (count) => {
        firstDown ??= count
        const cut = troubles.find((trouble) => trouble.is === 'boot-cut' && trouble.boot === count - firstDown! + 1)
        // A firmware with a fault of its own gets as far as to show it; the cut is for the way back.
        if (cut?.is === 'boot-cut' && (cable.board.fault === null || cut.boot > 1)) cable.board.setFault({ is: 'power-cut', beforeStep: cut.beforeStep })
      }
    }
    for (const trouble of this.scenario.station) if (!('atFrame' in trouble)) this.#befall(trouble)
  }

  #strike(cable: Cable, trouble: Extract<Trouble, { atFrame: number }>): void {
    // Not in the middle of the board's own work, which asked for this frame.
    this.#after(0, () => {
      this.witness.onSight(`${cable.path}: ${Object.values(trouble).join(' ')}`)
      switch (trouble.is) {
        case 'unplug':
          cable.unplug()
          return this.#after(trouble.forMs, () => cable.plug())
        case 'power':
          cable.board.powerOff()
          return this.#after(trouble.forMs, () => cable.board.powerOn())
        case 'reset-pin':
          return cable.board.reset()
        case 'silence':
          return cable.silence(trouble.forMs, trouble.which)
        case 'stall':
          return cable.stall(trouble.forMs)
      }
    })
  }

  #befall(trouble: StationTrouble): void {
    const station = this.#here
    const { sql } = station.audit.database
    this.witness.onSight(`station: ${Object.values(trouble).join(' ')}`)
    switch (trouble.is) {
      case 'killed':
        return this.#life.killAfter(trouble.atBeat, () => {
          this.#homes.push(this.#stock.snapshot(station.home))
        })
      case 'stopped':
        return void station.stopBatch({})
      case 'disk-full':
        sql.pragma(`max_page_count = ${String(sql.pragma('page_count', { simple: true }))}`)
        return void this.#undo.push(() => sql.pragma('max_page_count = 1000000'))
      case 'database-busy': {
        sql.pragma('busy_timeout = 0')
        const other = new Database(join(station.home, databaseName))
        other.exec('BEGIN IMMEDIATE')
        return void this.#undo.push(() => other.close())
      }
      case 'key-gone': {
        const keys = join(station.home, 'keys')
        renameSync(keys, `${keys}-gone`)
        return void this.#undo.push(() => {
          rmSync(keys, { recursive: true, force: true })
          renameSync(`${keys}-gone`, keys)
        })
      }
      case 'log-key-gone': {
        const key = join(station.home, 'log-key.pem')
        renameSync(key, `${key}-gone`)
        return void this.#undo.push(() => {
          rmSync(key, { force: true })
          renameSync(`${key}-gone`, key)
        })
      }
    }
  }

  #after(delayMs: number, work: () => void): void {
    const cancel = this.#clock.after(delayMs, () => {
      this.#planned.delete(cancel)
      work()
    })
    this.#planned.add(cancel)
  }

  /** After a kill: some time passes, then another station finds what the first one left. */
  async #reopen(): Promise<void> {
    const left = this.#homes.pop()!
    const open = this.witness.openRuns.length
    this.witness.newLife()
    await this.#clock.wind(this.#draw() * 8_000)
    for (const undo of this.#undo.splice(0)) undo()
    this.#station?.audit.close()
    await this.#open(left)
    if (this.#here.closedRuns !== open) this.witness.wrong(`${open} runs were open at the kill, ${this.#here.closedRuns} were closed at the next start`)
    this.#checkAccounts()
    await this.#checkRuns()
  }

  /** Everything is put right again: cables, boards, disk, keys. */
  async #mend(): Promise<void> {
    this.#life.spare()
    for (const undo of this.#undo.splice(0)) undo()
    for (const cancel of this.#planned) cancel()
    this.#planned.clear()
    for (const cable of this.#cables) {
      cable.heal()
      cable.board.setFault(null)
      cable.unplug()
    }
    await this.#clock.wind(1_500)
    for (const cable of this.#cables) cable.plug()
    await this.#clock.wind(this.#bootMsMax)
  }

  /** A healthy line that loses a chunk now and then: every honest board must reach the goal, from wherever the troubles left it. */
  async #recover(): Promise<void> {
    for (const cable of this.#cables) {
      if (cable.board.running === null && this.scenario.profile.recovery === null) this.witness.wrong(`${cable.path} boots nothing any more`)
      cable.noise = { drop: 0.02, garble: this.scenario.profile.framing === 'raw' ? 0 : 0.01, double: 0.01, late: 0, chunksOnly: true }
    }
    const before = this.witness.ended.length
    this.witness.expectWholeUploads = !this.#isTooSlow
    if ((await this.#batch('update', 'test-and-confirm')) !== 'ended') return this.witness.wrong('the batch after the troubles did not run to its end')
    this.#checkAccounts()
    for (const cable of this.#cables) {
      const last = this.witness.ended.slice(before).findLast((each) => each.cable === cable)
      if (this.#isTooSlow) continue
      if (last === undefined) this.witness.wrong(`${cable.path} had no run on the mended line`)
      else if (last.outcome !== 'confirmed' && last.outcome !== 'unchanged') this.witness.wrong(`${cable.path}: on the mended line it ended as ${last.outcome} ${last.failure ?? ''}`)
      else if (!this.#isUpdate(last.activeHash)) this.witness.wrong(`${cable.path}: ended as ${last.outcome} on another image`)
    }
  }

  /** Its swap takes longer than anybody waits for a board: such a one cannot be brought to the goal, only be told truly. */
  get #isTooSlow(): boolean {
    return this.scenario.profile.timing.eraseSectorMs > 1_000
  }

  /** Longer than any boot takes on this flash, an interrupted swap included. */
  get #bootMsMax(): number {
    return 5_000 + 160 * this.scenario.profile.timing.eraseSectorMs
  }

  /** The outcome of an honest board against its flash, the moment it is logged. */
  #checkOutcome({ unit, cable, outcome, failure }: Ended): void {
    this.#outcomes.push(failure === null ? outcome : `${outcome} ${failure}`)
    if (failure === 'fault') this.witness.wrong(`${unit}: a fault in the station itself`)
    if (cable.lie !== null) return
    if (outcome === 'confirmed' || outcome === 'unchanged') {
      const why = this.#notKept(cable)
      if (why !== null) this.witness.wrong(`${unit} is called ${outcome}, and ${why}`)
    }
    if (outcome === 'uploaded' && !imagesIn(cable.board.slots).some(({ hash }) => this.#isNew(hash))) this.witness.wrong(`${unit} is called uploaded, and no slot of it holds an image that was sent`)
  }

  #isNew(hash: string): boolean {
    return Object.values(this.#stock.images).some((image) => !image.name.endsWith('actory') && image.hash === hash)
  }

  /** Why this board does not run a new image for good; null when it does. */
  #notKept({ board }: Cable): string | null {
    const { mode } = this.scenario.profile
    const inPlace = mode === 'direct-xip' || mode === 'direct-xip-revert' || mode === 'ram-load'
    const runs = imagesIn(board.slots).filter(({ hash, slot }) => this.#isNew(hash) && (inPlace || slot === board.slots.primary))
    const stays = ({ slot: { trailer } }: Held) => (mode !== 'direct-xip' && mode !== 'ram-load' && trailer.state().magic === 'good' ? trailer.state().imageOk === 'set' || mode === 'overwrite-only' : mode !== 'direct-xip-revert')
    if (!runs.some(stays)) return runs.length === 0 ? 'its flash holds no image that was sent' : 'its flash holds it on test'
    if (this.#sent !== 'update') return null
    for (const others of board.slots.others ?? []) {
      const radio = imagesIn(others).find(({ slot }) => slot === others.primary)
      if (radio?.hash !== this.#stock.images.radioUpdate.hash) return 'its other image is still the old one'
      if (!stays(radio)) return 'its other image is on test'
    }
    return null
  }

  #checkAccounts(): void {
    const open = this.witness.openRuns
    // Where the log gave out, its next start closes them; until then they are open in the log as they are in truth.
    const logGaveOut = this.scenario.station.some(({ is }) => is === 'disk-full' || is === 'database-busy')
    if (open.length > 0 && !logGaveOut) this.witness.wrong(`runs without an outcome: ${open.join(', ')}`)
    for (const cable of this.#cables) if (cable.isOpen) this.witness.wrong(`${cable.path} was left open`)
  }

  /** Runs as the station itself tells them from its log. */
  async #checkRuns(): Promise<void> {
    const runs = await this.#here.listRuns({ batch: null })
    if (failed(runs)) return this.witness.wrong(`runs cannot be listed: ${runs.says}`)
    for (const run of runs as RunView[]) {
      if (run.outcome === null) this.witness.wrong(`${run.board} (${run.run}) has no outcome in the log`)
      const open = run.steps.filter((step) => step.step === 'Upload').reduce((sum, step) => sum + (step.result === 'begun' ? 1 : -1), 0)
      if (open !== 0) this.witness.wrong(`${run.board} (${run.run}) has an upload without a result`)
    }
  }

  async #lastLook(): Promise<void> {
    await this.#checkRuns()
    const verdict = await this.#here.verifyLog({})
    if (failed(verdict)) this.witness.wrong(`the log cannot be verified: ${verdict.says}`)
    else if (!verdict.holds) this.witness.wrong(`the log does not hold: ${verdict.says}`)
    for (const cable of this.#cables) cable.board.reset()
    await this.#clock.wind(this.#bootMsMax)
    for (const cable of this.#cables) {
      const runs = cable.board.running
      if (runs === null) this.witness.wrong(`${cable.path} boots nothing after a last restart`)
      else if (!this.#isTooSlow && !this.#isUpdate(toHex(runs.hash))) this.witness.wrong(`${cable.path} runs ${runs.version} after a last restart`)
    }
    const life = this.#life
    await this.#here.close()
    this.#station = null
    if (life.clock.pending > 0) this.witness.wrong(`${life.clock.pending} timers are left`)
    if (life.listeners > 0) this.witness.wrong(`${life.listeners} listeners are left`)
    for (const cable of this.#cables) {
      if (cable.isOpen) this.witness.wrong(`${cable.path} was left open`)
      cable.close()
    }
    if (this.#clock.pending > 0) this.witness.wrong(`${this.#clock.pending} timers of the world are left`)
  }

  async clear(): Promise<void> {
    for (const undo of this.#undo.splice(0)) undo()
    this.#life.kill()
    this.#station?.audit.close()
    for (const cable of this.#cables) cable.close()
    for (const home of this.#homes.splice(0)) this.#stock.discard(home)
    await Promise.resolve()
  }
}

type Held = Readonly<{ slot: Slot; hash: string }>

/** What lies in both slots, as the server would list it. */
function imagesIn(slots: Slots): Held[] {
  return [slots.primary, slots.secondary].flatMap((slot) => {
    const { area } = slot
    // In swap-offset the second slot's image begins at its second sector.
    const listed = listedOrPacked(slot === slots.secondary && slots.layout === 'offset' ? area.from(area.sectorBytes) : area)
    return listed === null ? [] : [{ slot, hash: toHex(listed.hash) }]
  })
}
