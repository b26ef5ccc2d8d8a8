// Arguments held against the contract, whatever they are. What surprised us: zod's length checks compare before they know
// that a value is a text, so `{ length: { toString: [] } }` makes them throw; here that is one more value that does not fit.
import { methods } from './api.ts'
import type { MethodName } from './api.ts'

/** The checked arguments, or where the first fault lies (empty: at the top) and what is wrong there. Never throws. */
export function checkArguments(method: MethodName, given: unknown): Readonly<{ fits: true; args: unknown } | { fits: false; at: string; says: string }> {
  try {
    const parsed = methods[method].args.safeParse(given)
    if (parsed.success) return { fits: true, args: parsed.data }
    const issue = parsed.error.issues[0]
    return { fits: false, at: issue?.path.map(String).join('.') ?? '', says: issue?.message ?? 'they are not what is expected' }
  } catch {
    return { fits: false, at: '', says: 'they are not what is expected' }
  }
}
