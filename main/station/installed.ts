// What a board has had, by the log's word, and what a package therefore asks of it before it gets the image: hardware and
// list (RFC 4108 §2.2.4 and §2.2.8), stale versions (§2.2.3), packages that need each other (§2.2.10).
import { utf8 } from '../base/bytes.ts'
import { attempt, failed } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import type { PackageName } from '../cms/attributes.ts'
import { checkLoader } from '../cms/loader.ts'
import type { InstalledPackage, LoaderFacts } from '../cms/loader.ts'
import type { OpenedPackage } from '../cms/package.ts'
import type { AuditStore } from '../store/audit.ts'
import { confirmedOn, packagesOpened } from '../store/packages.ts'
import type { LoggedPackage, PackagesByImage } from '../store/packages.ts'

/** The packages a unit has: each image it confirmed that came out of one; of one name the latest, its stale versions of all. */
export function installedOn(audit: AuditStore, unit: string, opened: PackagesByImage | Failure = packagesOpened(audit.database)): InstalledPackage[] | Failure {
  if (failed(opened)) return opened
  const confirmed = confirmedOn(audit.database, unit)
  if (failed(confirmed)) return confirmed
  const byName = new Map<string, InstalledPackage>()
  for (const hash of confirmed) {
    for (const one of opened.get(hash) ?? []) {
      if (one.version === null) continue
      const before = byName.get(one.name)?.staleVersion ?? null
      const stale = one.stale === null ? null : BigInt(one.stale)
      const dependencies = needsIn(one)
      byName.set(one.name, {
        name: { id: one.name, version: BigInt(one.version) }, staleVersion: before === null || (stale !== null && stale > before) ? stale : before,
        ...(dependencies.length === 0 ? {} : { dependencies }),
      })
    }
  }
  return [...byName.values()]
}

function needsIn({ needs }: LoggedPackage): PackageName[] {
  return (needs ?? '').split(' ').flatMap((word) => {
    const [, id = '', version = ''] = /^([0-9.]+):([0-9]+)$/.exec(word) ?? []
    return id === '' ? [] : [{ id, version: BigInt(version) }]
  })
}

/** What a loader on that unit would know. */
export function loaderFactsFor(unit: string | null, hardwareType: string | null, communities: readonly string[], installed: readonly InstalledPackage[]): LoaderFacts {
  return { hardwareType, serial: unit === null ? null : utf8(unit), communities, installed }
}

/** What a package asks of each board before it gets the image: its hardware, its place on the list, what it has had before. */
export function admitter(audit: AuditStore, { attributes }: OpenedPackage, recipe: Readonly<{ hardware?: string | undefined; communities?: readonly string[] | undefined }>): (board: Readonly<{ unit: string }>) => Failure | null {
  // What was opened up to the batch's start; a run of this very batch adds nothing that could matter to another unit.
  const opened = packagesOpened(audit.database)
  return ({ unit }) => {
    const installed = installedOn(audit, unit, opened)
    if (failed(installed)) return installed
    const refused = attempt(() => checkLoader(attributes, loaderFactsFor(unit, recipe.hardware ?? null, recipe.communities ?? [], installed)))
    return failed(refused) ? refused : null
  }
}
