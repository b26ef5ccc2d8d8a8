// Was hinter den Arten von Fehlern steckt, mit denen ein Lauf, ein Start oder eine Frage an ein Board endet: Ursache und
// Nachweis, und der nächste Schritt, wo station.ts (todo) keinen hat.
const history = 'Der Verlauf des Laufs (an der Linie den Platz drücken) und dieselben Einträge im Protokoll.'
const ownCode = 'Der Code des Boards darin hat hier einen eigenen Eintrag.'
const slots = 'Die Image-Liste des Boards (Boards, Abfragen): welcher Slot läuft, welcher vorgemerkt und welcher bestätigt ist.'
const boot = 'Die Startausgabe auf der Konsole des Boards: MCUboot sagt, was es mit jedem Slot getan hat.'
const facts = 'Die Angaben zum Image (Images): Version, Hash, Schlüssel und Signatur.'
const keys = 'Der Fingerabdruck des Schlüssels im Image (Images) neben den Schlüsseln der Station (Schlüssel).'
const wiring = 'Andere Boards am selben Platz und dasselbe Board an einem anderen Platz: Was mit dem Kabel wandert, ist das Kabel.'
const swapMode = 'Der Swap-Modus (Boards, Abfragen).'
const runningVersion = 'Die laufende Version (Boards, Abfragen).'
const ownSentence = 'Der genaue Satz der Station zu diesem Fehler'
const packageFacts = 'Schichten und Attribute des Pakets (Images) und der Eintrag der Ablehnung im Protokoll.'
const bayPlan = 'Der Platzplan und der Hub-Pfad des Boards.'

export const runs = {
  // Wie ein Lauf enden kann
  'proof-failed': {
    cause: 'Das neue Image lief und tat nicht, was das Rezept verlangt: Es beantwortete kein Echo, meldete eine andere Version oder ist ein anderes Image als das gesendete.',
    evidence: `${history} Dort steht, welcher Nachweis es war und was das Board sagte.`,
  },
  'self-test-failed': {
    cause: 'Ein Test des Rezepts maß etwas außerhalb seiner Grenzen: Es liegt an einem Bauteil des Boards, oder eine Grenze ist zu eng.',
    evidence: `${history} Dort steht, welcher Test es war, was gemessen wurde und was verlangt war.`,
  },
  'unit-data-refused': {
    cause: 'Die Firmware hat keine Einstellung oder Datei dieses Namens, oder sie lässt sie nicht schreiben.',
    evidence: `${history} ${ownCode}`,
  },
  'unit-data-differs': {
    cause: 'Ein Wert wurde geschrieben und kam verändert zurück: Die Firmware behält weniger davon, oder ihr Speicher ist verschlissen oder voll.',
    evidence: `${history} Lesen Sie die Einstellung auf der Konsole des Boards.`,
  },
  'no-unit-data': {
    cause: 'Die Tabelle mit Gerätedaten hat keine Zeile für diese Seriennummer, oder ihr fehlt eine Spalte, die das Rezept nennt.',
    evidence: 'Die Tabelle selbst, bei der Seriennummer, die der Platz zeigt.',
  },
  'no-return': {
    cause: 'Nach dem Neustart antwortete rechtzeitig nichts: Das Image hängt beim Start, der Bootloader tauscht noch, oder Strom oder Kabel sind weg.',
    evidence: `${boot} Schweigt sie, liegt es an Strom oder Kabel; bricht der Start ab, liegt es am Image.`,
  },
  'not-swapped': {
    cause: 'Der Bootloader sah das neue Image an und behielt das alte: Er vertraut einem anderen Schlüssel, das Image passt nicht in seinen Slot, oder sein Sicherheitszähler ist niedriger.',
    evidence: `${boot} ${keys}`,
  },
  'not-reverted': {
    cause: 'Das Board sollte zurück und tat es nicht: Sein Bootloader überschreibt, ohne das alte Image aufzuheben, oder das neue hat sich selbst bestätigt.',
    evidence: `${slots} Dort steht auch der Swap-Modus.`,
  },
  'not-confirmed': {
    cause: 'Das Board nahm die Bestätigung an und führt das Image nicht als bestätigt: Der Trailer am Ende des Slots ließ sich nicht schreiben.',
    evidence: `${slots} ${history}`,
  },
  'confirm-refused': {
    cause: 'Die Firmware lehnte die Bestätigung ab: wegen eines Hooks in ihr, oder weil das Image nicht das ist, das läuft.',
    evidence: `${history} ${ownCode}`,
  },
  'restarted-by-itself': {
    cause: 'Zwischen zwei Schritten stand das Board anders da, als es sollte: wegen eines Watchdogs, eines Absturzes des neuen Images oder eines Einbruchs seiner Versorgung.',
    evidence: `${boot} Zu suchen ist ein zweiter Start darin, den niemand verlangt hat.`,
  },
  'not-reset': {
    cause: 'Das Board nahm den Neustart an und läuft weiter wie zuvor: Seine Firmware kann sich nicht selbst neu starten, oder ein Debugger hält es an.',
    evidence: `${history} ${slots}`,
  },
  'reset-refused': {
    cause: 'Die Firmware lehnte den Neustart ab: Der Befehl ist nicht eingebaut, oder ein Hook verweigert ihn, solange etwas im Gang ist.',
    evidence: `${history} ${ownCode}`,
  },
  'mark-refused': {
    cause: 'Das Board wollte das Image nicht vormerken: Es findet keines mit diesem Hash, oder ein anderes ist schon vorgemerkt.',
    evidence: `${slots} Der Code des Boards im Verlauf hat hier einen eigenen Eintrag.`,
  },
  'mark-not-taken': {
    cause: 'Die Vormerkung wurde angenommen und steht nicht in der Liste: Der Trailer am Ende des Slots ließ sich nicht schreiben, oder das Board startete neu.',
    evidence: slots,
  },
  'upload-refused': {
    cause: 'Das Board wollte das Image oder sein nächstes Stück nicht nehmen: Kein Slot ist frei, der Header stimmt nicht, oder es ist zu groß.',
    evidence: `${history} ${ownCode}`,
  },
  'upload-failed': {
    cause: 'Die Übertragung blieb mehrmals stehen: Auf der Leitung gehen Bytes verloren, der Adapter hält die Rate nicht, oder das Board startete neu.',
    evidence: `${wiring} ${history}`,
  },
  'slot-mismatch': {
    cause: 'Was nach der Übertragung im Slot liegt, ist nicht, was gesendet wurde: Es wurde unterwegs beschädigt, oder der Flash ist verschlissen.',
    evidence: `${slots} Der Hash dort neben dem des Images selbst (Images).`,
  },
  'no-answer': {
    cause: 'Es kam nichts Brauchbares zurück: Der Strom fehlt, die Leitungsrate ist eine andere, Leitungen sind vertauscht, oder die Firmware spricht an diesem Port kein SMP.',
    evidence: '„Board anschließen“ an der Linie probiert Raten und Rahmungen; die Konsole zeigt, was das Board überhaupt sendet.',
  },
  unplugged: {
    cause: 'Der Port verschwand mitten im Lauf und kam nicht wieder: Es liegt an Kabel, Hub oder Strom.',
    evidence: `${wiring} Die Einträge im Protokoll über abgezogene Boards.`,
  },
  stuck: {
    cause: 'Ein früheres Update hängt halb fertig, und ein Neustart brachte das Board nicht darüber hinaus.',
    evidence: `${slots} ${boot}`,
  },
  'nothing-runs': {
    cause: 'Das Board nennt kein laufendes Image: Es ist in seinem Bootloader, oder sein erster Slot enthält nichts Gültiges.',
    evidence: `${boot} ${slots}`,
  },
  'log-failed': {
    cause: 'Die Station konnte ihr Protokoll nicht schreiben: Die Platte ist voll, oder ein anderes Programm hält die Datenbank.',
    evidence: 'Der freie Platz auf der Platte des Stationsordners (Optionen) und der erste solche Fehler im Los.',
  },
  stopped: {
    cause: 'Jemand hat das Los gestoppt, oder die Station wurde geschlossen.',
    evidence: 'Das Protokoll: Es nennt, wer gestoppt hat.',
  },
  'station-died': {
    cause: 'Die Station endete, ohne den Lauf abzuschließen: Sie stürzte ab, oder der Strom fiel aus.',
    evidence: 'Das Protokoll: ein Start ohne Ende davor. Der letzte nachgewiesene Schritt des Laufs steht in seinem Verlauf.',
  },
  // Vor dem ersten Byte
  'no-recovery': {
    cause: 'Kein Bootloader in serieller Recovery antwortete rechtzeitig: Er wurde ohne sie gebaut, ihr Pin oder ihr Moment wurde verpasst, oder DTR und RTS sind anders verdrahtet.',
    evidence: 'Der Weg in die Recovery im Board-Profil; die Konsole, während das Board neu startet.',
  },
  'hash-wrong': {
    cause: 'Der Inhalt der Datei passt nicht zu ihrem eigenen Hash: Sie wurde unterwegs abgeschnitten oder verändert.',
    evidence: `${facts} Dieselbe Datei dort, wo sie signiert wurde.`,
  },
  'not-bootable': {
    cause: 'Das Image wurde mit dem Flag signiert, das sagt, dass es nicht gestartet werden soll.',
    evidence: facts,
  },
  'has-trailer': {
    cause: 'Das Image wurde mit --pad oder --confirm signiert und würde sich selbst vormerken oder bestätigen, bevor irgendetwas geprüft ist.',
    evidence: facts,
  },
  unsigned: {
    cause: 'Die Datei hat keine Signatur: Sie wurde gebaut und nicht signiert, oder ohne Schlüssel signiert.',
    evidence: facts,
  },
  'signature-invalid': {
    cause: 'Die Signatur gehört nicht zu diesen Bytes: Die Datei wurde nach dem Signieren verändert, oder sie nennt einen Schlüssel, der sie nicht signiert hat.',
    evidence: `${facts} ${keys}`,
  },
  'unknown-key': {
    cause: 'Der Schlüssel, den das Image nennt, ist hier nicht bekannt; deshalb lässt sich seine Signatur nicht prüfen.',
    evidence: keys,
  },
  'key-not-allowed': {
    cause: 'Das Image wurde mit einem bekannten Schlüssel signiert, den das Rezept nicht nennt.',
    evidence: `${keys} Die erlaubten Schlüssel des Rezepts (Rezepte).`,
  },
  'key-retired': {
    cause: 'Der Schlüssel, der das Image signiert hat, wurde an dieser Station außer Dienst gestellt.',
    evidence: 'Die Zeile des Schlüssels (Schlüssel) und das Protokoll: seit wann er außer Dienst ist.',
  },
  'test-key': {
    cause: 'Das Rezept ist für Produktion, und das Image wurde mit einem Testschlüssel signiert.',
    evidence: `${keys} Ob das Rezept für Produktion oder Test ist (Rezepte).`,
  },
  'image-too-large': {
    cause: 'Das Image und das, was der Bootloader dahinter braucht, passen nicht in den Slot.',
    evidence: 'Der Platz, den jeder Swap-Modus lässt (Images, „Platz in den Slots“), neben der Slot-Größe (Boards, Abfragen).',
  },
  downgrade: {
    cause: 'Das Image ist älter als das laufende, und das Rezept erlaubt keinen Schritt zurück.',
    evidence: `${facts} ${runningVersion}`,
  },
  'downgrade-prevented': {
    cause: 'Der Bootloader selbst nimmt kein älteres Image; daran kann kein Rezept etwas ändern.',
    evidence: 'Die Antwort des Bootloaders (Boards, Abfragen).',
  },
  'not-started': {
    cause: 'In der seriellen Recovery wurde das Image geschrieben und nicht gestartet: Der Bootloader vertraut seinem Schlüssel nicht, oder es passt nicht.',
    evidence: `${boot} ${keys}`,
  },
  'no-way-back': {
    cause: 'Das Rezept verlangt Boards, die zurückkönnen, und der Bootloader dieses Boards hebt kein altes Image auf.',
    evidence: swapMode,
  },
  'not-newer': {
    cause: 'Der Bootloader führt immer das neuere Image aus, und dieses ist nicht neuer.',
    evidence: `${facts} ${runningVersion}`,
  },
  'erase-refused': {
    cause: 'Im anderen Slot liegt ein Image, das der Bootloader als Nächstes ausführen würde, und das Board löscht es nicht.',
    evidence: slots,
  },
  'dependency-unmet': {
    cause: 'Das Image nennt ein anderes Image desselben Boards, das neuer sein muss als das vorhandene.',
    evidence: `${facts} ${slots}`,
  },
  'image-not-listed': {
    cause: 'Das Update bringt ein Image mit einer Nummer, die dieses Board nicht führt.',
    evidence: slots,
  },
  'one-image-only': {
    cause: 'In der seriellen Recovery wird ein Image über das laufende geschrieben, und das Update bringt mehrere.',
    evidence: boot,
  },
  'no-variant': {
    cause: 'Das Update bringt ein Image für den Slot, der läuft, und keines für den freien.',
    evidence: `${slots} Die Images des Archivs (Images).`,
  },
  compressed: {
    cause: 'Das Image ist komprimiert, und der Bootloader dieses Boards tauscht: Nur einer, der überschreibt, kann entpacken.',
    evidence: swapMode,
  },
  'not-for-ram': {
    cause: 'Der Bootloader lädt Images in den RAM, und dieses nennt keine Ladeadresse.',
    evidence: facts,
  },
  'for-ram': {
    cause: 'Das Image ist dafür gemacht, in den RAM geladen zu werden, und dieser Bootloader führt es aus dem Flash aus.',
    evidence: facts,
  },
  'mode-unsupported': {
    cause: 'Der Bootloader tauscht auf eine Weise, die diese Station nicht beherrscht.',
    evidence: swapMode,
  },
  'no-such-port': {
    cause: 'Den Port, den das Board hatte, gibt es nicht mehr.',
    evidence: 'Die Liste der Boards (Boards): Das Board ist vielleicht unter einem anderen Namen wieder da.',
  },
  'port-held': {
    cause: 'Ein anderes Programm oder ein anderer Teil dieser Station hat den Port geöffnet.',
    evidence: `${ownSentence}: Er nennt das Programm, wenn das System es verrät.`,
  },
  'no-permission': {
    cause: 'Wer hier am System angemeldet ist, darf keine seriellen Ports öffnen.',
    evidence: '„Board anschließen“ an der Linie zeigt die Befehle, die es erlauben.',
  },
  refused: {
    cause: 'Das Board hat den Befehl verstanden und abgelehnt.',
    evidence: `${history} ${ownCode}`,
  },
  'too-large': {
    cause: 'Die Datei ist größer als alles, was SMP übertragen kann.',
    evidence: facts,
  },
  fault: {
    cause: 'Es ist ein Fehler in Slotwright selbst. Kein Board ist daran schuld.',
    evidence: 'Der Satz im Verlauf des Laufs, für die Person, die den Fehler behebt.',
  },
  'buffer-too-small': {
    cause: 'Die Puffer des Boards fassen nicht einmal das erste Stück einer Übertragung.',
    evidence: 'Die Puffer, die das Board nennt (Boards, Abfragen), und die in seinem Profil.',
  },
  // Ports und Boards außerhalb eines Laufs
  timeout: {
    cause: 'Das Board brauchte länger, als der Befehl Zeit hat, oder die Antwort ging auf der Leitung verloren.',
    evidence: wiring,
    next: 'Fragen Sie noch einmal. Bleibt es dabei, prüfen Sie Leitungsrate und Kabel.',
  },
  garbled: {
    cause: 'Die Antwort des Boards passt nicht zu dem, was gefragt wurde: Es spricht einen anderen Dialekt des Protokolls, oder auf der Leitung gingen Bytes verloren.',
    evidence: 'Die Konsole zeigt, was das Board sendet; die Version seiner Firmware verrät den Dialekt.',
    next: 'Fragen Sie noch einmal. Bleibt es dabei, nennen Sie dem Hersteller der Firmware ihre Version.',
  },
  stalled: {
    cause: 'Das Board beantwortet jedes Stück und nimmt keines: Sein Flash ist beschäftigt, oder Board und Station sind sich nicht einig, wie weit die Übertragung ist.',
    evidence: 'Die Meldungen des Boards auf seiner Konsole, während die Übertragung läuft.',
    next: 'Starten Sie das Board neu und lassen Sie es noch einmal laufen; bleibt es dabei, legen Sie es beiseite.',
  },
  'no-lines': {
    cause: 'Das Board-Profil schaltet DTR und RTS des Ports, und dieser Adapter oder dieses Pseudoterminal hat sie nicht.',
    evidence: 'Die Schritte des Board-Profils (Boards, Profile).',
    next: 'Nehmen Sie einen Adapter mit diesen Leitungen, oder ein Profil mit einem anderen Weg in die Recovery.',
  },
  'no-such-profile': {
    cause: 'Das Rezept nennt ein Board-Profil, das diese Station nicht hat.',
    evidence: 'Das Rezept (Rezepte) und die Profile (Boards, Profile).',
    next: 'Importieren Sie das Profil, oder wählen Sie im Rezept ein anderes.',
  },
  'bad-profile': {
    cause: 'Die Datei eines Board-Profils wurde von Hand geändert, oder eine andere Version hat sie geschrieben.',
    evidence: `${ownSentence}: Er nennt die Datei und das Feld.`,
    next: 'Berichtigen Sie die Datei, oder entfernen Sie sie und speichern Sie das Profil neu.',
  },
  'no-such-question': {
    cause: 'Die Frage an die Bedienung hat jemand anderes beantwortet, ihre Zeit lief ab, oder ihr Lauf endete.',
    evidence: history,
    next: 'Es ist nichts zu tun; der Verlauf des Laufs sagt, wie es weiterging.',
  },
  'port-failed': {
    cause: 'Der Treiber des Systems hat den Port abgelehnt.',
    evidence: `${ownSentence}: Darin stehen die Worte des Systems.`,
    next: 'Stecken Sie das Board neu an; bleibt es dabei, starten Sie den USB-Hub des Rechners neu.',
  },
  'port-stuck': {
    cause: 'Der Treiber des Systems gibt den Port nicht wieder frei.',
    evidence: history,
    next: 'Ziehen Sie das Board ab und stecken Sie es neu an.',
  },
  'bad-baud-rate': {
    cause: 'Der Treiber des Ports kann die verlangte Leitungsrate nicht.',
    evidence: 'Die Leitungsrate im Board-Profil und in den Optionen.',
    next: 'Wählen Sie die Rate, für die die Firmware des Boards gebaut wurde.',
  },
  'board-silent': {
    cause: 'Bei keiner der üblichen Raten kommt auch nur ein Byte vom Port.',
    evidence: 'Ein Messgerät oder Oszilloskop an TX des Boards.',
    next: 'Prüfen Sie den Strom, dann die Leitungen: TX an RX, RX an TX, Masse an Masse.',
  },
  'not-smp': {
    cause: 'Das Board sendet etwas, antwortet an diesem Port aber nicht mit SMP.',
    evidence: 'Die Konsole zeigt, was es sendet.',
    next: 'Nehmen Sie eine Firmware mit MCUmgr an genau diesem Port.',
  },
  // Los und Linie
  'too-many-failures': {
    cause: 'Das Los hielt von selbst an: Image, Vorrichtung und Strom haben alle seine Boards gemeinsam.',
    evidence: 'Die letzten Fehler des Loses; meist sind sie von einer Art.',
    next: 'Sehen Sie die letzten Fehler an, bevor Sie wieder starten.',
  },
  'other-bay': {
    cause: 'Das Board wurde mitten in der Arbeit in eine andere Buchse gesteckt.',
    evidence: bayPlan,
    next: 'Stecken Sie es zurück an den Platz, den die Kachel nennt.',
  },
  'unknown-place': {
    cause: 'Das Board steckt in einer Buchse, die nie angelernt wurde.',
    evidence: bayPlan,
    next: 'Stecken Sie es an einen Platz der Vorrichtung, oder lernen Sie diese Buchse an.',
  },
  'serial-format': {
    cause: 'Was gescannt wurde, sieht nicht so aus, wie Seriennummern nach dem Rezept aussehen.',
    evidence: 'Das Format im Rezept neben dem Etikett.',
    next: 'Scannen Sie das Etikett am Gerät.',
  },
  'serial-used': {
    cause: 'Nach dem Protokoll dieser Station hat ein anderes Gerät diese Seriennummer.',
    evidence: 'Das Protokoll, nach der Seriennummer durchsucht.',
    next: 'Scannen Sie das richtige Etikett; tragen zwei Geräte dieselbe Nummer, legen Sie beide beiseite.',
  },
  'bad-table': {
    cause: 'Die Tabelle mit Gerätedaten ist keine CSV-Datei in UTF-8 mit einer Kopfzeile.',
    evidence: `${ownSentence}: Er nennt die Zeile.`,
    next: 'Speichern Sie die Tabelle als CSV in UTF-8, mit Kommas getrennt.',
  },
  'no-boards': {
    cause: 'An keinem der gewählten Plätze ist ein Board.',
    evidence: 'Die Plätze auf der Linie.',
    next: 'Stecken Sie Boards an, oder starten Sie die Übungslinie.',
  },
  'batch-running': {
    cause: 'Was verlangt wurde, geht erst, wenn das Los beendet ist.',
    evidence: 'Die Linie.',
    next: 'Warten Sie, oder stoppen Sie das Los.',
  },
  // Rezepte
  'recipe-not-released': {
    cause: 'Das Rezept ist ein Entwurf oder wurde zurückgezogen.',
    evidence: 'Sein Stand (Rezepte).',
    next: 'Lassen Sie es von der Technik freigeben.',
  },
  'recipe-broken': {
    cause: 'Ein freigegebenes Rezept ist nicht, was seine Freigabe sagt: Es wurde in der Datenbank verändert, oder eine andere Station hat es freigegeben.',
    evidence: 'Die Zeile des Rezepts (Rezepte) und der Eintrag seiner Freigabe im Protokoll.',
    next: 'Vergleichen Sie es mit dem Protokoll, und geben Sie es neu frei.',
  },
  'file-not-in-recipe': {
    cause: 'Das Rezept bestimmt Dateien durch ihren Inhalt, und diese ist keine davon.',
    evidence: 'Die Dateien des Rezepts (Rezepte) neben dem SHA-256 der Datei (Images).',
    next: 'Nehmen Sie eine Datei, die das Rezept nennt, oder geben Sie eine Revision frei, die diese nennt.',
  },
  // Firmware-Pakete
  'not-a-package': {
    cause: 'Das Rezept sendet Firmware-Pakete, und die Datei ist ein Image.',
    evidence: packageFacts,
    next: 'Wählen Sie ein Paket, oder lassen Sie das Rezept Images senden.',
  },
  'not-plain': {
    cause: 'Die Firmware im Paket ist verschlüsselt, komprimiert oder zerteilt, und ein Kern führt genau die Bytes aus, die dort liegen.',
    evidence: packageFacts,
    next: 'Lassen Sie das Rezept das Paket ganz oder das Image darin senden, oder packen Sie die Firmware, wie sie ist.',
  },
  'laid-out-in-place': {
    cause: 'Die Firmware ist so gelinkt, dass sie in ihrem Paket läuft.',
    evidence: packageFacts,
    next: 'Lassen Sie das Rezept das ganze Paket so senden, dass die Firmware darin läuft.',
  },
  'not-laid-out': {
    cause: 'Die Firmware ist nicht dafür gelinkt, in ihrem Paket zu laufen.',
    evidence: packageFacts,
    next: 'Machen Sie das Paket mit --in-place, oder lassen Sie das Rezept das Image darin senden.',
  },
  'wrong-hardware': {
    cause: 'Das Paket nennt Hardware-Typen, und der Typ der Boards ist nicht darunter.',
    evidence: `${packageFacts} Der Hardware-Typ im Rezept.`,
  },
  'stale-package': {
    cause: 'Ein neueres Paket sagt, dass dieses nicht mehr installiert werden darf.',
    evidence: packageFacts,
  },
  'not-in-community': {
    cause: 'Das Paket ist auf einige Gemeinschaften oder Seriennummern beschränkt, und dieses Board gehört zu keiner davon.',
    evidence: `${packageFacts} Die Gemeinschaften im Rezept.`,
  },
  'missing-dependency': {
    cause: 'Das Paket braucht ein anderes, das dieses Gerät noch nicht bekommen hat.',
    evidence: packageFacts,
  },
  'wrong-dependency-version': {
    cause: 'Das Paket braucht eine neuere Version eines anderen.',
    evidence: packageFacts,
  },
  'breaks-dependency': {
    cause: 'Ein Paket, das das Gerät hat, braucht die Version, die dieses ersetzen würde.',
    evidence: packageFacts,
  },
  'not-unpacked': {
    cause: 'Das Paket liegt im Slot, und das Board sieht darin kein Image: Ihm fehlt der Firmware-Schlüssel, oder sein Bootloader nimmt nur Pakete, wie sie sind.',
    evidence: `${packageFacts} Die Schichten des Pakets, und wofür das Board gebaut ist.`,
  },
} as const
