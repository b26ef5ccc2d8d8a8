// Texte für das Etikett eines Geräts.
export const label = {
  title: 'Etikett für {unit}',
  open: 'Etikett…',
  says: 'Was das Gerät zuletzt gesagt hat, mit einem Code, der zum Eintrag führt.',
  width: 'Breite, mm',
  height: 'Höhe, mm',
  dpi: 'Drucker, Punkte je Zoll',
  set: 'Größe setzen',
  zpl: 'ZPL speichern…',
  pdf: 'PDF speichern…',
  print: 'Drucken…',
  code: 'Der Code sagt',
} as const
