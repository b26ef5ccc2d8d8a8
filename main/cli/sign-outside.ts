// `sign` where not everything is at hand: options that are files of keys and signatures (`-E`, `--fix-sig`), and what goes out to
// a signer elsewhere (`--vector-to-sign`). Only public keys are read here, so neither passphrase nor PIN is asked for.
import { createHash, randomBytes } from 'node:crypto'
import { Failure, failed } from '../base/failure.ts'
import type { PublicKey } from '../base/signer.ts'
import type { SignOptions } from '../image/options.ts'
import { opensslCommand, readOutsideSignature } from '../image/outside.ts'
import { canSign } from '../image/publickey.ts'
import { vectorToSign } from '../image/sign.ts'
import type { Answer, Call } from './call.ts'
import { readInput, smallFileBytesMax, writeOutput } from './files.ts'
import { publicKeyFromFile, publicKeyNamed } from './keys.ts'
import type { PinOptions } from './passphrase.ts'
import type { SignFlags } from './sign-options.ts'

/** `-E`, `--fix-sig`: options that are files of keys and signatures. */
export async function withKeyFiles(bare: SignOptions, flags: SignFlags): Promise<SignOptions | Failure> {
  let options = bare
  if (flags.encrypt !== undefined) {
    const publicKey = await publicKeyFromFile(flags.encrypt)
    if (failed(publicKey)) return publicKey
    options = {
      ...options,
      encrypt: {
        publicKey, keyBits: flags.encryptKeylen === '256' ? 256 : 128, hmacSha: flags.hmacSha, clear: flags.clear, saveEncTlv: flags.saveEnctlv,
        random: (bytes) => new Uint8Array(randomBytes(bytes)),
      },
    }
  }
  // What is exported does not depend on a signature, even where a script names one already.
  if (flags.fixSig === undefined || flags.vectorToSign !== undefined) return options
  if (flags.fixSigPubkey === undefined) return new Failure('bad-option', '--fix-sig needs --fix-sig-pubkey FILE: the public key that the signature was made for.', { option: 'fix-sig-pubkey' })
  const publicKey = await signerInFile(flags.fixSigPubkey)
  if (failed(publicKey)) return publicKey
  const file = await readInput(flags.fixSig, 'signature file', smallFileBytesMax)
  const signature = failed(file) ? file : readOutsideSignature(file, flags.fixSig, publicKey)
  return failed(signature) ? signature : { ...options, fixedSignature: { signature, publicKey } }
}

/** `--vector-to-sign`: what an outside signer signs; nothing is signed here, so nothing is logged. */
export async function exportVector(call: Call, firmware: Uint8Array, output: string, options: SignOptions, what: 'payload' | 'digest', flags: SignFlags & PinOptions): Promise<Answer | Failure> {
  const key = await keyToSignWith(call, flags)
  if (failed(key)) return key
  const vector = await vectorToSign(firmware, options, what, key ?? undefined)
  if (failed(vector)) return vector
  const written = await writeOutput(output, vector)
  if (written !== null) return written
  const algorithm = key?.algorithm ?? null
  const misfit = misfitOf(what, options, algorithm)
  const command = algorithm === null || misfit !== null ? null : opensslCommand(algorithm, what, output)
  return {
    document: { file: output, what, bytes: vector.length, sha256: createHash('sha256').update(vector).digest('hex'), algorithm, command, warning: misfit },
    words: [
      `${output}: the ${what} to sign, ${vector.length} bytes. Bring the signature back with --fix-sig and --fix-sig-pubkey and the same options.`,
      ...(command === null ? [] : [`With OpenSSL, where the key is: ${command}`]),
      ...(misfit === null ? [] : [`${call.paint.care('!')} ${misfit}`]),
    ].join('\n'),
  }
}

/** The public key that decides on the hash; null when none was named. */
async function keyToSignWith(call: Call, flags: SignFlags & PinOptions): Promise<PublicKey | null | Failure> {
  if (flags.key !== undefined) {
    const named = await publicKeyNamed(call, flags.key, flags)
    return failed(named) ? named : named.publicKey
  }
  return flags.fixSigPubkey === undefined ? null : await signerInFile(flags.fixSigPubkey)
}

/** Why a signature over this would fit no image; imgtool exports it all the same, and so do we. */
function misfitOf(what: 'payload' | 'digest', { pure, sha }: SignOptions, algorithm: PublicKey['algorithm'] | null): string | null {
  if (pure === true && what === 'digest') return 'With --pure the image itself is signed, not its digest: export it with --vector-to-sign payload.'
  if (algorithm === 'ed25519' && pure !== true && what === 'payload') return 'An ed25519 key signs the digest here: export it with --vector-to-sign digest, or give --pure.'
  if (algorithm === null && what === 'digest' && (sha ?? 'auto') === 'auto' && pure !== true) return 'No key was named, so this is the SHA-256 digest; for an ecdsa-p384 key name its public half with --key.'
  return null
}

async function signerInFile(path: string): Promise<PublicKey | Failure> {
  const publicKey = await publicKeyFromFile(path)
  if (failed(publicKey)) return publicKey
  return canSign(publicKey) ? publicKey : new Failure('unsupported-key', `${path} is an x25519 key, which cannot sign.`)
}
