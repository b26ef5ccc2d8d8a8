// docs/packages.md names every error code of the RFC with its number, and none that there is not.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { loadErrorNames, loadErrors } from '../../main/cms/errors.ts'

test('the table of error codes in docs/packages.md is the table in the code', () => {
  const text = readFileSync(new URL('../../docs/packages.md', import.meta.url), 'utf8')
  const rows = [...text.matchAll(/^\| (\d+) \| (\w+) \| \S.* \|$/gm)].map(([, code, name]) => `${code} ${name}`)
  expect(rows).toEqual(loadErrorNames.map((name) => `${loadErrors[name].code} ${name}`))
})
