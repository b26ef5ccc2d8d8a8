// Texts of the window's frame: its views' names, and the page shown when no station could be opened.
export const app = {
  name: 'Slotwright',
  views: 'Views',
  line: 'Line',
  recipes: 'Recipes',
  desk: 'Signing',
  images: 'Images',
  keys: 'Keys',
  boards: 'Boards',
  failures: 'Failures',
  log: 'Log',
  people: 'People',
  settings: 'Settings',
  opening: 'Opening the station…',
  close: 'Close',
  cancel: 'Cancel',
  dismiss: 'Dismiss',
  bug: 'Something in the window broke: {what}. Your boards and the log are not touched by this. Reload with Ctrl+R.',
} as const

export const startFailure = {
  title: 'The station could not open',
  thenAgain: 'Put it right and try again; this window stays until then.',
  again: 'Try again',
  trying: 'Trying…',
  kind: 'Kind',
} as const
