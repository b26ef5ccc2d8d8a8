// Was hinter jedem Code steckt, mit dem ein Board ablehnt: Ursache, woran man es sieht, was als Nächstes zu tun ist.
const fine = 'Alles ist in Ordnung.'
const unnamed = 'In der Firmware trat ein Fehler auf, für den sie keinen Namen hat.'

const answer = 'Die Antwort selbst.'
const boot = 'Bootausgabe und Log des Boards auf seiner Konsole.'
const history = 'Der Verlauf des Laufs: Der letzte Schritt vor der Ablehnung ist das, was vom Board verlangt wurde.'
const slots = 'Die Image-Liste des Boards (Boards, Abfragen): was in welchem Slot liegt, was vorgemerkt und was bestätigt ist.'
const facts = 'Die Angaben des Images selbst (Images): Header, Größe, Hash und Signaturbereich.'
const flash = 'Das Log des Boards nennt die Flash-Adresse; andere Boards des Loses nehmen dasselbe Image an.'
const recipe = 'Tests und Gerätedaten des Rezepts, verglichen mit dem, was die Firmware auf der Konsole antwortet.'

const nothing = 'Nichts zu tun.'
const log = 'Lesen Sie das Log des Boards.'
const reset = 'Starten Sie das Board neu und versuchen Sie es noch einmal.'
const resign = 'Signieren Sie die Firmware neu und prüfen Sie, ob sie für dieses Board gemacht ist.'
const worn = 'Versuchen Sie es noch einmal; bleibt es dabei, legen Sie das Board beiseite: Sein Flash ist vielleicht verschlissen.'
const cable = 'Versuchen Sie es noch einmal; bleibt es dabei, prüfen Sie Kabel und Leitungsrate.'
const upload = 'Beginnen Sie die Übertragung noch einmal.'
const signed = 'Wählen Sie ein signiertes MCUboot-Image.'
const offers = 'Vergleichen Sie das Rezept mit dem, was diese Firmware bietet.'

export const codes = {
  // Codes jeder Gruppe
  'smp-0': { cause: 'Alles ist in Ordnung: Manche Builds hängen diesen Code an jede Antwort, die gelungen ist.', evidence: answer, next: nothing },
  'smp-1': { cause: 'In der Firmware trat ein Fehler auf, für den sie keinen Namen hat, oft aus einem Treiber darunter.', evidence: boot, next: log },
  'smp-2': { cause: 'Der Heap oder der Vorrat an Netzwerkpuffern der Firmware ist aufgebraucht, etwa durch Anfragen, die noch unterwegs sind.', evidence: `${boot} Die Speicher-Pools des Boards, wenn seine Firmware sie angibt.`, next: reset },
  'smp-3': { cause: 'Ein Wert in der Anfrage liegt außerhalb dessen, was diese Firmware nimmt. Ein Bootloader in der seriellen Recovery antwortet so auf fast alles, was schiefgeht.', evidence: history, next: 'Prüfen Sie, ob Image und Rezept zu diesem Board passen.' },
  'smp-4': { cause: 'Ein Teil des Boards (ein Flash-Baustein, ein anderer Kern) hat der eigenen Firmware nicht rechtzeitig geantwortet.', evidence: boot, next: reset },
  'smp-5': { cause: 'Was genannt wurde, ist nicht da: eine Datei, eine Einstellung, ein Image in einem leeren Slot.', evidence: slots, next: 'Fragen Sie das Board nach seinem Image-Zustand; der Slot ist vielleicht leer.' },
  'smp-6': { cause: 'Das Board kann das jetzt nicht: Ein Image ist vorgemerkt oder läuft auf Probe, und sein Slot darf weder beschrieben noch gelöscht werden.', evidence: slots, next: 'Bestätigen Sie erst das Image auf Probe oder rollen Sie es zurück, dann versuchen Sie es noch einmal.' },
  'smp-7': { cause: 'Die Anfrage oder die Antwort darauf ist länger als einer der Puffer des Boards.', evidence: 'Die Puffergröße, die das Board angibt (Boards, Abfragen), verglichen mit der in seinem Profil.', next: 'Stellen Sie im Board-Profil kleinere Nachrichten ein.' },
  'smp-8': { cause: 'Die Firmware wurde ohne diesen Befehl oder ohne seine ganze Gruppe gebaut.', evidence: 'Die Konfiguration der Firmware (CONFIG_MCUMGR_GRP_…); andere Befehle derselben Gruppe antworten ebenso.', next: 'Bauen Sie die Firmware mit diesem Befehl, oder wählen Sie ein Board-Profil ohne ihn.' },
  'smp-9': { cause: 'Die Anfrage kam beschädigt an: Störungen auf der Leitung, eine falsche Leitungsrate oder ein übergelaufener Puffer.', evidence: 'Weitere Fehler am selben Platz oder Kabel; bei falscher Leitungsrate zeigt die Konsole verstümmelten Text.', next: cable },
  'smp-10': { cause: 'Das Board arbeitet noch an etwas anderem, löscht etwa einen Slot für einen anderen Client.', evidence: history, next: 'Warten Sie einen Moment und versuchen Sie es noch einmal.' },
  'smp-11': { cause: 'Die Firmware hat gegen die Anfrage entschieden, etwa durch einen Hook, der Updates sperrt.', evidence: 'Die Hooks der Firmware; ihr Log sagt es, wenn sie eines schreibt.', next: 'Entsperren Sie das Board, oder nehmen Sie eine Firmware, die es erlaubt.' },
  'smp-12': { cause: 'Das Board spricht nur eine neuere Version des Protokolls als die Anfrage.', evidence: history, next: 'Wählen Sie im Board-Profil die neuere Protokollversion.' },
  'smp-13': { cause: 'Das Board spricht nur eine ältere Version des Protokolls als die Anfrage.', evidence: history, next: 'Wählen Sie im Board-Profil die Protokollversion 0.' },
  'smp-256': { cause: 'Codes ab 256 gehören der Firmware selbst; nur wer sie geschrieben hat, kennt sie.', evidence: boot, next: 'Fragen Sie den Hersteller der Firmware, was dieser Code bedeutet.' },
  // OS-Gruppe
  'os-0': { cause: fine, evidence: answer, next: nothing },
  'os-1': { cause: unnamed, evidence: boot, next: log },
  'os-2': { cause: 'Das Format einer Anfrage nach Firmware-Angaben enthält einen Buchstaben, den diese Firmware nicht kennt.', evidence: recipe, next: 'Fragen Sie weniger Felder ab.' },
  'os-3': { cause: 'Auf diese Frage nach dem Bootloader hat diese Firmware keine Antwort.', evidence: recipe, next: 'Bootloader oder Firmware bieten das nicht; machen Sie ohne weiter.' },
  'os-4': { cause: 'Die Uhr des Boards läuft seit dem Einschalten, ohne je gestellt worden zu sein.', evidence: 'Datum und Uhrzeit des Boards auf der Konsole.', next: 'Stellen Sie erst Datum und Uhrzeit.' },
  'os-5': { cause: 'Der Treiber des Uhrenbausteins gab einen Fehler zurück.', evidence: boot, next: 'Prüfen Sie den Uhrenbaustein und seine Batterie.' },
  'os-6': { cause: 'Aus dem, was die Firmware weiß, ließ sich keine Antwort auf die Abfrage bilden.', evidence: recipe, next: 'Prüfen Sie den Wert im Rezept.' },
  // Image-Gruppe
  'image-0': { cause: fine, evidence: answer, next: nothing },
  'image-1': { cause: 'In der Firmware trat ein Fehler auf, für den sie keinen Namen hat; so antwortet sie auch, wenn ein schon leerer Slot gelöscht werden soll.', evidence: boot, next: log },
  'image-2': { cause: 'Die Firmware konnte die Aufteilung ihres eigenen Flashs nicht lesen: Partitionen und Flash-Treiber gehören nicht zusammen.', evidence: boot, next: 'Prüfen Sie die Partitionierung der Firmware.' },
  'image-3': { cause: 'Der Slot, nach dem gefragt wurde, enthält keinen Image-Header.', evidence: slots, next: 'Übertragen Sie das Image noch einmal.' },
  'image-4': { cause: 'Ein Header ist da, aber kein Signaturbereich, wo das Image nach seinem Header endet: eine Übertragung, die vorzeitig abbrach, oder eine abgeschnittene Datei.', evidence: `${facts} ${slots}`, next: resign },
  'image-5': { cause: 'Im Signaturbereich steht ein Eintrag, der über dessen Ende hinausreicht.', evidence: facts, next: resign },
  'image-6': { cause: 'Der Signaturbereich nennt mehr als einen Hash, und niemand kann sagen, welcher gilt.', evidence: facts, next: resign },
  'image-7': { cause: 'Ein Eintrag im Signaturbereich hat eine andere Größe, als zu seinem Typ gehört; oft ein Image, das für einen anderen Hash gemacht ist.', evidence: facts, next: resign },
  'image-8': { cause: 'Kein Slot enthält ein Image mit dem genannten Hash: Die Übertragung wurde nicht fertig, oder der Slot wurde neu beschrieben.', evidence: slots, next: 'Übertragen Sie das Image noch einmal, dann prüfen Sie den Slot.' },
  'image-9': { cause: 'Jeder Slot, der sich beschreiben ließe, ist belegt: Ein Image wartet auf seinen Testlauf, oder das laufende wurde nie bestätigt.', evidence: slots, next: 'Bestätigen Sie das laufende Image, oder starten Sie das Board neu, damit es zurückgeht; dann versuchen Sie es noch einmal.' },
  'image-10': { cause: 'Der Flash-Bereich des Slots ließ sich nicht öffnen: Die Firmware hat diese Partition nicht, oder ihr Treiber ist nicht gestartet.', evidence: boot, next: 'Prüfen Sie, ob es den Slot auf diesem Board gibt.' },
  'image-11': { cause: 'Der Flash ließ sich nicht lesen: verschlissene Zellen oder ein externer Baustein, der nicht antwortet.', evidence: flash, next: worn },
  'image-12': { cause: 'Der Flash ließ sich nicht beschreiben: verschlissene Zellen, ein geschützter Bereich oder eine Versorgung, die zum Schreiben zu schwach ist.', evidence: flash, next: worn },
  'image-13': { cause: 'Der Flash ließ sich nicht löschen: verschlissene Zellen, ein geschützter Bereich oder eine zu schwache Versorgung.', evidence: flash, next: worn },
  'image-14': { cause: 'Einen Slot dieser Nummer hat das Board nicht; Profil oder Archiv sind für ein Board mit mehr Images gemacht.', evidence: slots, next: 'Prüfen Sie das Board-Profil.' },
  'image-15': { cause: 'Die Firmware hat keinen Speicher mehr für den Zustand der Übertragung.', evidence: boot, next: reset },
  'image-16': { cause: 'Eine Übertragung, die ein anderer Client begonnen hat, ist noch offen.', evidence: 'Andere Programme am selben Board; was vorher an diesem Platz lief.', next: reset },
  'image-17': { cause: 'Ein Stück kam ohne das erste: Das Board ist mitten in der Übertragung neu gestartet.', evidence: `${boot} Ein Watchdog oder eine schwache Versorgung zeigt sich als Neustart mitten in der Übertragung.`, next: upload },
  'image-18': { cause: 'In der Konfiguration der Firmware fehlt der Flash-Baustein, auf dem der Slot liegt.', evidence: boot, next: 'Prüfen Sie die Konfiguration der Firmware.' },
  'image-19': { cause: 'Die Firmware errechnete eine Seite außerhalb ihres Flashs: Partitionen, die nicht an einer Seitengrenze enden.', evidence: 'Die Partitionierung der Firmware (Devicetree).', next: log },
  'image-20': { cause: 'Ein Stück der Übertragung nannte keine Stelle (Offset), an die es gehört.', evidence: history, next: log },
  'image-21': { cause: 'Das erste Stück der Übertragung nannte die Länge des Images nicht.', evidence: history, next: log },
  'image-22': { cause: 'Das erste Stück war zu kurz für einen ganzen Image-Header: Die Puffer des Boards sind sehr klein.', evidence: 'Die Puffergröße, die das Board angibt (Boards, Abfragen).', next: signed },
  'image-23': { cause: 'Die Datei ist kein MCUboot-Image: Sie wurde nie signiert oder ist in etwas anderes verpackt.', evidence: facts, next: signed },
  'image-24': { cause: 'Die Übertragung nannte einen Hash mit einer Länge, die die Firmware nicht nimmt.', evidence: facts, next: 'Prüfen Sie, ob das Image den Hash benutzt, für den dieser Bootloader gebaut ist.' },
  'image-25': { cause: 'Das Image ist auf eine andere Flash-Adresse als die des Slots festgelegt (ROM_FIXED): ein Image für ein anderes Board oder einen anderen Slot.', evidence: facts, next: 'Bauen Sie das Image für den Slot dieses Boards.' },
  'image-26': { cause: 'Das Board konnte die Version des laufenden Images nicht lesen, um das neue damit zu vergleichen.', evidence: slots, next: log },
  'image-27': { cause: 'Die Firmware selbst lehnt Images ab, die älter sind als das laufende.', evidence: 'Die Versionen: die des Images (Images) und die des laufenden (Boards, Abfragen).', next: 'Erlauben Sie im Rezept ältere Versionen, oder nehmen Sie ein neueres Image.' },
  'image-28': { cause: 'Ein Image ist schon vorgemerkt oder läuft auf Probe; so lange lässt sich kein anderes vormerken.', evidence: slots, next: 'Starten Sie das Board neu, damit der vorgemerkte Swap geschieht, dann sehen Sie noch einmal nach.' },
  'image-29': { cause: 'Die ersten Wörter der Firmware sind keine Startadresse innerhalb des Images: mit falscher Header-Größe signiert oder für eine andere Adresse gelinkt.', evidence: facts, next: 'Prüfen Sie die Header-Größe, mit der die Firmware gebaut wurde.' },
  'image-30': { cause: 'Das Image ist größer als sein Slot abzüglich dessen, was der Bootloader an dessen Ende braucht.', evidence: 'Der Platz, den jeder Swap-Modus lässt (Images, Platz in den Slots), verglichen mit der Slot-Größe (Boards, Abfragen).', next: 'Machen Sie das Image kleiner, oder wählen Sie das richtige Board-Profil.' },
  'image-31': { cause: 'Es kamen mehr Bytes, als das erste Stück ankündigte: zwei Übertragungen zugleich, oder eine Datei, die sich inzwischen geändert hat.', evidence: history, next: upload },
  'image-32': { cause: 'Ein Hook in der Firmware lehnte die Bestätigung ab, etwa weil ihre eigenen Prüfungen nicht bestanden wurden.', evidence: 'Die Hooks der Firmware und ihr Log.', next: 'Bestätigen Sie nur das Image, das läuft.' },
  'image-33': { cause: 'Das laufende Image sollte für einen Testlauf vorgemerkt werden; in beiden Slots liegt dasselbe Image, oder es wurde der falsche Hash genannt.', evidence: slots, next: 'Nichts zu tun: Das Board führt dieses Image schon aus.' },
  'image-34': { cause: 'Die Firmware kann nicht sagen, aus welchem Slot sie läuft: Sie und der Bootloader wurden mit verschiedenen Modi gebaut.', evidence: slots, next: log },
  // Statistik-Gruppe
  'statistics-0': { cause: fine, evidence: answer, next: nothing },
  'statistics-1': { cause: unnamed, evidence: boot, next: log },
  'statistics-2': { cause: 'Unter diesem Namen meldet die Firmware keine Statistik an.', evidence: recipe, next: offers },
  'statistics-3': { cause: 'Ein Zähler dieser Gruppe hat in diesem Build keinen Namen (CONFIG_STATS_NAMES ist aus).', evidence: recipe, next: 'Bauen Sie die Firmware mit Namen für ihre Statistik (CONFIG_STATS_NAMES).' },
  'statistics-4': { cause: 'Ein Zähler hat eine Größe, die die Firmware nicht melden kann.', evidence: recipe, next: log },
  'statistics-5': { cause: 'Das Lesen der Zähler brach mittendrin ab, meist weil die Antwort zu lang wurde.', evidence: recipe, next: log },
  // Settings-Gruppe
  'settings-0': { cause: fine, evidence: answer, next: nothing },
  'settings-1': { cause: unnamed, evidence: boot, next: log },
  'settings-2': { cause: 'Der Name der Einstellung ist länger, als der Build dieser Firmware zulässt.', evidence: recipe, next: offers },
  'settings-3': { cause: 'Eine Einstellung dieses Namens gibt es nicht.', evidence: recipe, next: offers },
  'settings-4': { cause: 'Der Teil der Firmware, dem die Einstellung gehört, bietet kein Lesen.', evidence: recipe, next: offers },
  'settings-5': { cause: 'Für Einstellungen, deren Name so beginnt, ist kein Teil der Firmware zuständig.', evidence: recipe, next: offers },
  'settings-6': { cause: 'Der Teil der Firmware, dem die Einstellung gehört, bietet kein Schreiben.', evidence: recipe, next: offers },
  'settings-7': { cause: 'Das Settings-Backend der Firmware bietet kein Löschen.', evidence: recipe, next: offers },
  'settings-8': { cause: 'Das Settings-Backend der Firmware bietet kein Speichern.', evidence: recipe, next: 'Bauen Sie die Firmware mit einem Settings-Backend, das speichert.' },
  // Datei-Gruppe
  'files-0': { cause: fine, evidence: answer, next: nothing },
  'files-1': { cause: unnamed, evidence: boot, next: log },
  'files-2': { cause: 'Das Dateisystem nimmt diesen Pfad nicht; er muss vollständig sein, vom Einhängepunkt an.', evidence: recipe, next: offers },
  'files-3': { cause: 'Unter diesem Pfad gibt es keine Datei.', evidence: recipe, next: offers },
  'files-4': { cause: 'Der Pfad nennt einen Ordner.', evidence: recipe, next: offers },
  'files-5': { cause: 'Das Dateisystem konnte die Datei nicht öffnen: nicht eingehängt, beschädigt, oder zu viele Dateien sind offen.', evidence: boot, next: worn },
  'files-6': { cause: 'Die Position in der Datei ließ sich nicht ändern: ein beschädigtes Dateisystem.', evidence: boot, next: worn },
  'files-7': { cause: 'Die Datei ließ sich nicht lesen: ein beschädigtes Dateisystem oder verschlissener Flash.', evidence: boot, next: worn },
  'files-8': { cause: 'Die Datei ließ sich nicht kürzen, bevor sie neu geschrieben wird.', evidence: boot, next: worn },
  'files-9': { cause: 'Die alte Datei ließ sich nicht löschen, bevor sie neu geschrieben wird.', evidence: boot, next: worn },
  'files-10': { cause: 'Die Datei ließ sich nicht schreiben: Meist ist das Dateisystem voll.', evidence: boot, next: 'Das Dateisystem ist vielleicht voll oder verschlissen.' },
  'files-11': { cause: 'Das Stück folgt nicht auf das vorige: Auf der Leitung ging eines verloren.', evidence: history, next: cable },
  'files-12': { cause: 'Das verlangte Stück beginnt hinter dem Ende der Datei; sie hat sich inzwischen geändert.', evidence: history, next: cable },
  'files-13': { cause: 'Die Firmware wurde ohne die verlangte Prüfsumme gebaut.', evidence: recipe, next: offers },
  'files-14': { cause: 'Am Anfang dieses Pfads ist kein Dateisystem eingehängt.', evidence: recipe, next: offers },
  'files-15': { cause: 'Das Dateisystem ist nur zum Lesen eingehängt.', evidence: recipe, next: offers },
  'files-16': { cause: 'Die Datei ist leer; es gibt nichts, worüber sich eine Prüfsumme rechnen ließe.', evidence: recipe, next: offers },
  // Shell-Gruppe
  'shell-0': { cause: fine, evidence: answer, next: nothing },
  'shell-1': { cause: unnamed, evidence: boot, next: log },
  'shell-2': { cause: 'Die Befehlszeile ist länger als der Puffer der Shell (CONFIG_SHELL_CMD_BUFF_SIZE).', evidence: recipe, next: offers },
  'shell-3': { cause: 'Nach dem Zerlegen der Zeile blieb nichts übrig, was sich ausführen ließe.', evidence: recipe, next: offers },
} as const
