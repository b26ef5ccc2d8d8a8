// Textos de la etiqueta de una unidad.
export const label = {
  title: 'Etiqueta de {unit}',
  open: 'Etiqueta…',
  says: 'Lo último que ha comunicado la unidad, con un código que lleva a la entrada.',
  width: 'Ancho, mm',
  height: 'Alto, mm',
  dpi: 'Impresora, puntos por pulgada',
  set: 'Aplicar tamaño',
  zpl: 'Guardar ZPL…',
  pdf: 'Guardar PDF…',
  print: 'Imprimir…',
  code: 'Contenido del código',
} as const
