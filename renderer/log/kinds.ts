// Kinds of entries a reader may filter by, before any page has been read; kinds that turn up in the rows are added.
// They are names of main/log/kinds.ts, which the window may not import; a test compares the two.
export const entryKinds: readonly string[] = [
  'station-started', 'station-stopped', 'update-fetched', 'update-applied', 'clock-stepped', 'settings', 'sign-in', 'sign-in-refused', 'sign-out', 'station-locked', 'person-added', 'person-changed', 'person-retired', 'person-locked', 'person-unlocked', 'refusal', 'key-created',
  'key-imported', 'key-used', 'key-exported', 'key-retired', 'image-signed', 'image-refused', 'recipe-released', 'recipe-withdrawn', 'batch-started',
  'batch-ended', 'unit-named', 'console-intended', 'console-done', 'retry-asked', 'board-attached', 'board-detached', 'run-started', 'preflight-refused', 'preflight-note', 'slot-erase-intended', 'slot-erased', 'slot-write-intended', 'slot-write-done',
  'slot-write-failed', 'mark-intended', 'marked', 'reset-intended', 'reset', 'booted', 'image-runs', 'unit-data-intended', 'unit-data-written', 'unit-data-failed', 'proof-passed', 'proof-failed', 'confirm-intended',
  'confirmed', 'outcome', 'export', 'log-verified',
]
