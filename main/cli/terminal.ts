// The two streams a person or a script reads. Text from boards and files can carry escape codes, so every line is
// washed before it reaches a terminal; and a reader that goes away (`| head`) ends our writing, not the program.

const escape = '\u001b'
/** Only the colours this program itself uses may pass to a terminal. */
const ownColours = ['0', '1', '2', '31', '32', '33', '36']

export type Paint = Readonly<Record<'bold' | 'dim' | 'good' | 'bad' | 'care' | 'name', (text: string) => string>>

const codes: Readonly<Record<keyof Paint, string>> = { bold: '1', dim: '2', good: '32', bad: '31', care: '33', name: '36' }

/** Colours for this stream: real ones on a terminal that wants them (https://no-color.org), else none. */
export function paintFor(stream: { isTTY?: boolean }, env: Readonly<Record<string, string | undefined>>): Paint {
  const coloured = stream.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
  const brush = (code: string) => (text: string) => (coloured ? `${escape}[${code}m${text}${escape}[0m` : text)
  return Object.fromEntries(Object.entries(codes).map(([name, code]) => [name, brush(code)])) as Paint
}

/** The text without control characters and without those that turn the writing direction; line ends, tabs and our own colours stay. */
export function washed(text: string): string {
   
  return text.replace(/\u001b\[([0-9;]{0,16})m|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (match, colour: string | undefined) =>
    (colour !== undefined && ownColours.includes(colour) ? match : '\ufffd'))
}

export type Writer = Readonly<{
  /** Writes words, washed. */
  words(text: string): void
  /** Writes bytes as they are. */
  bytes(bytes: Uint8Array): void
  /** True once the reader has gone away. */
  gone(): boolean
  /** Resolves when everything written so far has left the process. */
  flushed(): Promise<void>
}>

/** A writer over a stream for which a vanished reader is nothing bad. */
export function writerOn(stream: NodeJS.WriteStream): Writer {
  let gone = false
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO' && error.code !== 'ERR_STREAM_DESTROYED') throw error
    gone = true
  })
  const write = (chunk: string | Uint8Array) => {
    if (!gone && !stream.destroyed) stream.write(chunk)
  }
  return {
    words: (text) => write(washed(text)),
    bytes: write,
    gone: () => gone,
    flushed: () => new Promise((resolve) => {
      if (gone || stream.destroyed) return resolve()
      stream.write('', () => resolve())
    }),
  }
}

/** Columns of text, padded with spaces; the last column is left ragged. Colours do not count as width. */
export function columns(rows: readonly (readonly string[])[], gap = 2): string {
  const widths: number[] = []
  for (const row of rows) row.forEach((cell, i) => { widths[i] = Math.max(widths[i] ?? 0, widthOf(cell)) })
  return rows.map((row) => row.map((cell, i) =>
    (i === row.length - 1 ? cell : cell + ' '.repeat((widths[i] ?? 0) - widthOf(cell) + gap))).join('').trimEnd()).join('\n')
}

/** Characters a text takes on the screen, near enough: colours take none. */
export function widthOf(text: string): number {
   
  return [...text.replace(/\u001b\[[0-9;]*m/g, '')].length
}

/** A size for a person: `212 B`, `83.1 KiB`, `1.5 MiB`. */
export function sizeWords(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}
