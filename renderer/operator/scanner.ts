// A barcode scanner is a keyboard that types a code and Enter faster than anybody could. This tells such a burst from a
// person's keys, so that a code never presses the button that happens to have the focus. Pure: keys and times come in.

export type Burst = Readonly<{ text: string; lastMs: number }>
export type Fed = Readonly<{ burst: Burst; /** The whole code, when this key ended it. */ code: string | null; /** The key is the scanner's and must do nothing else. */ swallow: boolean }>

export const noBurst: Burst = { text: '', lastMs: -Infinity }
/**
 * Scanners type a key every 1 to 50 ms, and a busy machine may hand them over late. Somebody who types four letters this fast
 * where no text is wanted is told that his code means nothing, and no harm is done.
 */
export const gapMaxMs = 150
const codeCharsMin = 4
const codeCharsMax = 200

/** Takes one key as `KeyboardEvent.key` names it, pressed at `atMs`. */
export function feed(burst: Burst, key: string, atMs: number): Fed {
  const fast = atMs - burst.lastMs <= gapMaxMs
  if (key === 'Enter') {
    const isCode = fast && burst.text.length >= codeCharsMin
    return { burst: noBurst, code: isCode ? burst.text.slice(0, codeCharsMax) : null, swallow: isCode }
  }
  // Shift and its like come between the letters of a code.
  if ([...key].length !== 1) return { burst, code: null, swallow: false }
  const text = fast ? burst.text + key : key
  return { burst: { text: text.slice(0, codeCharsMax + 1), lastMs: atMs }, code: null, swallow: fast }
}

/** What a code is for: a card of the station's own, or something else that a batch or the sign-in may know. */
export type Code = Readonly<{ is: 'recipe'; name: string } | { is: 'answer'; yes: boolean } | { is: 'command'; command: 'start' | 'stop' } | { is: 'other'; text: string }>

export function readCode(text: string): Code {
  const [, what, rest] = /^(recipe|answer|command):(.+)$/i.exec(text.trim()) ?? []
  const value = rest?.trim() ?? ''
  if (what?.toLowerCase() === 'recipe') return { is: 'recipe', name: value }
  if (what?.toLowerCase() === 'answer' && /^(yes|no)$/i.test(value)) return { is: 'answer', yes: value.toLowerCase() === 'yes' }
  if (what?.toLowerCase() === 'command' && /^(start|stop)$/i.test(value)) return { is: 'command', command: value.toLowerCase() as 'start' | 'stop' }
  return { is: 'other', text: text.trim() }
}
