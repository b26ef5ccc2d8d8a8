// Texts of the catalogue of failures; the entries themselves are the station's own words.
export const catalogue = {
  title: 'Failures',
  filter: 'Find a word, a kind or a code',
  list: 'All failures',
  loading: 'Loading…',
  none: 'Nothing here has these words.',
  ofRuns: 'How runs fail',
  group: {
    smp: 'Codes of any group (MGMT_ERR)',
    os: 'Codes of the OS group',
    image: 'Codes of the image group (IMG_ERR)',
    statistics: 'Codes of the statistics group',
    settings: 'Codes of the settings group',
    files: 'Codes of the files group',
    shell: 'Codes of the shell group',
  },
  code: 'code {code}',
  cause: 'What lies behind it',
  evidence: 'What shows it',
  next: 'What to do next',
} as const
