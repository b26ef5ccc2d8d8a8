// Texts of the station's own updates, and of the licences of what is in it.
export const updates = {
  title: 'Updates',
  says: 'Off until you name a place and a key. Nothing is taken unasked, and never beside a batch.',
  source: 'Where releases lie',
  sourceHint: 'A folder\'s full path, or an http(s) address.',
  key: 'Publisher\'s key',
  keyHint: 'In the form name+id+base64, as the publisher gives it. Releases that it did not sign are refused.',
  atStart: 'Look for a newer version at each start',
  save: 'Save',
  off: 'Turn off',
  check: 'Look now',
  fetch: 'Fetch it',
  apply: 'Put it in place',
  state: 'State',
  states: {
    off: 'Updates are off.',
    unknown: 'Not looked yet.',
    checking: 'Looking…',
    current: 'This is the newest version.',
    newer: 'Version {version} of {day} is there.',
    fetching: 'Fetching version {version}: {percent}',
    fetched: 'Version {version} is fetched and holds.',
    applied: 'Version {version} is ready.',
  },
  sources: 'This station runs from its sources; updates are for installed ones.',
  notAllowed: 'An administrator sets and takes updates.',
} as const

export const notices = {
  show: 'Licences of what is in it…',
  title: 'Licences',
  says: 'Slotwright is under Apache-2.0. It contains the packages below; those of Electron and Chromium lie beside the program.',
  reading: 'Reading…',
} as const
