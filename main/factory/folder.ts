// Events as files: one each, whole or not there (written beside, flushed, renamed, the folder flushed), named so that they
// sort in the order of the log. Sent twice, an event takes its own place again. A folder that nobody empties is not filled
// without end: beyond a number of files the events wait in the log. Nor is it made where it is gone: behind a share that is
// not mounted nobody would look for them.
import { open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../base/failure.ts'
import type { FactoryEvent, Sink } from './event.ts'

/** No more event files than this lie in a folder. */
export const eventFilesMax = 10_000
/** The files are counted once for so many that are written. */
const countEvery = 100

export function fileNameOf({ entry, type, id }: FactoryEvent): string {
  return `${String(entry).padStart(12, '0')}-${type.replace('.', '-')}-${id.replace(/[^0-9a-z]/g, '').slice(-16)}.json`
}

export function openFolder(folder: string, filesMax = eventFilesMax): Sink {
  let left = 0
  return {
    async deliver(event) {
      try {
        if (left <= 0) {
          const there = (await readdir(folder)).filter((name) => name.endsWith('.json')).length
          if (there >= filesMax) return new Failure('receiver-away', `${folder} holds ${there} events that nobody has fetched. Have them fetched; the next ones wait.`)
          left = Math.min(countEvery, filesMax - there)
        }
        await writeWhole(folder, fileNameOf(event), `${JSON.stringify(event)}\n`)
        left -= 1
        return null
      } catch (error) {
        left = 0
        return new Failure('receiver-away', `Events cannot be written to ${folder}: ${codeOf(error)}. Look at the folder and its permissions; the events wait.`)
      }
    },
    close: () => undefined,
  }
}

async function writeWhole(folder: string, name: string, text: string): Promise<void> {
  const beside = join(folder, `.${name}.new`)
  try {
    // Never through a link that somebody else laid there: the folder is often shared.
    await rm(beside, { force: true })
    const file = await open(beside, 'wx', 0o640)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(beside, join(folder, name))
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined)
    throw error
  }
  if (process.platform === 'win32') return // Windows flushes no folders; NTFS journals the name itself.
  const place = await open(folder, 'r')
  try {
    await place.sync()
  } finally {
    await place.close()
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'it did not work'
}
