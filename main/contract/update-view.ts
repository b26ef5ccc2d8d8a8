// What the outside sees of the station's own updates.
import { z } from 'zod'
import type { SaidView } from './failure-view.ts'

/** A folder's full path, or http(s). */
export const updateSource = z.string().min(1).max(2000).refine((text) => /^https?:\/\/[^\s]+$/.test(text) || /^(\/|[A-Za-z]:[\\/]|\\\\)/.test(text), 'a source is a folder\'s full path or an http(s) address')

export const updateSettings = z.strictObject({
  source: updateSource.nullable(),
  /** The publisher's key as name+id+base64 (C2SP signed note). */
  key: z.string().min(1).max(400).nullable(),
  /** Whether a new version is looked for at each start; it is never taken by itself. */
  atStart: z.boolean(),
})

export type UpdateSettings = z.output<typeof updateSettings>

export type UpdateView = UpdateSettings & Readonly<{
  running: string
  /** How this station was installed; null when it runs from its sources, which nothing here replaces. */
  installed: string | null
  state: 'off' | 'unknown' | 'checking' | 'current' | 'newer' | 'fetching' | 'fetched' | 'applied'
  release: Readonly<{ version: string; day: string; notes: string; bytes: number }> | null
  fetchedBytes: number
  /** What is to be done with what was fetched, once it was applied; `file` is for opening by the shell. */
  todo: (SaidView & Readonly<{ file: string | null; command: string | null }>) | null
}>
