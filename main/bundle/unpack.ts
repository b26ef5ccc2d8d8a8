// Opens the archive of a bundle. It comes from outside, so sizes are counted before anything is inflated, names may not
// lead anywhere, and nothing is written to a disk.
// The browser's build also on Node: the other one declares a `require` of its own, which the bundler's collides with.
import { unzipSync } from 'fflate/browser'
import { Failure } from '../base/failure.ts'
import { bundleBytesMax, bundleFilesMax } from './layout.ts'

/** Files of a zip by name; fails with `bad-archive` or `archive-too-large`. */
export function unpack(zip: Uint8Array): Map<string, Uint8Array> | Failure {
  let [files, bytes] = [0, 0]
  const seen = new Set<string>()
  let wrong: Failure | null = null
  try {
    const unpacked = unzipSync(zip, {
      filter({ name, originalSize }) {
        files += 1
        bytes += originalSize
        if (seen.has(name)) wrong ??= new Failure('bad-archive', `The archive has the file ${name} twice.`)
        if (files > bundleFilesMax || bytes > bundleBytesMax) wrong ??= new Failure('archive-too-large', `The archive has more than ${bundleFilesMax} files or ${bundleBytesMax} bytes.`)
        if (/^\/|\\|(^|\/)\.\.?(\/|$)|^[A-Za-z]:/.test(name)) wrong ??= new Failure('bad-archive', `The archive holds a file with a name that leads outside: ${name.slice(0, 100)}`)
        seen.add(name)
        return wrong === null && !name.endsWith('/')
      },
    })
    return wrong ?? new Map(Object.entries(unpacked))
  } catch {
    return wrong ?? new Failure('bad-archive', 'This is no zip archive, or it is damaged.')
  }
}
