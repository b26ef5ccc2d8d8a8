// docs/run.md shows the machine and the plan as they are. After a change of either, `npm run docs` draws them anew.
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { situationOf } from '../../main/line/plan.ts'
import { newHash } from '../line/making.ts'
import { boards, diagram, edges, planTable } from './drawing.ts'

const path = new URL('../../docs/run.md', import.meta.url)

function put(text: string, name: string, drawn: string): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`]
  const [from, to] = [text.indexOf(open), text.indexOf(close)]
  if (from < 0 || to < from) throw new Error(`docs/run.md has no place for the ${name}`)
  return `${text.slice(0, from + open.length)}\n${drawn}\n${text.slice(to)}`
}

test('the drawn machine and the table of plans are those of the code', () => {
  const text = readFileSync(path, 'utf8')
  const drawn = put(put(text, 'machine', diagram()), 'plan', planTable())
  if (process.env['SLOTWRIGHT_DRAW'] === '1') writeFileSync(path, drawn)
  expect(drawn, 'docs/run.md is older than main/line: npm run docs draws it anew').toBe(readFileSync(path, 'utf8'))
}, 60_000)

test('every situation of the plan is drawn', () => {
  expect(new Set(Object.values(boards).map((slots) => situationOf(slots, newHash))).size).toBe(Object.keys(boards).length)
})

test('no road leads to a confirm that does not come from a proof, nor to confirmed but from the check of it', () => {
  const into = (to: string) => [...edges().keys()].filter((key) => key.endsWith(` ${to}`)).map((key) => key.split(' ')[0])
  // A confirm is repeated when the check finds that it did not take; the proofs were before the first one.
  expect(into('confirm').sort()).toEqual(['check_confirmed', 'prove'])
  expect(into('confirmed')).toEqual(['check_confirmed'])
})
