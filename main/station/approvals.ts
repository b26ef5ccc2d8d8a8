// Two-person approval, out of the log alone: an approval is an entry, it names key, firmware and version, and it counts for
// one signature, whose entry names it. Nothing is remembered beside the log, so a restart neither loses nor revives any.
import { failed } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import type { AuditStore } from '../store/audit.ts'
import { text } from './history.ts'

/** Approvals looked at, newest first. */
const approvalsMax = 500

/** `account` null: given before people had accounts; it counts for nothing. */
export type Approval = Readonly<{ entry: number; person: string; account: string | null }>

/** What an approval is for. */
export type Approved = Readonly<{ key: string; inputSha256: string; version: string }>

/** Approvals of exactly this that no signature has used, newest first. */
export function unusedApprovals(audit: AuditStore, wanted: Approved): Approval[] | Failure {
  const listed = audit.list({ kind: 'use-approved', text: wanted.inputSha256, limit: approvalsMax })
  if (failed(listed)) return listed
  const unused: Approval[] = []
  for (const { seq, entry } of listed) {
    if (failed(entry) || text(entry, 'key') !== wanted.key || text(entry, 'inputSha256') !== wanted.inputSha256 || text(entry, 'version') !== wanted.version) continue
    const used = audit.count({ kind: 'image-signed', text: `"approval":${seq},` })
    if (failed(used)) return used
    if (used === 0) unused.push({ entry: seq, person: entry.person, account: text(entry, 'account') })
  }
  return unused
}
