// A firmware package as people see it: layer by layer, what it says, and what of that was proven. Nothing here is believed
// by anybody; it is what the station found when it opened the package.
import type { SaidView } from './failure-view.ts'

export type PackageLayer = 'signed' | 'encrypted' | 'compressed' | 'firmware' | 'image'

export type PackageView = Readonly<{
  /** Outermost first, each with a sentence or two. */
  layers: readonly Readonly<{ layer: PackageLayer; says: readonly SaidView[] }>[]
  /** Identifier or free name, and its version where it has one. */
  name: string
  version: string | null
  /** The image's version, where that number is just it (MAJOR.MINOR.REVISION+BUILD beside each other); else null. */
  imageVersion: string | null
  /** Versions up to this one are refused from now on. */
  stale: string | null
  hardware: readonly string[]
  /** Who may have it, in words; empty: everybody with that hardware. */
  communities: readonly SaidView[]
  needs: readonly SaidView[]
  description: string | null
  /** ISO 8601, by the signer's clock. */
  signedAt: string | null
  algorithm: string
  /** Certificates from the signer's up, by name; empty when the trust anchor itself signed. */
  path: readonly Readonly<{ name: string; validUntil: string }>[]
  anchor: string
  /** What was proven, one sentence each. */
  proven: readonly SaidView[]
  firmwareBytes: number
  firmwareSha256: string
  packageSha256: string
  /** Where the firmware begins inside the file; null when it is compressed, encrypted or in pieces. */
  firmwareOffset: number | null
  unknownAttributes: readonly string[]
}>

/** Load receipts and error reports that were signed and saved. */
export type ReceiptsView = Readonly<{
  savedAs: string
  bytes: number
  sha256: string
  /** Units that took their package, and those that did not. */
  receipts: number
  errors: number
  signer: string
  /** Name of the signer's certificate, which goes along; null: there is none here, and openssl asks for one. */
  certificate: string | null
}>
