// What the window remembers between starts: size, theme (so that the first frame has the right colour), language (which the
// runtime must be told before it is ready) and whether the practice line was wanted. A small file beside the database; damaged or foreign content means the defaults.
import { readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { languageNames } from '../contract/views.ts'

const schema = z.strictObject({
  width: z.number().int().min(400).max(20_000),
  height: z.number().int().min(300).max(20_000),
  maximized: z.boolean(),
  theme: z.enum(['system', 'light', 'dark', 'contrast']),
  /** Files of before it was remembered have none. */
  language: z.enum(['system', ...languageNames]).default('system'),
  practice: z.boolean(),
})

export type Remembered = z.infer<typeof schema>

export const atFirst: Remembered = { width: 1280, height: 800, maximized: false, theme: 'system', language: 'system', practice: true }

const bytesMax = 4096

/** What the file says, or the defaults. */
export function recall(file: string): Remembered {
  try {
    const text = readFileSync(file, 'utf8')
    if (text.length > bytesMax) return atFirst
    const read = schema.safeParse(JSON.parse(text))
    return read.success ? read.data : atFirst
  } catch {
    // Missing at the first start; unreadable or not JSON is worth no more than the defaults.
    return atFirst
  }
}

/** Keeps it by writing beside and renaming; a disk that refuses costs the window size and nothing else. */
export async function remember(file: string, what: Remembered): Promise<void> {
  try {
    await writeFile(`${file}.new`, JSON.stringify(what), { mode: 0o600 })
    await rename(`${file}.new`, file)
  } catch {
    return
  }
}
