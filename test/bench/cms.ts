// Figures of packages: making and opening 1 MiB against hashing it, and against `openssl cms` on the same file in the same
// run. `node test/bench/run.mjs cms [RUNS]`. The target: opening and checking take no more than three times the hash,
// making likewise plus one signature.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Failure } from '../../main/base/failure.ts'
import type { KeyAlgorithm } from '../../main/base/signer.ts'
import { hashFor, signBytes } from '../../main/cms/algorithms.ts'
import { certificateFrom, makeCertificate } from '../../main/cms/certificate.ts'
import { makePackage, openPackage } from '../../main/cms/package.ts'
import type { Signing } from '../../main/cms/signed.ts'
import { anchorFromCertificate } from '../../main/cms/trust.ts'
import { generateKey } from '../../main/keys/filekey.ts'
import { writePem } from '../../main/keys/pem.ts'
import { openSigner } from '../../main/keys/signer.ts'

function value<T>(answer: T | Failure): T {
  if (answer instanceof Failure) throw new Error(`${answer.kind}: ${answer.says}`)
  return answer
}

const runs = Number(process.argv[2] ?? 60)
const mebibyte = 1 << 20
const hardware = '1.3.6.1.4.1.99999.7.1'
const content = new Uint8Array(mebibyte).map((_, i) => (i * 7919) >> 3)
const folder = mkdtempSync(join(tmpdir(), 'slotwright-bench-'))

/** Milliseconds of the quickest run: on a machine that does other things too, the only figure that is about us. */
async function best(work: () => unknown, times = runs): Promise<number> {
  const took: number[] = []
  for (let i = 0; i < times + 5; i++) {
    const began = performance.now()
    await work()
    if (i >= 5) took.push(performance.now() - began)
  }
  return Math.min(...took)
}

const say = (what: string, ...figures: readonly string[]) => console.log(what.padEnd(14), ...figures.map((one) => one.padEnd(26)))

try {
  say('', 'hash', 'open and check', 'make', 'signature', 'openssl cms -verify')
  for (const algorithm of ['ecdsa-p256', 'ecdsa-p384', 'ed25519', 'rsa-2048'] as const satisfies readonly KeyAlgorithm[]) {
    const signer = value(openSigner(await generateKey(algorithm)))
    const nowMs = Date.now()
    const order = { name: 'Bench', spki: signer.publicKey.spki, serial: new Uint8Array(16).fill(0x55), notBeforeMs: nowMs - 1000, notAfterMs: nowMs + 86_400_000, role: { is: 'both' } as const }
    const certificate = value(certificateFrom(value(await makeCertificate(order, { signer, certificate: null }))))
    const signing: Signing = { signer, certificate, embed: [certificate] }
    const make = () => makePackage({ firmware: content, name: { id: '1.3.6.1.4.1.99999.1', version: 1n }, hardware: [hardware], signingTimeMs: nowMs }, signing)
    const { bytes } = value(await make())
    const world = { trust: { anchors: [value(anchorFromCertificate(certificate.der))], atMs: nowMs }, loader: { hardwareType: hardware } }
    const hashMs = await best(() => createHash(hashFor(algorithm)).update(content).digest())
    const openMs = await best(() => value(openPackage(bytes, world)))
    const signMs = await best(() => signBytes(signer, content.subarray(0, 400)))
    const makeMs = await best(make)
    const [file, anchor] = [join(folder, 'p.der'), join(folder, 'p.pem')]
    writeFileSync(file, bytes)
    writeFileSync(anchor, writePem('CERTIFICATE', certificate.der))
    const empty = await best(() => execFileSync('openssl', ['version']), 10)
    const other = algorithm === 'ed25519' ? null : await best(() => execFileSync('openssl', ['cms', '-verify', '-binary', '-inform', 'DER', '-in', file, '-CAfile', anchor, '-purpose', 'any', '-out', join(folder, 'o')], { stdio: 'pipe' }), 10)
    const ms = (figure: number) => `${figure.toFixed(2)} ms`
    say(algorithm, ms(hashMs), `${ms(openMs)} = ${(openMs / hashMs).toFixed(2)} hashes`, `${ms(makeMs)} = ${((makeMs - signMs) / hashMs).toFixed(2)} + signature`, ms(signMs), other === null ? 'cannot (before 3.2)' : `${ms(other)}, ${ms(empty)} of it to start`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
