// Texte des Programms selbst auf Deutsch: Dialoge des Systems, Menü, letzte Worte.
import type { ShellWords } from './en.ts'

export const de: ShellWords = {
  allFiles: 'Alle Dateien',
  open: {
    firmware: { title: 'Firmware wählen', files: 'Firmware' },
    image: { title: 'Signiertes Image, Firmware-Paket oder Update-Archiv wählen', files: 'Signiertes Image, Paket oder Archiv' },
    key: { title: 'Schlüssel wählen', files: 'PEM' },
    module: { title: 'PKCS#11-Modul des Tokens wählen', files: 'PKCS#11-Modul' },
    text: { title: 'Signatur wählen', files: 'Signatur, Base64' },
    value: { title: 'Datei wählen, die ins TLV kommt', files: '' },
    table: { title: 'Tabelle mit Gerätedaten wählen', files: 'Tabelle' },
    folder: { title: 'Ordner wählen, in den Ereignisse gehen', files: '' },
    log: { title: 'Protokoll zum Ansehen wählen', files: 'Protokoll oder Prüfbündel' },
  },
  save: {
    signed: { title: 'Signiertes Image speichern', files: 'Signiertes Image' },
    digest: { title: 'Speichern, was zu signieren ist', files: 'Digest' },
    bundle: { title: 'Prüfbündel speichern', files: 'Prüfbündel' },
    recall: { title: 'Zurückgerufene Geräte speichern', files: 'Tabelle' },
    history: { title: 'Verlauf des Geräts speichern', files: 'Tabelle' },
    receipts: { title: 'Ladequittungen speichern', files: 'Ladequittungen' },
    'report-html': { title: 'Bericht speichern', files: 'Webseite' },
    'report-pdf': { title: 'Bericht speichern', files: 'PDF' },
    'label-zpl': { title: 'Etikett speichern', files: 'ZPL-Etikett' },
    'label-pdf': { title: 'Etikett speichern', files: 'PDF' },
  },
  quit: {
    title: 'Ein Los läuft',
    message: 'Ein Los läuft.',
    detail: 'Boards, die gerade beschrieben werden, enden als gestoppt; jedes behält ein startfähiges Image. Das Protokoll sagt, wie weit jedes kam.',
    keep: 'Weiterlaufen lassen',
    stop: 'Los stoppen und beenden',
  },
  menu: {
    station: 'Station', lookFile: 'Protokolldatei oder Prüfbündel ansehen…', lookHome: 'Protokoll eines Home-Ordners ansehen…', quit: 'Beenden',
    edit: 'Bearbeiten', undo: 'Rückgängig', redo: 'Wiederholen', cut: 'Ausschneiden', copy: 'Kopieren', paste: 'Einfügen', selectAll: 'Alles auswählen',
    view: 'Ansicht', reload: 'Neu laden', actualSize: 'Originalgröße', zoomIn: 'Größer', zoomOut: 'Kleiner', fullScreen: 'Vollbild', tools: 'Entwicklerwerkzeuge',
  },
  notOpened: 'Das Protokoll wurde nicht geöffnet',
  fault: {
    title: 'Slotwright hat angehalten',
    says: 'In Slotwright ist ein Fehler, und es kann nicht weitermachen.',
    station: 'Das Protokoll ist unversehrt: Was getan wurde, ist geschrieben, und der nächste Start sagt, wie weit jedes Board kam.',
    auditor: 'Das angesehene Protokoll ist, wie es war.',
    more: 'Das Terminal zeigt mehr.',
  },
}
