// Texts of the window that only looks at a log.
export const auditor = {
  readOnly: 'Read only',
  bundle: 'Audit bundle {path}',
  database: '{path}, as it was at {at}',
  readAgain: 'Read again',
  reading: 'Reading…',
  copying: 'Setting a copy of this log aside, so that nothing of it is touched: {percent} %. Its entries can be read already; the check, searches and figures begin when the copy is there.',
  copyingLeft: 'Setting a copy of this log aside, so that nothing of it is touched: {percent} %, {left} left. Its entries can be read already; the check, searches and figures begin when the copy is there.',
  waits: 'This begins when the copy of the log is there: {percent} % of it is.',
  waitsLeft: 'This begins when the copy of the log is there: {percent} % of it is, {left} to go.',
} as const
