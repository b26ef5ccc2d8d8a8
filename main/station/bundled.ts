// An opened file as the images it brings: one, or those of an archive, each judged with the keys known. A batch gets them
// as parts of one update; what is shown of the file is its application, and beside it a line for each of the others.
import { Failure, failed } from '../base/failure.ts'
import { looksLikePackage } from '../cms/package.ts'
import type { ImageView } from '../contract/views.ts'
import type { KeyEntry } from '../keys/keyring.ts'
import { looksLikeZip } from '../image/update-zip.ts'
import { checkImage } from '../line/recipe.ts'
import type { ImageFacts, Job, Recipe } from '../line/state.ts'
import type { OpenedFile } from './files.ts'
import { readImage } from './images.ts'

/** Every image of a file: what is shown, what a run decides on, and the bytes by their SHA-256. */
export type ReadFile = Readonly<{
  view: ImageView
  facts: ImageFacts
  others?: Job['others']
  variants?: Job['variants']
  contents: ReadonlyMap<string, Uint8Array>
}>

/** Reads and judges all images of an opened file. Fails as the first of them does that cannot be read, and as `not-an-image` where what brings them was not opened. */
export function readFile(file: OpenedFile, keys: readonly KeyEntry[]): ReadFile | Failure {
  const { files } = file
  if (files === undefined) {
    const what = looksLikePackage(file.bytes) ? 'firmware package' : looksLikeZip(file.bytes) ? 'archive' : null
    if (what !== null) return new Failure('not-an-image', `"${file.name}" is a ${what} that was not opened to its image, so nothing of it can be sent. Open it again: what is wrong with it is said then.`)
    const image = readImage(file, keys)
    return failed(image) ? image : { ...image, contents: new Map([[file.sha256, file.bytes]]) }
  }
  const read: { image: number; slot: number | null; view: ImageView; facts: ImageFacts }[] = []
  for (const { image, slot, name, bytes, sha256 } of files) {
    const one = readImage({ ...file, name, bytes, sha256 }, keys)
    if (failed(one)) return one
    read.push({ image, slot, view: one.view, facts: one.facts })
  }
  const [first] = read
  if (first === undefined) return readImage(file, keys) as Failure
  const others = read.filter(({ image }) => image > 0).map(({ image, facts }) => ({ number: image, image: facts }))
  const variants = read.filter(({ image, slot }) => image === 0 && slot !== null).map(({ slot, facts }) => ({ slot: slot ?? 0, image: facts }))
  return {
    view: {
      ...first.view, fileName: file.name,
      images: read.map(({ image, slot, view }) => ({
        image, slot, fileName: view.fileName, version: view.version, bytes: view.bytes, hash: view.hash, hashHolds: view.hashHolds, keyName: view.keyName, signature: view.signature,
      })),
    },
    facts: first.facts,
    ...(others.length === 0 ? {} : { others }),
    ...(variants.length < 2 ? {} : { variants }),
    contents: new Map(files.map(({ sha256, bytes }) => [sha256, bytes])),
  }
}

/** Whether all of them may go to any board by this recipe; the first failure of `checkImage`. */
export function checkFile({ facts, others, variants }: ReadFile, recipe: Recipe): Failure | null {
  for (const image of [facts, ...(others ?? []).map((part) => part.image), ...(variants ?? []).map((variant) => variant.image)]) {
    const wrong = checkImage(image, recipe)
    if (wrong !== null) return wrong
  }
  return null
}
