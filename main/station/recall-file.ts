// What a recall looks for, taken out of a file: an image's own hash, a package's SHA-256, a key's fingerprint. Nothing is
// proven here and nothing noted: it only spares a person copying a hash.
import { toHex } from '../base/bytes.ts'
import { Failure, failed } from '../base/failure.ts'
import { looksLikePackage } from '../cms/package.ts'
import type { RecallChoiceView } from '../contract/log-views.ts'
import { inspectImage } from '../image/inspect.ts'
import { keyHash } from '../image/keyhash.ts'
import { looksLikeZip, openUpdateZip } from '../image/update-zip.ts'
import { readPublicKey } from '../keys/publicpem.ts'
import { OpenFiles } from './files.ts'

const pemBegins = '-----BEGIN '

/** Of an archive with several images, the application's. Kinds: of `OpenFiles.open` and of an archive, `not-recallable`. */
export async function recallableIn(path: string): Promise<RecallChoiceView | Failure> {
  const file = await new OpenFiles().open(path, 'image')
  if (failed(file)) return file
  const { name, bytes } = file
  const none = { file: name, version: null, at: null }
  if (looksLikePackage(bytes)) return { ...none, what: 'package', hash: file.sha256 }
  if (new TextDecoder('latin1').decode(bytes.subarray(0, pemBegins.length)) === pemBegins) {
    const key = await readPublicKey(bytes)
    return failed(key) ? new Failure('not-recallable', `${name} has a key that cannot be read without its passphrase. Choose its public half (getpub writes it).`) : { ...none, what: 'key', hash: toHex(keyHash(key)) }
  }
  if (looksLikeZip(bytes)) {
    const opened = openUpdateZip(bytes)
    return failed(opened) ? opened : imageIn(opened.files[0]?.bytes ?? bytes, name)
  }
  return imageIn(bytes, name)
}

function imageIn(bytes: Uint8Array, name: string): RecallChoiceView | Failure {
  const report = inspectImage(bytes)
  const hash = failed(report) ? null : report.hash?.claimed ?? null
  if (failed(report) || hash === null) return new Failure('not-recallable', `${name} is no signed image, no firmware package and no key, so no unit can have got it. Choose the file that went onto the boards.`)
  return { what: 'image', hash, file: name, version: report.version, at: null }
}
