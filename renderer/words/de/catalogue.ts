// Texte des Fehlerkatalogs; die Einträge selbst sind die eigenen Worte der Station.
export const catalogue = {
  title: 'Fehler',
  filter: 'Wort, Art oder Code suchen',
  list: 'Alle Fehler',
  loading: 'Wird geladen…',
  none: 'Nichts hier hat diese Wörter.',
  ofRuns: 'Woran Läufe scheitern',
  group: {
    smp: 'Codes jeder Gruppe (MGMT_ERR)',
    os: 'Codes der OS-Gruppe',
    image: 'Codes der Image-Gruppe (IMG_ERR)',
    statistics: 'Codes der Statistik-Gruppe',
    settings: 'Codes der Settings-Gruppe',
    files: 'Codes der Datei-Gruppe',
    shell: 'Codes der Shell-Gruppe',
  },
  code: 'Code {code}',
  cause: 'Was dahintersteckt',
  evidence: 'Woran man es sieht',
  next: 'Was als Nächstes zu tun ist',
} as const
