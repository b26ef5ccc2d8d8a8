// The line: bays, the batch, the practice line and what the next batch will do. Rows come whole from the station and
// replace what was there; nothing here is computed from an earlier row.
import { defineStore } from 'pinia'
import { computed, reactive, ref, shallowRef } from 'vue'
import type { BatchView, BayView, FailureView, FileView, ImageView, PracticeView, ProofName, StationEvent, UpgradeMode } from '../../main/contract/views.ts'
import type { ArgsOf } from '../../main/contract/api.ts'
import { ask } from '../ask.ts'
import { useUnlocking } from './unlocking.ts'

/** What the line will write: a file the station holds open. */
export type Chosen = Readonly<{ file: string; name: string; bytes: number; sha256: string; image: ImageView | null; problem: FailureView | null; sample: boolean }>

const goodOutcomes = ['confirmed', 'unchanged', 'uploaded', 'tested'] as const
const badOutcomes = ['reverted', 'failed', 'stopped'] as const

/** Boards of a batch that ended as wanted, and those that did not. */
export function goodAndBad(counts: BatchView['counts']): { good: number; bad: number } {
  const sum = (names: readonly (keyof BatchView['counts'])[]) => names.reduce((total, name) => total + counts[name], 0)
  return { good: sum(goodOutcomes), bad: sum(badOutcomes) }
}

export const useLine = defineStore('line', () => {
  const bays = shallowRef<readonly BayView[]>([])
  const batch = shallowRef<BatchView | null>(null)
  const practice = shallowRef<PracticeView>({ status: 'off', boards: 0, baud: 0, folder: null, build: null })
  const loaded = ref(false)
  const failure = shallowRef<FailureView | null>(null)
  const asking = ref<'start' | 'stop' | 'choose' | 'practice' | null>(null)

  const chosen = shallowRef<Chosen | null>(null)
  const recipe = reactive<{ mode: UpgradeMode; allowDowngrade: boolean; quota: number | null; proofs: ProofName[]; stopAfterFailures: number | null; rolling: boolean; serials: { format: string } | undefined; send: 'image' | 'whole' | 'in-place'; hardware: string }>({
    mode: 'test-and-confirm', allowDowngrade: false, quota: null, proofs: ['echo', 'active-hash', 'version'], stopAfterFailures: null, rolling: false, serials: undefined, send: 'image', hardware: '',
  })

  /** The bay whose history is open beside the line. */
  const opened = ref<number | null>(null)

  const attached = computed(() => bays.value.filter((bay) => bay.board !== null).length)
  const running = computed(() => batch.value !== null && batch.value.status !== 'ended')
  /** The bays the next batch is for: the sample goes to practice boards only, and all else to real boards where there are any. */
  const target = computed(() => {
    const boards = bays.value.filter((bay) => bay.board !== null)
    const practising = boards.filter((bay) => bay.practice)
    const real = boards.filter((bay) => !bay.practice)
    const meant = chosen.value?.sample === true ? practising : real.length > 0 ? real : practising
    return { bays: meant.length === boards.length ? null : meant.map((bay) => bay.bay), count: meant.length, some: meant.length < boards.length }
  })
  const openedBay = computed(() => bays.value.find((bay) => bay.bay === opened.value) ?? null)

  function hear(event: StationEvent): void {
    if (event.is === 'bays') bays.value = [...event.bays].sort((a, b) => a.bay - b.bay)
    else if (event.is === 'bay') replaceBay(event.bay)
    else if (event.is === 'batch') batch.value = event.batch
    else if (event.is === 'practice') practice.value = event.practice
    if (event.is === 'practice' && event.practice.status === 'on' && (chosen.value === null || chosen.value.sample) && loaded.value) void takeSample()
  }

  function replaceBay(row: BayView): void {
    const at = bays.value.findIndex((bay) => bay.bay === row.bay)
    bays.value = at >= 0 ? bays.value.with(at, row) : [...bays.value, row].sort((a, b) => a.bay - b.bay)
  }

  async function load(): Promise<void> {
    const [rows, now, boards] = await Promise.all([ask('bays', {}), ask('batch', {}), ask('practice', {})])
    if (rows.ok) hear({ is: 'bays', bays: rows.value })
    if (now.ok) batch.value = now.value
    if (boards.ok) practice.value = boards.value
    failure.value = rows.ok ? (now.ok ? null : now.failure) : rows.failure
    loaded.value = true
    if (chosen.value === null) await takeSample()
  }

  function take(file: FileView, sample: boolean): void {
    chosen.value = { file: file.file, name: file.name, bytes: file.bytes, sha256: file.sha256, image: file.image, problem: file.problem, sample }
  }

  /** Puts the sample image on the line; a station without one is no failure, the line then starts empty. */
  async function takeSample(): Promise<void> {
    const reply = await ask('sampleFile', {})
    if (reply.ok) take(reply.value, true)
  }

  async function choose(): Promise<void> {
    asking.value = 'choose'
    const reply = await useUnlocking().chooseImage()
    asking.value = null
    failure.value = reply.ok ? null : reply.failure
    if (reply.ok && reply.value !== null) take(reply.value, false)
  }

  async function start(): Promise<void> {
    if (chosen.value === null || asking.value !== null) return
    asking.value = 'start'
    const reply = await ask('startBatch', { file: chosen.value.file, recipe: orderOf(recipe), bays: target.value.bays })
    asking.value = null
    failure.value = reply.ok ? null : reply.failure
    if (reply.ok) batch.value = newer(batch.value, reply.value)
  }

  async function stop(): Promise<void> {
    asking.value = 'stop'
    const reply = await ask('stopBatch', {})
    asking.value = null
    failure.value = reply.ok ? null : reply.failure
  }

  async function startPractice(args: ArgsOf<'startPractice'>): Promise<FailureView | null> {
    asking.value = 'practice'
    const reply = await ask('startPractice', args)
    asking.value = null
    if (!reply.ok) return reply.failure
    practice.value = reply.value
    failure.value = null
    return null
  }

  async function stopPractice(): Promise<FailureView | null> {
    asking.value = 'practice'
    const reply = await ask('stopPractice', {})
    asking.value = null
    if (!reply.ok) return reply.failure
    practice.value = reply.value
    return null
  }

  return {
    bays, batch, practice, loaded, failure, asking, chosen, recipe, opened, openedBay, attached, target, running,
    hear, load, take, takeSample, choose, start, stop, startPractice, stopPractice,
  }
})

/** The reply to Start and the batch's own events race; the later event of the same batch stays. */
function newer(known: BatchView | null, reply: BatchView): BatchView {
  return known !== null && known.id === reply.id ? known : reply
}

/** The recipe as the station takes it: plain data, without what is not asked for. */
function orderOf({ serials, proofs, send, hardware, ...recipe }: { mode: UpgradeMode; allowDowngrade: boolean; quota: number | null; proofs: ProofName[]; stopAfterFailures: number | null; rolling: boolean; serials: { format: string } | undefined; send: 'image' | 'whole' | 'in-place'; hardware: string }): ArgsOf<'startBatch'>['recipe'] {
  return { ...recipe, proofs: [...proofs], ...(serials === undefined ? {} : { serials: { format: serials.format } }), ...(send === 'image' ? {} : { send }), ...(hardware === '' ? {} : { hardware }) }
}
