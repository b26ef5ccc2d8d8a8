// What each kind of failure is called on a bay, and what the person in front of it does next. The sentence a Failure
// brings says what happened to this board; this table says what to do about boards like it, in the operator's words.

export type FailureWords = Readonly<{ title: string; todo: string }>

const setAside = 'Set the board aside with its serial number and tell the line\'s engineer.'
const cable = 'Check cable, power and baud rate, then run the board again.'
const callEngineer = 'Tell the line\'s engineer; other boards of this batch will do the same.'

const table: Readonly<Record<string, FailureWords>> = {
  // How a run can end
  'proof-failed': { title: 'New image failed its proof', todo: 'The board is back on its old image. Set it aside; if several boards do this, stop the batch and tell the firmware\'s maker.' },
  'self-test-failed': { title: 'Self-test failed', todo: 'Look at the board: a sensor or a connector may be at fault. If several boards do this, stop the batch and tell the firmware\'s maker.' },
  'unit-data-refused': { title: 'Unit data not taken', todo: callEngineer },
  'unit-data-differs': { title: 'Unit data did not stick', todo: setAside },
  'no-unit-data': { title: 'No data for this unit', todo: 'Complete the table of unit data, then run the board again.' },
  'no-return': { title: 'Did not come back', todo: 'Switch the board off and on once. It goes back to its old image unless the new one was confirmed; then run it again. If it stays silent, set it aside.' },
  'not-swapped': { title: 'Came back on the old image', todo: 'Check that this board was built with the key that signed the image. Boards of the same kind will do the same.' },
  'not-reverted': { title: 'Would not go back', todo: `The board still runs the image that failed its proof: do not ship it. ${setAside}` },
  'not-confirmed': { title: 'Confirm did not stick', todo: setAside },
  'confirm-refused': { title: 'Refused to confirm', todo: setAside },
  'restarted-by-itself': { title: 'Restarted by itself', todo: 'Look for a watchdog or a weak supply, then run the board again.' },
  'not-reset': { title: 'Did not restart', todo: 'Switch the board off and on, then run it again.' },
  'reset-refused': { title: 'Refused to restart', todo: 'Switch the board off and on, then run it again.' },
  'mark-refused': { title: 'Refused the new image', todo: 'Restart the board and run it again; if it stays, set it aside.' },
  'mark-not-taken': { title: 'Mark did not stick', todo: 'Restart the board and run it again; if it stays, set it aside.' },
  'upload-refused': { title: 'Refused the upload', todo: 'Check that image and board belong together. The run\'s history says what the board answered.' },
  'upload-failed': { title: 'Upload broke off', todo: cable },
  'slot-mismatch': { title: 'Slot holds something else', todo: `${cable} If it happens again, the board's flash may be worn.` },
  'no-answer': { title: 'No answer', todo: cable },
  unplugged: { title: 'Unplugged', todo: 'Plug the board in again and run it once more; it takes up where it stands.' },
  stuck: { title: 'Stuck in an earlier update', todo: 'Switch the board off and on, then run it again. If it stays, flash it with a programmer.' },
  'nothing-runs': { title: 'No running image', todo: 'The board may be in serial recovery. Restart it; if it stays, flash it with a programmer.' },
  'log-failed': { title: 'Log cannot be written', todo: 'Nothing more is done without a log. Free disk space or free the database, then start again.' },
  stopped: { title: 'Stopped', todo: 'Run the board again when you are ready.' },
  'station-died': { title: 'Station stopped', todo: 'Run the board again: the station asks it how it stands and goes on from there.' },
  // Preflight
  'no-recovery': { title: 'Not in serial recovery', todo: 'Press the board\'s recovery button or switch it off and on, then run it again. If other boards do the same, check the board profile.' },
  'hash-wrong': { title: 'Image file is damaged', todo: 'Take the image again from where it was signed.' },
  'not-bootable': { title: 'Image cannot be booted', todo: callEngineer },
  'has-trailer': { title: 'Image is padded', todo: 'Sign it again without padding.' },
  unsigned: { title: 'Image is not signed', todo: 'Sign it at the signing desk.' },
  'signature-invalid': { title: 'Signature does not hold', todo: 'Do not use this file. Take the image again from where it was signed.' },
  'unknown-key': { title: 'Signed with an unknown key', todo: 'Add the key to this station, or take an image signed with a known one.' },
  'key-not-allowed': { title: 'Key not allowed', todo: 'Take an image signed with a key that the recipe allows.' },
  'key-retired': { title: 'Key was retired', todo: 'Sign the firmware again with a key in use.' },
  'test-key': { title: 'Test key on a real board', todo: 'Take an image signed with a production key.' },
  'image-too-large': { title: 'Image too large', todo: callEngineer },
  downgrade: { title: 'Older than what runs', todo: 'Take a newer image; a step back needs a recipe that allows it.' },
  'downgrade-prevented': { title: 'Older than the bootloader allows', todo: 'Take a newer image.' },
  'not-started': { title: 'Image not started', todo: 'Check that this board was built with the key that signed the image, then run it again: it is still in recovery.' },
  'no-way-back': { title: 'Could not go back', todo: callEngineer },
  'not-newer': { title: 'Not newer than what runs', todo: 'Take an image with a higher version.' },
  'erase-refused': { title: 'Keeps a newer image', todo: callEngineer },
  'dependency-unmet': { title: 'Needs another image', todo: 'Take the file that holds all images of the update.' },
  'image-not-listed': { title: 'Board has fewer images', todo: 'Check that this update was made for boards of this kind.' },
  'one-image-only': { title: 'Takes one image at a time', todo: 'Restart the board into its firmware, then run it again.' },
  'no-variant': { title: 'No image for its free slot', todo: callEngineer },
  compressed: { title: 'Cannot unpack the image', todo: callEngineer },
  'not-for-ram': { title: 'Image not made for RAM', todo: callEngineer },
  'for-ram': { title: 'Image made for RAM', todo: callEngineer },
  'mode-unsupported': { title: 'Cannot be updated here', todo: callEngineer },
  // Firmware packages
  'wrong-hardware': { title: 'Package for other hardware', todo: 'Take the package for this board, or correct the recipe\'s hardware type.' },
  'stale-package': { title: 'Package is outdated', todo: 'Take a newer package.' },
  'not-in-community': { title: 'Package not for this board', todo: 'Check the recipe\'s communities and the unit\'s serial number.' },
  'missing-dependency': { title: 'Another package is missing', todo: 'Install the other package first.' },
  'wrong-dependency-version': { title: 'Another package is too old', todo: 'Update the other package first.' },
  'breaks-dependency': { title: 'Another package needs the old one', todo: 'Update the other package first.' },
  'not-unpacked': { title: 'Board cannot unpack it', todo: 'Give the boards their firmware key, or let the recipe send the image in the package.' },
  // Ports
  'no-such-port': { title: 'Port is gone', todo: 'Plug the board in again.' },
  'port-held': { title: 'Port is in use', todo: 'Close the other program (a terminal, an IDE) and run the board again.' },
  'no-permission': { title: 'Port not permitted', todo: 'This user may not open the port. Install the udev rules that come with Slotwright, or join the group "dialout".' },
  refused: { title: 'Board refused', todo: 'The run\'s history says what the board answered. Check that its firmware has the image commands.' },
  'too-large': { title: 'Image too large to send', todo: callEngineer },
  fault: { title: 'Fault in Slotwright', todo: 'Report it with this run\'s history; run the board again to learn how it stands.' },
  'buffer-too-small': { title: 'Board\'s buffer too small', todo: callEngineer },
}

const other: FailureWords = { title: 'Failed', todo: `Run the board again; if it stays, ${setAside.charAt(0).toLowerCase()}${setAside.slice(1)}` }

/** Every kind with words of its own. */
export const failureKinds: readonly string[] = Object.keys(table)

/** What that kind is called on a bay. */
export function titleOf(kind: string): string {
  return Object.hasOwn(table, kind) ? (table[kind] ?? other).title : other.title
}

/** What to do next. */
export function todoOf(kind: string): string {
  return Object.hasOwn(table, kind) ? (table[kind] ?? other).todo : other.todo
}
