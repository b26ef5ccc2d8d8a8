// Opens the archive of a bundle. It comes from outside, so sizes are counted before anything is inflated, names may not
// lead anywhere, and nothing is written to a disk. What another program would unpack is exactly what is checked here.
import { Failure } from '../base/failure.ts'
import { unzip } from '../base/unzip.ts'
import { bundleBytesMax, bundleFilesMax } from './layout.ts'

/** Files of a zip by name; fails with `bad-archive` or `archive-too-large`. */
export function unpack(zip: Uint8Array): Map<string, Uint8Array> | Failure {
  let [files, bytes] = [0, 0]
  const seen = new Set<string>()
  let wrong: Failure | null = null
  try {
    const unpacked = unzip(zip, ({ name, bytes: unpackedBytes }) => {
      files += 1
      bytes += unpackedBytes
      if (seen.has(name)) wrong ??= new Failure('bad-archive', `The archive has the file ${name.slice(0, 100)} twice.`)
      if (files > bundleFilesMax || bytes > bundleBytesMax) wrong ??= new Failure('archive-too-large', `The archive has more than ${bundleFilesMax} files or ${bundleBytesMax} bytes.`)
      if (/^\/|\\|(^|\/)\.\.?(\/|$)|^[A-Za-z]:/.test(name)) wrong ??= new Failure('bad-archive', `The archive holds a file with a name that leads outside: ${name.slice(0, 100)}`)
      seen.add(name)
      return wrong === null && !name.endsWith('/')
    }, true)
    return wrong ?? unpacked
  } catch {
    return wrong ?? new Failure('bad-archive', 'This is no zip archive, or it is damaged.')
  }
}
