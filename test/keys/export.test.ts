// getpub, getpubhash and getpriv, byte for byte as imgtool 2.4.0 printed them for the vectors' keys.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { toHex } from '../../main/base/bytes.ts'
import { failed } from '../../main/base/failure.ts'
import { exportPrivateKey, exportPublicKey, exportPublicKeyHash } from '../../main/keys/export.ts'
import { keyOf } from '../image/vectors.ts'

const goldens = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'vectors', 'imgtool', 'exports.json'), 'utf8')) as Record<string, Record<string, string | null>>
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

describe.each(Object.entries(goldens))('%s', (name, golden) => {
  test('getpub and getpubhash', async () => {
    const { publicKey } = await keyOf(`keys/${name}.pem`)
    for (const encoding of ['lang-c', 'lang-rust', 'pem'] as const) expect(text(exportPublicKey(publicKey, encoding))).toBe(golden[`getpub ${encoding}`])
    expect(toHex(exportPublicKey(publicKey, 'raw'))).toBe(golden['getpub raw'])
    expect(text(exportPublicKeyHash(publicKey, 'lang-c'))).toBe(golden['getpubhash lang-c'])
    expect(toHex(exportPublicKeyHash(publicKey, 'raw'))).toBe(golden['getpubhash raw'])
  })

  test('getpriv in every form, and a sentence where imgtool has none to give', async () => {
    const key = await keyOf(`keys/${name}.pem`)
    for (const minimal of [false, true]) {
      for (const format of [undefined, 'openssl', 'pkcs8'] as const) {
        const ours = exportPrivateKey(key, { minimal, format })
        const theirs = golden[['getpriv', ...(minimal ? ['--minimal'] : []), ...(format === undefined ? [] : ['-f', format])].join(' ')]
        // imgtool cannot cut a P-384 key ("Please submit an issue!"); we can.
        if (name === 'ecdsa-p384' && minimal) expect(failed(ours)).toBe(false)
        else if (theirs === null) expect(failed(ours) && ours.kind).toBe('bad-option')
        else expect(ours).toBe(theirs)
      }
    }
  })
})
