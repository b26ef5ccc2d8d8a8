// Self-tests of the new image, before it is confirmed: what a recipe may ask, what the board answers, and the judgement.
// The board measures, the recipe decides; nothing the board says about itself passing counts. Commands are those of
// Zephyr's management groups (OS info, statistics, shell, files) and the lines on its console.
import { matches } from './pattern.ts'

export type SelfTest = Readonly<{ timeoutMs: number }> & (
  /** OS info in these format letters (as uname's) covers the pattern. */
  | Readonly<{ test: 'os-info'; format: string; matches: string }>
  /** A counter or gauge of a statistics group lies in a range, ends included. */
  | Readonly<{ test: 'statistic'; group: string; name: string; min: number; max: number }>
  /** A shell command returns this code, and some line of its output covers the pattern where there is one. */
  | Readonly<{ test: 'shell'; command: readonly string[]; returns: number; matches: string | null }>
  /** A line that covers the pattern comes on the console after the restart. */
  | Readonly<{ test: 'console'; matches: string }>
  /** A file is there and some line of it covers the pattern, or its SHA-256 is this. */
  | Readonly<{ test: 'file'; path: string; matches: string | null; sha256: string | null }>
  /** A person at the fixture says yes; asked last of all. */
  | Readonly<{ test: 'question'; asks: string }>
)

/** What was measured; `null` for a console line that never came and a statistic that is not there. */
export type Measured =
  | Readonly<{ of: 'text'; text: string }>
  | Readonly<{ of: 'number'; value: number | null }>
  | Readonly<{ of: 'shell'; returned: number; output: string }>
  | Readonly<{ of: 'line'; line: string | null }>
  | Readonly<{ of: 'file'; text: string; sha256: string }>
  /** Null: nobody answered in time. */
  | Readonly<{ of: 'answer'; answer: Readonly<{ yes: boolean; by: string }> | null }>

export type Verdict = Readonly<{ holds: boolean; says: string }>

const shownCharsMax = 120

/** How a test is called in the log and on the bay. */
export function testName(test: SelfTest): string {
  switch (test.test) {
    case 'os-info': return `OS info "${test.format}"`
    case 'statistic': return `statistic ${test.group}/${test.name}`
    case 'shell': return `shell "${test.command.join(' ')}"`.slice(0, shownCharsMax)
    case 'console': return `console "${test.matches}"`.slice(0, shownCharsMax)
    case 'file': return `file ${test.path}`.slice(0, shownCharsMax)
    case 'question': return `question "${test.asks}"`.slice(0, shownCharsMax)
  }
}

/** Whether what was measured is what the recipe wants, and half a sentence on it. */
export function judge(test: SelfTest, measured: Measured): Verdict {
  if (test.test === 'os-info' && measured.of === 'text') return told(matches(test.matches, measured.text), `says "${shown(measured.text)}"`, `"${test.matches}"`)
  if (test.test === 'statistic' && measured.of === 'number') {
    const { value } = measured
    if (value === null) return { holds: false, says: `has no statistic "${test.name}" in the group "${test.group}"` }
    return told(value >= test.min && value <= test.max, `counts ${value}`, `${test.min} to ${test.max}`)
  }
  if (test.test === 'shell' && measured.of === 'shell') {
    if (measured.returned !== test.returns) return told(false, `returns ${measured.returned}, saying "${shown(measured.output)}"`, String(test.returns))
    return told(test.matches === null || someLine(test.matches, measured.output), `returns ${measured.returned}, saying "${shown(measured.output)}"`, `"${test.matches ?? ''}"`)
  }
  if (test.test === 'console' && measured.of === 'line') {
    return measured.line === null ? { holds: false, says: `writes no line like "${test.matches}" on its console within ${test.timeoutMs / 1000} s` } : { holds: true, says: `writes "${shown(measured.line)}"` }
  }
  if (test.test === 'file' && measured.of === 'file') {
    if (test.sha256 !== null && measured.sha256 !== test.sha256) return told(false, `holds ${measured.sha256.slice(0, 12)}…`, `${test.sha256.slice(0, 12)}…`)
    return told(test.matches === null || someLine(test.matches, measured.text), `holds "${shown(measured.text)}"`, `"${test.matches ?? ''}"`)
  }
  if (test.test === 'question' && measured.of === 'answer') {
    const { answer } = measured
    if (answer === null) return { holds: false, says: `is not answered within ${test.timeoutMs / 1000} s` }
    return { holds: answer.yes, says: `is answered "${answer.yes ? 'yes' : 'no'}" by ${answer.by}` }
  }
  throw new Error(`the test ${test.test} does not measure ${measured.of}`)
}

/** The same with these texts made unreadable: a board may show on its console what it was given in secret. */
export function withoutSecrets(measured: Measured, secrets: readonly string[]): Measured {
  const hide = (text: string) => secrets.reduce((left, secret) => (secret === '' ? left : left.replaceAll(secret, '•••')), text)
  switch (measured.of) {
    case 'text':
    case 'file': return { ...measured, text: hide(measured.text) }
    case 'shell': return { ...measured, output: hide(measured.output) }
    case 'line': return { ...measured, line: measured.line === null ? null : hide(measured.line) }
    case 'number':
    case 'answer': return measured
  }
}

function told(holds: boolean, says: string, wanted: string): Verdict {
  return { holds, says: holds ? says : `${says}, and should be ${wanted}` }
}

function someLine(pattern: string, text: string): boolean {
  return text.split('\n').some((line) => matches(pattern, line))
}

/** On one line and not too long. */
function shown(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ')
  return line.length <= shownCharsMax ? line : `${line.slice(0, shownCharsMax - 1)}…`
}
