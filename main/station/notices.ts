// The notices of everything that ships, which every build writes beside the program.
import { readFile } from 'node:fs/promises'
import { Failure } from '../base/failure.ts'

/** Kind `no-notices`. */
export async function readNotices(path: string | null): Promise<{ text: string } | Failure> {
  try {
    if (path !== null) return { text: await readFile(path, 'utf8') }
  } catch {
    // Told below.
  }
  return new Failure('no-notices', 'The licence notices were not built with this program. "npm run build" writes them to out/NOTICES.txt.')
}
