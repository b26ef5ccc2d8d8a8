// Texts of the window that only looks at a log.
export const auditor = {
  readOnly: 'Read only',
  bundle: 'Audit bundle {path}',
  database: '{path}, as it was at {at}',
  readAgain: 'Read again',
  reading: 'Reading…',
} as const
