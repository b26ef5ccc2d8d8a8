// An opened firmware package for people: layer by layer what it says, and what of that was proven. Each sentence carries its
// kind and facts, so that a window can say it in its own language.
import { createHash } from 'node:crypto'
import { failed } from '../base/failure.ts'
import { said, type Said } from '../base/said.ts'
import { bytesWords, plainWords } from '../cms/attributes.ts'
import type { Community, PackageName } from '../cms/attributes.ts'
import type { OpenedPackage } from '../cms/package.ts'
import type { PackageView } from '../contract/package-view.ts'
import { parseImage } from '../image/format.ts'
import { formatVersion } from '../image/version.ts'
import { versionNumber } from './packages.ts'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** `image`: what is to be said of the image inside; empty where there is nothing. */
export function packageView(bytes: Uint8Array, opened: OpenedPackage, image: readonly Said[]): PackageView {
  const { attributes, signedBy, layers } = opened
  const { name, stale } = attributes.firmwarePackageID
  return {
    layers: [...layers.map((layer) => ({ layer, says: saysOf[layer](opened) })), ...(image.length === 0 ? [] : [{ layer: 'image' as const, says: image }])],
    name: 'legacy' in name ? bytesWords(name.legacy) : name.id,
    version: 'legacy' in name ? null : String(name.version),
    imageVersion: 'legacy' in name ? null : imageVersion(opened.firmware, name.version),
    stale: stale === null ? null : typeof stale === 'bigint' ? String(stale) : bytesWords(stale),
    hardware: attributes.targetHardwareIDs,
    communities: (attributes.communityIdentifiers ?? []).map(community),
    needs: (attributes.firmwarePackageInfo?.dependencies ?? []).map(need),
    description: plainWords(attributes.contentHints?.description ?? null),
    signedAt: attributes.signingTime === undefined ? null : new Date(attributes.signingTime).toISOString(),
    algorithm: opened.algorithm,
    path: signedBy.path.map((one) => ({ name: one.name, validUntil: new Date(one.notAfterMs).toISOString() })),
    anchor: signedBy.anchor.name,
    proven: [
      said('proven-content', 'The content is the one that was signed, and so are the attributes.'),
      pathProven(opened),
      ...(attributes.fwPkgMessageDigest === undefined ? [] : [said('proven-digest', 'The firmware is the one whose digest was signed.')]),
    ],
    firmwareBytes: opened.firmware.length,
    firmwareSha256: sha256(opened.firmware),
    packageSha256: sha256(bytes),
    firmwareOffset: opened.firmwareOffset,
    unknownAttributes: opened.unknownAttributes,
  }
}

function imageVersion(firmware: Uint8Array, number: bigint): string | null {
  const image = parseImage(firmware)
  return !failed(image) && versionNumber(image.header.version) === number ? formatVersion(image.header.version) : null
}

const saysOf: Readonly<Record<OpenedPackage['layers'][number], (opened: OpenedPackage) => Said[]>> = {
  signed({ algorithm, signedBy }) {
    const by = signedBy.path[0]?.name ?? signedBy.anchor.name
    return [said('layer-signed', `${algorithm}, by ${by}.`, { algorithm, by })]
  },
  encrypted({ attributes: { decryptKeyID } }) {
    const key = decryptKeyID === undefined ? '?' : bytesWords(decryptKeyID)
    return [said('layer-encrypted', `AES-CBC under the key ${key}; decrypted here.`, { key })]
  },
  compressed: () => [said('layer-compressed', 'zlib; unpacked here.')],
  firmware({ firmware, firmwareOffset: offset, form }) {
    const bytes = firmware.length
    return [
      offset === null ? said('layer-firmware', `${bytes} bytes.`, { bytes }) : said('layer-firmware-at', `${bytes} bytes, from byte ${offset} of the file.`, { bytes, offset }),
      ...(form === 'nested' ? [said('layer-nested', 'In an octet string of its own.')] : []),
    ]
  },
}

function pathProven({ signedBy: { path, anchor } }: OpenedPackage): Said {
  if (path.length === 0) return said('proven-anchor', `The signer is the trust anchor "${anchor.name}" itself.`, { anchor: anchor.name })
  const count = path.length
  return said('proven-path', `${count} certificate${count === 1 ? ' leads' : 's lead'} from the signer to the trust anchor "${anchor.name}", all valid now.`, { count, anchor: anchor.name })
}

function community(one: Community): Said {
  if ('community' in one) return said('community-members', `members of ${one.community}`, { community: one.community })
  const { hardware } = one
  if (one.serials.some(({ is }) => is === 'all')) return said('community-all', `${hardware}: all units`, { hardware })
  const serials = (to: string) => one.serials.map((entry) => (entry.is === 'block' ? `${bytesWords(entry.low)}${to}${bytesWords(entry.high)}` : entry.is === 'single' ? bytesWords(entry.serial) : '')).join(', ')
  return said('community-serials', `${hardware}: ${serials(' to ')}`, { hardware, serials: serials('–') })
}

function need(name: PackageName): Said {
  if ('legacy' in name) return said('needs-named', bytesWords(name.legacy), { name: bytesWords(name.legacy) })
  return said('needs-version', `${name.id} version ${name.version}`, { name: name.id, version: String(name.version) })
}
