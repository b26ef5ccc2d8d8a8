// Texte des Fensters, das ein Protokoll nur ansieht.
export const auditor = {
  readOnly: 'Nur lesen',
  bundle: 'Prüfbündel {path}',
  database: '{path}, Stand {at}',
  readAgain: 'Neu lesen',
  reading: 'Wird gelesen…',
  copying: 'Eine Kopie dieses Protokolls wird zur Seite gelegt, damit nichts daran berührt wird: {percent} %. Seine Einträge lassen sich schon lesen; Prüfung, Suche und Kennzahlen beginnen, wenn die Kopie da ist.',
  copyingLeft: 'Eine Kopie dieses Protokolls wird zur Seite gelegt, damit nichts daran berührt wird: {percent} %, noch {left}. Seine Einträge lassen sich schon lesen; Prüfung, Suche und Kennzahlen beginnen, wenn die Kopie da ist.',
  waits: 'Das beginnt, wenn die Kopie des Protokolls da ist: {percent} % sind es.',
  waitsLeft: 'Das beginnt, wenn die Kopie des Protokolls da ist: {percent} % sind es, noch {left}.',
} as const
