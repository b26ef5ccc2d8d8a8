// Texte des Fensters, das ein Protokoll nur ansieht.
export const auditor = {
  readOnly: 'Nur lesen',
  bundle: 'Prüfbündel {path}',
  database: '{path}, Stand {at}',
  readAgain: 'Neu lesen',
  reading: 'Wird gelesen…',
} as const
