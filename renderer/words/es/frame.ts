// Textos del marco de la ventana: los nombres de las vistas y la página que aparece si no se pudo abrir ninguna estación.
export const app = {
  name: 'Slotwright',
  views: 'Vistas',
  line: 'Línea',
  recipes: 'Recetas',
  desk: 'Firma',
  images: 'Imágenes',
  keys: 'Claves',
  boards: 'Placas',
  failures: 'Fallos',
  log: 'Registro',
  people: 'Personas',
  settings: 'Ajustes',
  opening: 'Abriendo la estación…',
  close: 'Cerrar',
  cancel: 'Cancelar',
  dismiss: 'Descartar',
  bug: 'Algo ha fallado en la ventana: {what}. Las placas y el registro no se ven afectados. Para recargar, pulsar Ctrl+R.',
} as const

export const startFailure = {
  title: 'No se ha podido abrir la estación',
  thenAgain: 'Corregir el problema y volver a intentarlo; esta ventana permanece abierta hasta entonces.',
  again: 'Reintentar',
  trying: 'Intentando…',
  kind: 'Tipo',
} as const
