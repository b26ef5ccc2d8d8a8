// What a factory's own system may ask over HTTP: what goes on, start by a released recipe, stop. Every answer has the form
// that resources/openapi.json states. The calls are the contract's, made as an operator: nothing here can do more than the
// person at the line, and a recipe that is not released, or a file that it does not name, starts nothing.
import { basename, join } from 'node:path'
import { z } from 'zod'
import { Failure, failed } from '../base/failure.ts'
import type { StationApi } from '../contract/api.ts'
import type { BatchView, BayView } from '../contract/views.ts'
import document from '../../resources/openapi.json'

export type Answer = Readonly<{ status: number; body: unknown }>

export type RouteWorld = Readonly<{
  api: StationApi
  /** Where images lie that may be started; clients name files in it, never paths. */
  folder: string
}>

type Route = Readonly<{ method: 'GET' | 'POST'; path: string; body: z.ZodType | null; answer(world: RouteWorld, body: unknown): Promise<Answer | Failure> }>

const startBody = z.strictObject({
  /** Its name, or its id. */
  recipe: z.string().min(1).max(120),
  file: z.string().min(1).max(200).optional(),
  quota: z.number().int().min(1).max(1_000_000).optional(),
  bays: z.array(z.number().int().min(1).max(1024)).min(1).max(1024).optional(),
})
const emptyBody = z.strictObject({})

export const routes: readonly Route[] = [
  { method: 'GET', path: '/v1/openapi.json', body: null, answer: () => Promise.resolve({ status: 200, body: document }) },
  { method: 'GET', path: '/v1/status', body: null, answer: status },
  { method: 'GET', path: '/v1/recipes', body: null, answer: recipes },
  { method: 'GET', path: '/v1/batch', body: null, answer: batch },
  { method: 'POST', path: '/v1/batch', body: startBody, answer: (world, body) => start(world, body as z.output<typeof startBody>) },
  { method: 'POST', path: '/v1/batch/stop', body: emptyBody, answer: stop },
]

async function status({ api }: RouteWorld): Promise<Answer | Failure> {
  const [about, now, bays] = [await api.about({}), await api.batch({}), await api.bays({})]
  if (failed(about)) return about
  if (failed(now)) return now
  if (failed(bays)) return bays
  return { status: 200, body: { name: about.name, version: about.version, batch: now === null ? null : batchState(now), bays: bays.map(bayState) } }
}

async function recipes({ api }: RouteWorld): Promise<Answer | Failure> {
  const listed = await api.listRecipes({})
  if (failed(listed)) return listed
  const released = listed.filter(({ state, problem }) => state === 'released' && problem === null)
  return { status: 200, body: { recipes: released.map(({ id, name, revision, files, notes }) => ({ id, name, revision, notes, files: files.map(({ name: file, sha256, version }) => ({ name: file, sha256, version })) })) } }
}

async function batch({ api }: RouteWorld): Promise<Answer | Failure> {
  const now = await api.batch({})
  if (failed(now)) return now
  return now === null ? new Failure('no-batch', 'No batch has been started since the station was opened.') : { status: 200, body: batchState(now) }
}

async function stop({ api }: RouteWorld): Promise<Answer | Failure> {
  const stopped = await api.stopBatch({})
  if (failed(stopped)) return stopped
  return stopped === null ? new Failure('no-batch', 'No batch has been started since the station was opened.') : { status: 200, body: batchState(stopped) }
}

async function start({ api, folder }: RouteWorld, { recipe: wanted, file, quota, bays }: z.output<typeof startBody>): Promise<Answer | Failure> {
  const listed = await api.listRecipes({})
  if (failed(listed)) return listed
  const same = (text: string) => text.trim().toLowerCase() === wanted.trim().toLowerCase()
  const found = listed.find(({ id, name, state }) => state === 'released' && (id === wanted || same(name)))
  if (found === undefined) return new Failure('no-such-recipe', 'There is no released recipe of that name. GET /v1/recipes lists those that can be started.')
  const names = found.files.map(({ name }) => name)
  const chosen = file ?? (names.length === 1 ? names[0] : undefined)
  if (chosen === undefined) return new Failure('names-no-file', `The recipe is for ${names.length} files: say which in "file".`)
  // The name must be one that the recipe itself has, and one folder holds them all: no path of a client reaches the disk.
  if (!names.includes(chosen) || basename(chosen) !== chosen || chosen.includes('\\') || chosen.startsWith('.')) return new Failure('file-not-in-recipe', 'The recipe names no file of that name. GET /v1/recipes lists its files.')
  const opened = await api.openFile({ path: join(folder, chosen), purpose: 'image' })
  if (failed(opened)) return opened.kind === 'no-such-file' ? new Failure('no-such-file', `The station has no "${chosen}" among the images that may be started from outside. Put it into its folder first.`) : opened
  if (opened.problem !== null) return new Failure(opened.problem.kind, opened.problem.says)
  const started = await api.startReleased({ recipe: found.id, file: opened.file, quota: quota ?? null, bays: bays ?? null })
  return failed(started) ? started : { status: 201, body: batchState(started) }
}

function batchState({ id, status: how, recipe, image, boards, counts, startedAt, endedAt, seconds, because }: BatchView): unknown {
  return { id, status: how, recipe: recipe.name, version: image.version, imageHash: image.hash, boards, counts, startedAt, endedAt, seconds, because: because === null ? null : { kind: because.kind, says: because.says } }
}

function bayState({ bay, board, phase, says, outcome, runningVersion }: BayView): unknown {
  return { bay, board, phase, says, outcome, runningVersion }
}

const statusOf: Readonly<Record<string, number>> = {
  'bad-arguments': 400, 'bad-body': 400, 'no-token': 401, 'refused-host': 403, 'refused-browser': 403, 'role-missing': 403, 'not-signed-in': 403, 'no-such-path': 404, 'no-such-recipe': 404, 'no-batch': 404, 'no-such-file': 404,
  'wrong-method': 405, 'body-too-long': 413, 'not-json': 415, 'too-fast': 429, 'station-fault': 500, 'database-locked': 503, 'disk-full': 503, 'disk-error': 503,
}

/** The answer that a failure is: the station said no (409) where nothing else is stated. */
export function failureAnswer({ kind, says }: Failure): Answer {
  return { status: statusOf[kind] ?? 409, body: { failure: { kind, says } } }
}
