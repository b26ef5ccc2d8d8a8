// What a boot loader must ask of a package that is genuine, before it takes it (RFC 4108 §1.2.3, §2.2): is it for this
// hardware, for this unit, not outdated, and do the packages it needs and those that need others stay satisfied? A unit
// whose serial number or communities are not known counts as on no list (§2.2.8).
import { compareEncodings } from './der.ts'
import { bytesWords, nameWords, sameLine } from './attributes.ts'
import type { Community, PackageName, SerialEntry, SignedAttributes } from './attributes.ts'
import { refuseLoad } from './errors.ts'

/** One package that a unit has, by its own or the log's word. */
export type InstalledPackage = Readonly<{
  name: PackageName
  /** The highest stale version that any package of this line has brought; null when none has. */
  staleVersion?: bigint | null
  dependencies?: readonly PackageName[]
}>

/** What is known of the unit. */
export type LoaderFacts = Readonly<{
  /** Hardware type; null when the board's profile names none: then targetHardwareIDs are not compared. */
  hardwareType: string | null
  serial?: Uint8Array | null
  communities?: readonly string[]
  /** Package types taken; absent: any. */
  packageTypes?: readonly bigint[]
  installed?: readonly InstalledPackage[]
  /** Room for the firmware, bytes; absent: not compared. */
  memoryBytes?: number
  /** Legacy names and stale versions have no order of their own: whether the first is no newer than the second. */
  isLegacyStale?: (name: Uint8Array, stale: Uint8Array) => boolean
}>

/** All questions that need no firmware; refuses with the code. Only below `attempt`. */
export function checkLoader(attributes: SignedAttributes, facts: LoaderFacts): void {
  const { firmwarePackageID, targetHardwareIDs = [], communityIdentifiers, firmwarePackageInfo } = attributes
  if (facts.hardwareType !== null && !targetHardwareIDs.includes(facts.hardwareType)) {
    refuseLoad('wrongHardware', `The package is made for the hardware ${targetHardwareIDs.slice(0, 4).join(', ')}; this board is ${facts.hardwareType}. Take the package for this board.`, { hardware: facts.hardwareType })
  }
  if (communityIdentifiers !== undefined && !communityIdentifiers.some((one) => isMember(one, facts))) {
    refuseLoad('notInCommunity', `The package is limited to certain units, and this one${facts.serial === undefined || facts.serial === null ? '' : ` (${bytesWords(facts.serial)})`} is not among them${facts.hardwareType === null ? ', as long as nobody says of which hardware type it is' : ''}.`)
  }
  const type = firmwarePackageInfo?.type ?? null
  if (type !== null && facts.packageTypes !== undefined && !facts.packageTypes.includes(type)) refuseLoad('unsupportedPackageType', `The package is of type ${type}; this board takes ${facts.packageTypes.join(', ') || 'none'}.`)
  if (firmwarePackageID === undefined) refuseLoad('badSignedAttrs', 'The signed attribute firmwarePackageID is missing.')
  checkStale(firmwarePackageID.name, facts)
  checkDependencies(firmwarePackageID.name, firmwarePackageInfo?.dependencies ?? [], facts.installed ?? [])
}

/** Whether the firmware fits; refuses with insufficientMemory. Only below `attempt`. */
export function checkMemory(firmwareBytes: number, facts: LoaderFacts): void {
  if (facts.memoryBytes !== undefined && firmwareBytes > facts.memoryBytes) {
    refuseLoad('insufficientMemory', `The firmware has ${firmwareBytes} bytes; this board has room for ${facts.memoryBytes}.`, { bytes: firmwareBytes, bytesMax: facts.memoryBytes })
  }
}

function isMember(community: Community, { hardwareType, serial = null, communities = [] }: LoaderFacts): boolean {
  if ('community' in community) return communities.includes(community.community)
  if (community.hardware !== hardwareType) return false
  return community.serials.some((entry) => entry.is === 'all' || (serial !== null && holdsSerial(entry, serial)))
}

function holdsSerial(entry: Exclude<SerialEntry, { is: 'all' }>, serial: Uint8Array): boolean {
  if (entry.is === 'single') return compareSerials(entry.serial, serial) === 0
  return compareSerials(entry.low, serial) <= 0 && compareSerials(serial, entry.high) <= 0
}

/** Shorter first, then byte by byte: the RFC leaves the order open, and this one is right for numbers and for `PB-0001` alike. */
export function compareSerials(a: Uint8Array, b: Uint8Array): number {
  return a.length === b.length ? compareEncodings(a, b) : a.length - b.length
}

function checkStale(name: PackageName, { installed = [], isLegacyStale }: LoaderFacts): void {
  const earlier = installed.find((one) => sameLine(one.name, name))
  if ('legacy' in name) {
    // Two legacy names have no order unless the caller knows one; the very same name is no step back.
    if (isLegacyStale !== undefined && installed.some((one) => 'legacy' in one.name && isLegacyStale(name.legacy, one.name.legacy))) {
      refuseLoad('stalePackage', `The package ${nameWords(name)} is older than what the unit was told is stale.`)
    }
    return
  }
  const stale = earlier?.staleVersion ?? null
  if (stale !== null && name.version <= stale) {
    refuseLoad('stalePackage', `The package is version ${name.version} of ${name.id}, and everything up to version ${stale} was declared stale by a package this unit has had. Take a newer package.`, { version: Number(name.version), stale: Number(stale) })
  }
}

function checkDependencies(name: PackageName, needs: readonly PackageName[], installed: readonly InstalledPackage[]): void {
  for (const need of needs) {
    const there = installed.find((one) => sameLine(one.name, need))
    if (there === undefined) refuseLoad('missingDependency', `The package needs ${nameWords(need)}, which is not installed. Install that first.`)
    if (!satisfies(there.name, need)) refuseLoad('wrongDependencyVersion', `The package needs ${nameWords(need)}; installed is ${nameWords(there.name)}. Update that first.`)
  }
  for (const other of installed) {
    if (sameLine(other.name, name)) continue
    const broken = other.dependencies?.find((need) => sameLine(need, name) && !satisfies(name, need))
    if (broken !== undefined) refuseLoad('breaksDependency', `Installed is ${nameWords(other.name)}, which needs ${nameWords(broken)}; this package is ${nameWords(name)}. Update the other one first.`)
  }
}

function satisfies(has: PackageName, need: PackageName): boolean {
  return 'legacy' in has || 'legacy' in need || has.version >= need.version
}
