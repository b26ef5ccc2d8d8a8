// Image versions, `major.minor.revision+build`, as they stand in the header (bootutil/image.h, struct image_version).
// imgtool reads "1.2" as 1.2.0+0; we refuse it, since a version somebody typed half is a wrong version in the field.
import { Failure } from '../base/failure.ts'

/** Each part as wide as its header field: u8, u8, u16, u32. */
export type ImageVersion = Readonly<{ major: number; minor: number; revision: number; build: number }>

const versionPattern = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,4})(?:\+(0|[1-9]\d{0,9}))?$/
const versionTextMax = 40

/** Reads `1.2.3` or `1.2.3+4`; no leading zeros, no missing parts, every part within its header field. */
export function parseVersion(text: string): ImageVersion | Failure<'bad-version'> {
  const shown = text.length > versionTextMax ? `${text.slice(0, versionTextMax)}…` : text
  const match = text.length > versionTextMax ? null : versionPattern.exec(text)
  if (match === null) {
    return new Failure(
      'bad-version',
      `"${shown}" is not an image version: give three numbers and, if you use one, a build number, like 1.2.0 or 1.2.0+7.`,
      { version: shown },
    )
  }
  const [major, minor, revision, build] = match.slice(1).map((part) => Number(part ?? '0')) as [number, number, number, number]
  return checkVersion({ major, minor, revision, build })
}

/** The version itself when every part fits its header field. */
export function checkVersion(version: ImageVersion): ImageVersion | Failure<'bad-version'> {
  const limits = { major: 0xff, minor: 0xff, revision: 0xffff, build: 0xffffffff } as const
  for (const part of ['major', 'minor', 'revision', 'build'] as const) {
    const value = version[part]
    if (Number.isInteger(value) && value >= 0 && value <= limits[part]) continue
    return new Failure(
      'bad-version',
      `The version's ${part} number ${value} does not fit the image header: it goes from 0 to ${limits[part]}.`,
      { version: formatVersion(version), part },
    )
  }
  return version
}

/** `1.2.3+4`, always with the build number, as imgtool prints it. */
export function formatVersion(version: ImageVersion): string {
  return `${version.major}.${version.minor}.${version.revision}+${version.build}`
}

/**
 * Negative when `a` is older, 0 when equal, positive when newer. Build numbers count last; MCUboot ignores them unless
 * built with MCUBOOT_VERSION_CMP_USE_BUILD_NUMBER, hence the option.
 */
export function compareVersions(a: ImageVersion, b: ImageVersion, options: { ignoreBuild?: boolean } = {}): number {
  return (
    a.major - b.major ||
    a.minor - b.minor ||
    a.revision - b.revision ||
    (options.ignoreBuild === true ? 0 : a.build - b.build)
  )
}

/** imgtool's `--security-counter auto`: major<<24 + minor<<16 + revision. */
export function counterOfVersion(version: ImageVersion): number {
  return version.major * 0x1000000 + version.minor * 0x10000 + version.revision
}
