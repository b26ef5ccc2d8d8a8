// PEM text (RFC 7468): labelled base64 between dashes. Bounded and strict, since key files come from anywhere; text
// around the blocks (openssl likes to write some) is skipped.
import { Failure } from '../base/failure.ts'

export type PemBlock = Readonly<{ label: string; der: Uint8Array; /** Headers such as Proc-Type, of OpenSSL's own old encryption. */ headers: string }>

/** A key file is a few kilobytes; certificates a little more. */
export const PEM_BYTES_MAX = 64 * 1024
const blocksMax = 16
const blockPattern = /-----BEGIN ([A-Z0-9 ]{1,40})-----\r?\n((?:[A-Za-z0-9-]+: [^\r\n]*\r?\n)*)([A-Za-z0-9+/=\s]*?)-----END \1-----/g

/** The blocks of a text in order; empty when there are none. */
export function readPem(text: string): readonly PemBlock[] | Failure<'not-a-key'> {
  if (text.length > PEM_BYTES_MAX) return new Failure('not-a-key', `This is not a key file: it has ${text.length} characters, and a key has a few thousand at most.`, { characters: text.length })
  const blocks: PemBlock[] = []
  for (const match of text.matchAll(blockPattern)) {
    if (blocks.length === blocksMax) break
    const [, label = '', headers = '', body = ''] = match
    const base64 = body.replace(/\s+/g, '')
    if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) {
      return new Failure('not-a-key', `The ${label} block of this file is damaged: its base64 does not read.`)
    }
    blocks.push({ label, headers, der: new Uint8Array(Buffer.from(base64, 'base64')) })
  }
  return blocks
}

/** One block, 64 characters a line, as openssl and imgtool write it. */
export function writePem(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der.buffer, der.byteOffset, der.length).toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
