// What the log knows of firmware packages: which unit confirmed which image, and which package that image came in. A
// unit's confirmations are found by the unit's index; openings are walked once, however many there are, so that an old
// one that declared versions stale still counts (RFC 4108 §2.2.3: what was stale stays stale).
import type { Failure } from '../base/failure.ts'
import { failed } from '../base/failure.ts'
import { parseEntry } from '../log/entry.ts'
import type { Entry } from '../log/entry.ts'
import { diskFailure } from './database.ts'
import type { OpenDatabase } from './database.ts'

/** A package as the log has it; versions as decimal text. */
export type LoggedPackage = Readonly<{ name: string; version: string | null; stale: string | null; needs: string | null }>

/** Packages by the hash of the image they brought, oldest opening first. Each distinct package counts once. */
export type PackagesByImage = ReadonlyMap<string, readonly LoggedPackage[]>

/** All packages that were ever opened here. Fails as the disk does. */
export function packagesOpened({ sql, path }: OpenDatabase): PackagesByImage | Failure {
  const found = new Map<string, Map<string, LoggedPackage>>()
  try {
    for (const bytes of sql.prepare("SELECT bytes FROM entries WHERE kind = 'package-opened' ORDER BY seq").pluck().iterate() as Iterable<Uint8Array>) {
      const entry = parseEntry(bytes)
      if (failed(entry)) continue
      const [image, name] = [textIn(entry, 'imageHash'), textIn(entry, 'packageName')]
      if (image === null || name === null) continue
      const one: LoggedPackage = { name, version: textIn(entry, 'packageVersion'), stale: textIn(entry, 'stale'), needs: textIn(entry, 'needs') }
      const ofImage = found.get(image) ?? new Map<string, LoggedPackage>()
      ofImage.set(JSON.stringify(one), one)
      found.set(image, ofImage)
    }
  } catch (error) {
    return diskFailure(error, path)
  }
  return new Map([...found].map(([image, packages]) => [image, [...packages.values()]]))
}

/**
 * Hashes of the images that the unit has had for good, oldest first: confirmed, or found there confirmed already. One that
 * it confirmed again counts at its latest place.
 */
export function confirmedOn({ sql, path }: OpenDatabase, unit: string): string[] | Failure {
  const hashes = new Set<string>()
  try {
    for (const bytes of sql.prepare("SELECT bytes FROM entries WHERE unit = ? AND kind IN ('confirmed', 'outcome') ORDER BY seq").pluck().iterate(unit) as Iterable<Uint8Array>) {
      const entry = parseEntry(bytes)
      const hash = failed(entry) || (entry.kind === 'outcome' && textIn(entry, 'outcome') !== 'unchanged') ? null : textIn(entry, 'activeHash')
      if (hash === null) continue
      hashes.delete(hash)
      hashes.add(hash)
    }
  } catch (error) {
    return diskFailure(error, path)
  }
  return [...hashes]
}

function textIn(entry: Entry, field: string): string | null {
  const value = Object.hasOwn(entry.data, field) ? entry.data[field] : null
  return typeof value === 'string' ? value : null
}
