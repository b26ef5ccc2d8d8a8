// Writes one item of unit data to a board and reads it back: a setting (written, handed to the firmware, saved) or a file.
// What was written is compared here and goes no further, since it may be a secret.
import { sameBytes, utf8 } from '../base/bytes.ts'
import { failed } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import type { UnitItem } from '../line/unit-data.ts'
import { readFile, writeFile } from '../smp/files.ts'
import { commitSettings, readSetting, saveSettings, writeSetting } from '../smp/settings.ts'
import type { Conversation } from './conversation.ts'

/** Writing flash may erase a page first. */
const itemTimeoutMs = 5_000

/** True when the board gives back what it was given. Failures: those of an exchange. */
export async function writeItem(item: UnitItem, talk: Conversation, bufferBytes: number, signal: AbortSignal): Promise<boolean | Failure> {
  const value = utf8(item.value)
  const options = { timeoutMs: itemTimeoutMs, signal }
  if (item.what === 'file') {
    const client = await talk.client(signal)
    if (failed(client)) return client
    const written = await writeFile(client, item.name, value, bufferBytes, options)
    if (failed(written)) return written
    const content = await readFile(client, item.name, options)
    return failed(content) ? content : sameBytes(content, value)
  }
  const written = await talk.ask(writeSetting, { name: item.name, value }, options)
  if (failed(written)) return written
  for (const command of [commitSettings, saveSettings]) {
    const done = await talk.ask(command, {}, options)
    // A firmware without one of them keeps what it is given at once.
    if (failed(done) && done.kind !== 'refused') return done
  }
  const back = await talk.ask(readSetting, { name: item.name, maxBytes: value.length }, options)
  return failed(back) ? back : sameBytes(back.value, value)
}
