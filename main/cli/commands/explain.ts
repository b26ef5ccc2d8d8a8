// `explain`: the catalogue of failures in the terminal. A kind (`no-return`), a code a board answered (`9`, `image:9`, `1:9`)
// or Zephyr's name of one; without a word it lists all. Nothing is opened for it: no home, no port, no log.
import type { Command } from 'commander'
import { failed } from '../../base/failure.ts'
import type { Failure } from '../../base/failure.ts'
import { catalogue, explain } from '../../line/catalogue.ts'
import type { CatalogueEntry } from '../../line/catalogue.ts'
import type { Act, Answer, Call } from '../call.ts'
import { columns } from '../terminal.ts'

export function declare(command: Command, act: Act): void {
  command
    .argument('[what]', 'kind of failure like no-return, or code like 9, image:9, 1:9 or IMG_MGMT_ERR_NO_FREE_SLOT; left out: list all')
    .action(act((call: Call, [what]: readonly string[]): Promise<Answer | Failure> => Promise.resolve(told(call, what))))
}

function told({ paint }: Call, what: string | undefined): Answer | Failure {
  if (what === undefined) {
    const rows = catalogue().map(({ id, name, title }) => [id, title, paint.dim(name ?? '')])
    return { document: catalogue(), words: columns([['what', 'means', ''].map(paint.dim), ...rows]) }
  }
  const found = explain(what)
  if (failed(found)) return found
  return { document: found, words: found.map((entry) => entryWords(entry, paint)).join('\n\n') }
}

function entryWords({ id, name, title, cause, evidence, next }: CatalogueEntry, paint: Call['paint']): string {
  return [
    `${paint.bold(id)}  ${title}${name === null ? '' : `  ${paint.dim(name)}`}`,
    columns([[paint.dim('cause'), cause], [paint.dim('shown by'), evidence], [paint.dim('next'), next]]),
  ].join('\n')
}
