// Where releases lie: a folder, or an address over HTTP. Both give bytes that nobody trusts until the note's signature and
// the file's hash have been checked; here they are only bounded, in length and in time. A transfer that broke off goes on
// from where it stood (HTTP ranges), and is hashed as a whole in the end.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { realClock } from '../base/clock.ts'
import type { Clock } from '../base/clock.ts'
import { Failure, failed } from '../base/failure.ts'
import { releaseBytesMax, releaseFile } from '../release/manifest.ts'
import type { ReleaseFile } from '../release/manifest.ts'

/** A source that sends nothing for so long is given up. */
const silenceMs = 30_000

type Bytes = AsyncIterable<Uint8Array>
type Opened = Readonly<{ from: number; bytes: Bytes; close(): void }>

const isAddress = (source: string): boolean => /^https?:\/\//.test(source)
const noSource = (source: string, why: string): Failure => new Failure('no-release-source', `The releases in ${source} cannot be read: ${why}. Check the network or the folder, and the setting.`)

/** The signed note of the newest release there. Kind `no-release-source`. */
export async function readReleaseNote(source: string, clock: Clock = realClock): Promise<string | Failure> {
  const parts: Uint8Array[] = []
  let length = 0
  const done = await eachPart(source, releaseFile, 0, clock, {
    take(part) {
      length += part.length
      parts.push(part)
      return length <= releaseBytesMax ? null : noSource(source, `its ${releaseFile} is longer than any release note`)
    },
  })
  return done ?? Buffer.concat(parts).toString('utf8')
}

/**
 * Fetches the file into `folder` and gives its path; what an earlier attempt left there is gone on from. `onProgress` gets
 * the bytes there so far. Kinds: `no-release-source`, `wrong-file`, `cannot-keep-release`.
 */
export async function fetchReleaseFile(source: string, file: ReleaseFile, folder: string, onProgress: (bytes: number) => void, clock: Clock = realClock): Promise<string | Failure> {
  const target = join(folder, file.name)
  const part = `${target}.part`
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    if (await isWhole(target, file)) return target
    const wrong = await fillPart(source, file, folder, part, onProgress, clock)
    if (wrong !== null) return wrong
    if (!(await isWhole(part, file))) {
      await rm(part, { force: true })
      return new Failure('wrong-file', `${file.name} from ${source} is not the file that the release names: its SHA-256 differs. It was thrown away; ask whoever publishes the releases.`)
    }
    await rename(part, target)
    return target
  } catch (error) {
    return cannotKeep(folder, error)
  }
}

function cannotKeep(folder: string, error: unknown): Failure {
  return new Failure('cannot-keep-release', `The release cannot be kept in ${folder}: ${codeOf(error)}. Make room there or have its permissions changed.`)
}

async function fillPart(source: string, file: ReleaseFile, folder: string, part: string, onProgress: (bytes: number) => void, clock: Clock): Promise<Failure | null> {
  const there = await stat(part).then(({ size }) => size, () => 0)
  const handle = await open(part, there > 0 && there < file.bytes ? 'r+' : 'w', 0o600)
  let at = there < file.bytes ? there : 0
  try {
    const wrong = await eachPart(source, file.name, at, clock, {
      async begin(from) {
        // A server that knows no ranges begins anew.
        at = from
        await handle.truncate(from)
      },
      async take(bytes) {
        if (at + bytes.length > file.bytes) return new Failure('wrong-file', `${file.name} from ${source} is longer than the release says. Ask whoever publishes the releases.`)
        const kept = await handle.write(bytes, 0, bytes.length, at).catch((error: unknown) => cannotKeep(folder, error))
        if (failed(kept)) return kept
        at += bytes.length
        onProgress(at)
        return null
      },
    })
    await handle.sync()
    return wrong
  } finally {
    await handle.close()
  }
}

/** True when the file is there, as long as the release says, and has its hash. */
export async function isWhole(path: string, { bytes, sha256 }: Pick<ReleaseFile, 'bytes' | 'sha256'>): Promise<boolean> {
  const size = await stat(path).then((found) => found.size, () => -1)
  if (size !== bytes) return false
  const hash = createHash('sha256')
  for await (const part of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(part as Uint8Array)
  return hash.digest('hex') === sha256
}

/** Who takes the parts: `begin` hears where they begin when that is not where they were asked from. */
type Taker = Readonly<{ begin?(from: number): Promise<void>; take(part: Uint8Array): Failure | null | Promise<Failure | null> }>

/** Hands each part on until the source ends or the taker answers with a failure. */
async function eachPart(source: string, name: string, from: number, clock: Clock, taker: Taker): Promise<Failure | null> {
  const stop = new AbortController()
  let cancel = clock.after(silenceMs, () => stop.abort())
  let opened: Opened | null = null
  try {
    const found = isAddress(source) ? await openAddress(source, name, from, stop.signal) : openInFolder(source, name, from)
    if (failed(found)) return found
    opened = found
    if (opened.from !== from) await taker.begin?.(opened.from)
    for await (const part of opened.bytes) {
      cancel()
      cancel = clock.after(silenceMs, () => stop.abort())
      const wrong = await taker.take(part)
      if (wrong !== null) return wrong
    }
    return null
  } catch (error) {
    if (stop.signal.aborted) return noSource(source, `nothing came for ${silenceMs / 1000} seconds`)
    return noSource(source, whyOf(codeOf(error)))
  } finally {
    cancel()
    opened?.close()
  }
}

function openInFolder(folder: string, name: string, from: number): Opened {
  const stream = createReadStream(join(folder, name), { start: from, highWaterMark: 1 << 20 })
  return { from, bytes: stream as Bytes, close: () => stream.destroy() }
}

async function openAddress(source: string, name: string, from: number, signal: AbortSignal): Promise<Opened | Failure> {
  const address = new URL(name, source.endsWith('/') ? source : `${source}/`)
  // What is redirected elsewhere is not the place that the owner set.
  const answer = await fetch(address, { redirect: 'error', signal, headers: from > 0 ? { Range: `bytes=${from}-` } : {} })
  const close = () => void answer.body?.cancel().catch(() => undefined)
  if (answer.status !== 200 && answer.status !== 206) {
    close()
    return noSource(source, `the server answers ${answer.status} for ${name}`)
  }
  if (answer.body === null) return noSource(source, `the server sends nothing for ${name}`)
  const begins = answer.status === 206 && answer.headers.get('content-range')?.startsWith(`bytes ${from}-`) === true ? from : 0
  if (answer.status === 206 && begins !== from) {
    close()
    return noSource(source, 'the server sends another part than was asked for')
  }
  return { from: begins, bytes: answer.body as unknown as Bytes, close }
}

/** Of houses that have an authority of their own, which Electron does not know of; nothing here rests on who serves the file. */
const unknownAuthority = /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|UNABLE_TO_VERIFY_LEAF_SIGNATURE)$/

function whyOf(code: string): string {
  if (!unknownAuthority.test(code)) return code
  return `its certificate comes from an authority that this program does not know (${code}). A folder or an address with http: is as good, since only what the publisher signed is taken`
}

function codeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (!(cause instanceof Error)) return 'it broke off'
  return 'code' in cause ? String(cause.code) : cause.message.slice(0, 200)
}

export const folderOfUpdates = (home: string): string => join(home, 'updates')
