// What usually lies behind each kind of failure, and what shows it: the part of the catalogue that a person reads who asks
// why. What it is called on a bay and what to do next stand in failures.ts; kinds that never reach a bay have all of it here.

export type Cause = Readonly<{ cause: string; evidence: string }>

const history = 'The run\'s history in the board\'s panel, and the same entries in the log.'
const slots = 'The board\'s image list (Boards, Ask): which slot runs, which is pending, which is confirmed.'
const boot = 'The boot output on the board\'s console: MCUboot says what it did with each slot.'
const facts = 'The image\'s facts (Images): version, hash, key and signature.'
const keys = 'The image\'s key fingerprint (Images), beside the station\'s keys (Keys).'
const packageFacts = 'The package\'s layers and attributes (Images), and the log\'s entry of the refusal.'
const wiring = 'Other boards in the same bay, and the same board in another bay: what follows the cable is the cable.'

const row = (cause: string, evidence: string): Cause => ({ cause, evidence })

/** By kind, for every kind of failures.ts. */
export const causes: Readonly<Record<string, Cause>> = {
  'proof-failed': row('The new image ran and did not do what the recipe asks of it: no echo, another version, or another image than the one that was sent.', `${history} It names the proof and what the board said.`),
  'self-test-failed': row('A test of the recipe measured something out of its limits: a part of the board, or a limit that is too tight.', `${history} It names the test, what was measured and what was wanted.`),
  'unit-data-refused': row('The firmware has no setting or file of that name, or does not let it be written.', `${history} The board's code in it has its own entry here.`),
  'unit-data-differs': row('A value was written and came back changed: the firmware keeps less of it, or its storage is worn or full.', `${history} Read the setting on the board's console.`),
  'no-unit-data': row('The table of unit data has no row for this serial number, or lacks a column that the recipe names.', 'The table itself, at the serial number that the bay shows.'),
  'no-return': row('After the restart nothing answered in time: the image hangs at its start, the bootloader is still swapping, or power or cable are gone.', `${boot} Silence there means power or cable; a boot that stops short means the image.`),
  'not-swapped': row('The bootloader looked at the new image and kept the old one: it trusts another key, the image does not fit its slot, or its security counter is lower.', `${boot} ${keys}`),
  'not-reverted': row('The board was to go back and did not: its bootloader overwrites without keeping the old image, or the new one confirmed itself.', `${slots} The swap mode stands there too.`),
  'not-confirmed': row('The board acknowledged the confirm and does not list the image as confirmed: the trailer at the slot\'s end could not be written.', `${slots} ${history}`),
  'confirm-refused': row('The firmware refused to confirm: a hook in it, or an image that is not the one that runs.', `${history} The board's code in it has its own entry here.`),
  'restarted-by-itself': row('Between two steps the board was somewhere else than it should be: a watchdog, a crash of the new image, or a dip of its supply.', `${boot} A second boot in it that nobody asked for.`),
  'not-reset': row('The board acknowledged the restart and goes on as before: its firmware has no way to restart itself, or a debugger holds it.', `${history} ${slots}`),
  'reset-refused': row('The firmware refused to restart: the command is not built in, or a hook refuses it while something is under way.', `${history} The board's code in it has its own entry here.`),
  'mark-refused': row('The board would not mark the image: it finds no image of that hash, or another one is pending already.', `${slots} The board's code in the history has its own entry here.`),
  'mark-not-taken': row('The mark was acknowledged and is not listed: the trailer at the slot\'s end could not be written, or the board restarted.', slots),
  'upload-refused': row('The board would not take the image or its next piece: no free slot, a wrong header, or too large.', `${history} The board's code in it has its own entry here.`),
  'upload-failed': row('The upload stopped several times: bytes lost on the line, a rate the adapter cannot hold, or a board that restarted.', `${wiring} ${history}`),
  'slot-mismatch': row('What lies in the slot after the upload is not what was sent: damaged on the way, or worn flash.', `${slots} The hash there beside the image's own (Images).`),
  'no-answer': row('Nothing that makes sense came back: no power, another line rate, crossed wires, or a firmware without SMP on this port.', '"Connect a board" on the line tries rates and framings; the console shows what the board sends at all.'),
  unplugged: row('The port went away in the middle of the run and did not come back: cable, hub or power.', `${wiring} The log's entries about boards that were unplugged.`),
  stuck: row('An earlier update hangs half-done, and a restart did not get the board past it.', `${slots} ${boot}`),
  'nothing-runs': row('The board names no image that runs: it is in its bootloader, or its first slot holds nothing valid.', `${boot} ${slots}`),
  'log-failed': row('The station could not write its log: the disk is full, or another program holds the database.', 'The space left on the disk of the station\'s home (Settings), and the first such failure in the batch.'),
  stopped: row('Somebody stopped the batch, or the station was closed.', 'The log: who stopped it.'),
  'station-died': row('The station ended without closing the run: a crash, or power was lost.', 'The log: a start without a stop before it. The run\'s last proven step stands in its history.'),
  'no-recovery': row('No bootloader in serial recovery answered in time: it was built without it, its pin or moment was missed, or DTR and RTS are wired otherwise.', 'The board profile\'s way into recovery; the console while the board restarts.'),
  'hash-wrong': row('The file\'s contents are not what its own hash says: cut off or changed on the way.', `${facts} The same file where it was signed.`),
  'not-bootable': row('The image was signed with the flag that says it is not to be booted.', facts),
  'has-trailer': row('The image was signed with --pad or --confirm, and would mark itself before anything is checked.', facts),
  unsigned: row('The file has no signature: it was built and not signed, or signed without a key.', facts),
  'signature-invalid': row('The signature does not belong to these bytes: the file was changed after it was signed, or names a key that did not sign it.', `${facts} ${keys}`),
  'unknown-key': row('The key that the image names is not known here, so that its signature cannot be checked.', keys),
  'key-not-allowed': row('The image was signed with a known key that the recipe does not name.', `${keys} The recipe's allowed keys (Recipes).`),
  'key-retired': row('The key that signed the image was retired at this station.', 'The key\'s own row (Keys) and the log: when it was retired.'),
  'test-key': row('The recipe is for production, and the image was signed with a key of the test class.', `${keys} The recipe's class (Recipes).`),
  'image-too-large': row('The image and what the bootloader needs behind it do not fit the slot.', 'The room that each swap mode leaves (Images, Room in the slots), beside the slot\'s size (Boards, Ask).'),
  downgrade: row('The image is older than the one that runs, and the recipe does not allow a step back.', `${facts} The running version (Boards, Ask).`),
  'downgrade-prevented': row('The bootloader itself takes no older image; no recipe can change that.', 'The bootloader\'s answer (Boards, Ask).'),
  'not-started': row('In serial recovery the image was written and not started: the bootloader does not trust its key, or it does not fit.', `${boot} ${keys}`),
  'no-way-back': row('The recipe asks for boards that can go back, and this board\'s bootloader keeps no old image.', 'The swap mode (Boards, Ask).'),
  'not-newer': row('The bootloader runs whichever image is newer, and this one is not.', `${facts} The running version (Boards, Ask).`),
  'erase-refused': row('An image that the bootloader would run next lies in the other slot, and the board will not erase it.', slots),
  'dependency-unmet': row('The image names another image of the same board that must be newer than what is there.', `${facts} ${slots}`),
  'image-not-listed': row('The update brings an image of a number that this board does not list.', slots),
  'one-image-only': row('In serial recovery one image is written over the one that runs, and the update brings several.', boot),
  'no-variant': row('The update brings an image for the slot that runs, and none for the free one.', `${slots} The images of the archive (Images).`),
  compressed: row('The image is compressed, and this board\'s bootloader swaps: only one that overwrites can unpack.', 'The swap mode (Boards, Ask).'),
  'not-for-ram': row('The bootloader loads images into RAM, and this one names no load address.', facts),
  'for-ram': row('The image is made to be loaded into RAM, and this bootloader runs it from flash.', facts),
  'mode-unsupported': row('The bootloader swaps in a way that this station does not drive.', 'The swap mode (Boards, Ask).'),
  'no-such-port': row('The port that the board had is not there any more.', 'The list of boards (Boards): the board may be back under another name.'),
  'port-held': row('Another program has the port open, or another part of this station has.', 'The failure\'s own sentence names the program where the system tells it.'),
  'no-permission': row('This user may not open serial ports.', '"Connect a board" on the line shows the commands that allow it.'),
  refused: row('The board understood the command and said no.', `${history} The board's code in it has its own entry here.`),
  'too-large': row('The file is larger than anything that SMP can upload.', facts),
  fault: row('A fault in Slotwright itself. No board did this.', 'The sentence in the run\'s history, for whoever mends it.'),
  'buffer-too-small': row('The board\'s buffers cannot even hold the first piece of an upload.', 'The buffers that the board tells (Boards, Ask), and those in its profile.'),
  'wrong-hardware': row('The package names hardware types, and the boards\' is none of them.', `${packageFacts} The recipe's hardware type.`),
  'stale-package': row('A newer package says that this one must not be installed any more.', packageFacts),
  'not-in-community': row('The package is limited to some communities or serial numbers, and this board is in none.', `${packageFacts} The recipe's communities.`),
  'missing-dependency': row('The package needs another one that this unit has not had.', packageFacts),
  'wrong-dependency-version': row('The package needs a newer version of another one.', packageFacts),
  'breaks-dependency': row('A package that the unit has needs the version that this one would replace.', packageFacts),
  'not-unpacked': row('The package lies in the slot and the board sees no image in it: the board lacks the firmware key, or its bootloader takes only packages that are plain.', `${packageFacts} The layers of the package beside what the board was built for.`),
}

export type WholeCause = Cause & Readonly<{ title: string; next: string }>

const whole = (title: string, cause: string, evidence: string, next: string): WholeCause => ({ title, cause, evidence, next })

/** Kinds that a start, a question to a board or a package ends with, before or beside any run. */
export const otherCauses: Readonly<Record<string, WholeCause>> = {
  timeout: whole('Answer came too late', 'The board took longer than the command is given, or the answer was lost on the line.', wiring, 'Ask again. If it stays, check the line rate and the cable.'),
  garbled: whole('Answer makes no sense', 'The board\'s answer is no answer to what was asked: another dialect of the protocol, or bytes lost on the line.', 'The console shows what the board sends; its firmware\'s version tells the dialect.', 'Ask again. If it stays, give the board\'s firmware version to the firmware\'s maker.'),
  stalled: whole('Upload does not move on', 'The board answers every piece and takes none: its flash is busy, or it and the station do not agree where the upload stands.', 'The board\'s log on its console while the upload goes on.', 'Restart the board and run it again; if it stays, set it aside.'),
  'no-lines': whole('Port has no DTR and RTS', 'The board profile pulls the port\'s lines, and this adapter or pseudo-terminal has none.', 'The board profile\'s steps (Boards, Profiles).', 'Use an adapter with these lines, or a profile with another way into recovery.'),
  'no-such-profile': whole('No such board profile', 'The recipe names a board profile that this station does not have.', 'The recipe (Recipes), and the profiles (Boards, Profiles).', 'Import the profile, or choose another one in the recipe.'),
  'bad-profile': whole('Board profile cannot be used', 'The file of a board profile was changed by hand, or was made by another version.', 'The failure\'s own sentence names the file and the field.', 'Correct the file, or remove it and save the profile again.'),
  'no-such-question': whole('Question is over', 'The question to the operator was answered by somebody else, its time ran out, or its run ended.', history, 'Nothing needs doing; the run\'s history says how it went on.'),
  'port-failed': whole('Port does not open', 'The system\'s driver refused the port.', 'The failure\'s own sentence has the system\'s words.', 'Plug the board in again; if it stays, restart the computer\'s USB hub.'),
  'port-stuck': whole('Port does not close', 'The system\'s driver does not give the port back.', history, 'Unplug the board and plug it in again.'),
  'bad-baud-rate': whole('Line rate not possible', 'The port\'s driver cannot do the line rate that was asked for.', 'The line rate in the board profile and in Settings.', 'Choose the rate that the board\'s firmware was built with.'),
  'board-silent': whole('Board is silent', 'Not one byte comes from the port at any of the usual rates.', 'A meter or a scope on the board\'s TX.', 'Check power, then the wires: TX to RX, RX to TX, ground to ground.'),
  'not-smp': whole('Board does not answer SMP', 'The board sends something, but does not answer the board protocol on this port.', 'The console shows what it sends.', 'Use firmware with MCUmgr on this very port.'),
  'too-many-failures': whole('Too many failures in a row', 'The batch stopped by itself: image, fixture and power are common to all its boards.', 'The last failures of the batch, which most often are of one kind.', 'Look at the last failures before you start again.'),
  'other-bay': whole('Board in another bay', 'The board was moved to another socket in the middle of its work.', 'The bay map and the board\'s hub path.', 'Put it back into the bay that the tile names.'),
  'unknown-place': whole('Socket is on no bay', 'The board is plugged into a socket that was never taught.', 'The bay map and the board\'s hub path.', 'Plug it into a bay of the fixture, or teach this socket.'),
  'serial-format': whole('Not a serial number of this product', 'What was scanned does not look as the recipe says serial numbers look.', 'The recipe\'s format, beside the label.', 'Scan the label on the unit.'),
  'serial-used': whole('Serial number given twice', 'Another unit has that serial number by this station\'s log.', 'The log, searched for the serial number.', 'Scan the right label; if two units bear it, put both aside.'),
  'bad-table': whole('Table cannot be read', 'The table of unit data is no comma-separated UTF-8 text with a heading row.', 'The failure\'s own sentence names the row.', 'Save the table as comma-separated UTF-8 text.'),
  'no-boards': whole('No board to begin with', 'None of the chosen bays has a board.', 'The bays on the line.', 'Plug boards in, or start the practice line.'),
  'batch-running': whole('A batch is running', 'What was asked for waits until the batch has ended.', 'The line.', 'Wait, or stop the batch.'),
  'recipe-not-released': whole('Recipe is not released', 'The recipe is a draft, or was withdrawn.', 'Its state (Recipes).', 'Have an engineer release it.'),
  'recipe-broken': whole('Recipe was changed', 'A released recipe is not what its release says: changed in the database, or released by another station.', 'The recipe\'s own row (Recipes) and the log\'s entry of its release.', 'Compare it with the log, and release it again.'),
  'file-not-in-recipe': whole('File is not the recipe\'s', 'The recipe names files by their contents, and this is none of them.', 'The recipe\'s files (Recipes), beside the file\'s SHA-256 (Images).', 'Take a file that the recipe names, or release a revision that names this one.'),
  'not-a-package': whole('File is no package', 'The recipe sends firmware packages, and the file is an image.', packageFacts, 'Choose a package, or let the recipe send images.'),
  'not-plain': whole('Package cannot run in place', 'The firmware in the package is encrypted, compressed or in pieces, and a core executes the very bytes that lie there.', packageFacts, 'Let the recipe send the package whole or the image in it, or pack the firmware plain.'),
  'laid-out-in-place': whole('Package runs in place only', 'The firmware is linked to run from inside its package.', packageFacts, 'Let the recipe send it in place.'),
  'not-laid-out': whole('Package does not run in place', 'The firmware is not linked to run from inside its package.', packageFacts, 'Make the package with --in-place, or let the recipe send the image in it.'),
}
