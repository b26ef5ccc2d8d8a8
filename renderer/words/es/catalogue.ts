// Textos del catálogo de fallos; las fichas son palabras de la propia estación.
export const catalogue = {
  title: 'Fallos',
  filter: 'Buscar palabra, tipo o código',
  list: 'Todos los fallos',
  loading: 'Cargando…',
  none: 'Aquí no hay nada con esas palabras.',
  ofRuns: 'Cómo fallan las ejecuciones',
  group: {
    smp: 'Códigos de cualquier grupo (MGMT_ERR)',
    os: 'Códigos del grupo OS',
    image: 'Códigos del grupo de imágenes (IMG_ERR)',
    statistics: 'Códigos del grupo de estadísticas',
    settings: 'Códigos del grupo de ajustes',
    files: 'Códigos del grupo de archivos',
    shell: 'Códigos del grupo de shell',
  },
  code: 'código {code}',
  cause: 'Qué hay detrás',
  evidence: 'En qué se nota',
  next: 'Qué hacer ahora',
} as const
