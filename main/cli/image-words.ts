// An image's report as a person reads it: claims, then what was proven, then what is wrong.
import type { ImageReport } from '../image/inspect.ts'
import type { OpenedImage } from '../image/open.ts'
import { columns, sizeWords } from './terminal.ts'
import type { Paint } from './terminal.ts'

/** Bytes of a TLV's value shown before the dots. */
const hexShown = 32

export type ReportWords = Readonly<{ path: string; report: ImageReport; signedBy: string | null; opened?: Pick<OpenedImage, 'decrypted' | 'verified'> | null }>

/** The whole report; `signedBy` is the name of the known key that proved it, `opened` what the plaintext proved besides. */
export function reportWords({ path, report, signedBy, opened = null }: ReportWords, paint: Paint): string {
  const { header, hash, signature } = report
  const rows: string[][] = [
    ['version', report.version],
    ['image', `${sizeWords(report.imageBytes)} (${report.imageBytes} bytes: header ${header.headerBytes}, firmware ${header.payloadBytes}, TLVs ${report.imageBytes - header.headerBytes - header.payloadBytes})`],
    ...(header.flagNames.length === 0 ? [] : [['flags', header.flagNames.join(', ')]]),
    ...(header.loadAddress === 0 ? [] : [['load address', `0x${header.loadAddress.toString(16)}`]]),
    ...(report.endian === 'big' ? [['byte order', 'big endian']] : []),
    ...(report.securityCounter === null ? [] : [['security counter', String(report.securityCounter)]]),
    ['hash', hash === null ? paint.bad('none') : `${hash.claimed}  ${opened?.decrypted === true ? paint.good('holds, once decrypted') : hashWords(hash, paint)}`],
    ['key', report.keyHash === null ? '-' : `${report.keyHash}${signedBy === null ? '' : `  (${signedBy})`}`],
    ['signature', signature === null ? paint.bad('unsigned') : `${signature.name}  ${opened !== null && opened.verified.signedBy !== null ? paint.good('holds') : signatureWords(signature, paint)}`],
    ...(report.trailer === null ? [] : [['trailer', report.trailer.means.says]]),
    ...(report.rest.is === 'padding' ? [['padding', sizeWords(report.rest.bytes)]] : []),
  ]
  const tlvs = columns([
    ['offset', 'area', 'type', 'name', 'bytes', 'value'].map(paint.dim),
    ...report.tlvs.map((tlv) => [
      String(tlv.offset), tlv.area === 'protected' ? 'protected' : '', `0x${tlv.type.toString(16).padStart(2, '0')}`, tlv.name, String(tlv.bytes),
      tlv.means?.says ?? (tlv.hex.length > 2 * hexShown ? `${tlv.hex.slice(0, 2 * hexShown)}…` : tlv.hex),
    ]),
  ])
  const wrongs = report.wrongs.map((wrong) => `${paint.care('!')} ${wrong.says}`)
  return [paint.bold(path), columns(rows.map(([name = '', value = '']) => [`  ${paint.dim(name)}`, value])), '', tlvs, ...(wrongs.length === 0 ? [] : ['', ...wrongs])].join('\n')
}

/** The report as it goes out in JSON: sentences, which programs show to people. */
export function reportDocument({ wrongs, tlvs, trailer, ...report }: ImageReport): object {
  return {
    ...report,
    tlvs: tlvs.map(({ means, ...tlv }) => ({ ...tlv, ...(means === undefined ? {} : { means: means.says }) })),
    trailer: trailer === null ? null : trailerDocument(trailer),
    wrongs: wrongs.map(({ says }) => says),
  }
}

function trailerDocument({ means, ...trailer }: NonNullable<ImageReport['trailer']>): object {
  return { ...trailer, says: means.says }
}

function hashWords(hash: NonNullable<ImageReport['hash']>, paint: Paint): string {
  if (hash.check === 'matches') return paint.good('holds')
  return hash.check === 'encrypted' ? paint.care('covers the plaintext; --decrypt-key checks it') : paint.bad('does not hold')
}

function signatureWords(signature: NonNullable<ImageReport['signature']>, paint: Paint): string {
  if (signature.check === 'holds') return paint.good('holds')
  return signature.check === 'no-key-given' ? paint.care('not checked: its key is not known here') : paint.bad('does not hold')
}
