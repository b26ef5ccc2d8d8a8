// Texte zu den Aktualisierungen der Station und zu den Lizenzen dessen, was in ihr steckt.
export const updates = {
  title: 'Aktualisierungen',
  says: 'Aus, bis Sie einen Ort und einen Schlüssel nennen. Nichts wird ungefragt geholt, und nie neben einem Los.',
  source: 'Wo Versionen liegen',
  sourceHint: 'Der volle Pfad eines Ordners oder eine http(s)-Adresse.',
  key: 'Schlüssel des Herausgebers',
  keyHint: 'In der Form name+id+base64, wie der Herausgeber ihn angibt. Versionen, die er nicht signiert hat, werden abgelehnt.',
  atStart: 'Bei jedem Start nach einer neueren Version sehen',
  save: 'Speichern',
  off: 'Ausschalten',
  check: 'Jetzt nachsehen',
  fetch: 'Holen',
  apply: 'Einsetzen',
  state: 'Stand',
  states: {
    off: 'Aktualisierungen sind aus.',
    unknown: 'Noch nicht nachgesehen.',
    checking: 'Wird nachgesehen…',
    current: 'Das ist die neueste Version.',
    newer: 'Version {version} vom {day} ist da.',
    fetching: 'Version {version} wird geholt: {percent}',
    fetched: 'Version {version} ist geholt und hält.',
    applied: 'Version {version} ist bereit.',
  },
  sources: 'Diese Station läuft aus ihren Quellen; Aktualisierungen sind für installierte.',
  notAllowed: 'Aktualisierungen setzt und holt die Verwaltung.',
} as const

export const notices = {
  show: 'Lizenzen der Bestandteile…',
  title: 'Lizenzen',
  says: 'Slotwright steht unter Apache-2.0. Es enthält die Pakete unten; die von Electron und Chromium liegen neben dem Programm.',
  reading: 'Wird gelesen…',
} as const
