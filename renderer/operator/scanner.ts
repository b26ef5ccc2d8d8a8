// A barcode scanner is a keyboard that types a code and Enter faster than anybody could. This tells such a burst from a
// person's keys, so that a code never presses the button that happens to have the focus. Pure: keys and times come in.

export type Burst = Readonly<{ text: string; lastMs: number; /** Other letters came shortly before: this may be the rest of a code that was cut in two. */ cut: boolean }>
export type Fed = Readonly<{ burst: Burst; /** The whole code, when this key ended it. */ code: string | null; /** A code ended here whose beginning may be missing: scan again. */ broken: boolean; /** The key is the scanner's and must do nothing else. */ swallow: boolean }>

export const noBurst: Burst = { text: '', lastMs: -Infinity, cut: false }
/**
 * Scanners type a key every 1 to 50 ms, and a busy machine may hand them over late. Somebody who types four letters this fast
 * where no text is wanted is told that his code means nothing, and no harm is done.
 */
export const gapMaxMs = 150
/** A code that pauses longer than `gapMaxMs` and shorter than this was torn by a busy machine. */
const tornMaxMs = 1_500
const codeCharsMin = 4
const codeCharsMax = 200

/** Takes one key as `KeyboardEvent.key` names it, pressed at `atMs`. */
export function feed(burst: Burst, key: string, atMs: number): Fed {
  const fast = atMs - burst.lastMs <= gapMaxMs
  if (key === 'Enter') {
    const isBurst = fast && burst.text.length >= codeCharsMin
    return { burst: noBurst, code: isBurst && !burst.cut ? burst.text.slice(0, codeCharsMax) : null, broken: isBurst && burst.cut, swallow: isBurst }
  }
  // Shift and its like come between the letters of a code.
  if ([...key].length !== 1) return { burst, code: null, broken: false, swallow: false }
  const text = fast ? burst.text + key : key
  const cut = fast ? burst.cut : burst.text !== '' && atMs - burst.lastMs <= tornMaxMs
  return { burst: { text: text.slice(0, codeCharsMax + 1), lastMs: atMs, cut }, code: null, broken: false, swallow: fast }
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
