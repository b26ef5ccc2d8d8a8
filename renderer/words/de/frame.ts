// Texte des Fensterrahmens: die Namen seiner Ansichten, und die Seite, die erscheint, wenn keine Station zu öffnen war.
export const app = {
  name: 'Slotwright',
  views: 'Ansichten',
  line: 'Linie',
  recipes: 'Rezepte',
  desk: 'Signieren',
  images: 'Images',
  keys: 'Schlüssel',
  boards: 'Boards',
  failures: 'Fehler',
  log: 'Protokoll',
  people: 'Personen',
  settings: 'Optionen',
  opening: 'Die Station wird geöffnet…',
  close: 'Schließen',
  cancel: 'Abbrechen',
  dismiss: 'Ausblenden',
  bug: 'Im Fenster ist etwas kaputtgegangen: {what}. Ihre Boards und das Protokoll sind davon nicht berührt. Laden Sie mit Strg+R neu.',
} as const

export const startFailure = {
  title: 'Die Station ließ sich nicht öffnen',
  thenAgain: 'Beheben Sie es und versuchen Sie es erneut; dieses Fenster bleibt so lange.',
  again: 'Erneut versuchen',
  trying: 'Wird versucht…',
  kind: 'Art',
} as const
