// Texts of a unit's label.
export const label = {
  title: 'Label for {unit}',
  open: 'Label…',
  says: 'What the unit said last, with a code that leads to the entry.',
  width: 'Width, mm',
  height: 'Height, mm',
  dpi: 'Printer, dots per inch',
  set: 'Set size',
  zpl: 'Save ZPL…',
  pdf: 'Save PDF…',
  print: 'Print…',
  code: 'The code says',
} as const
