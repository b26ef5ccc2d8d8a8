// Textos de las actualizaciones de la propia estación y de las licencias de lo que contiene.
export const updates = {
  title: 'Actualizaciones',
  says: 'Desactivadas hasta que se indiquen una ubicación y una clave. No se instala nada sin pedirlo, y nunca con un lote en marcha.',
  source: 'Ubicación de las versiones',
  sourceHint: 'La ruta completa de una carpeta o una dirección http(s).',
  key: 'Clave del editor',
  keyHint: 'En el formato name+id+base64, tal como la facilita el editor. Se rechazan las versiones que no haya firmado esa clave.',
  atStart: 'Buscar una versión más reciente en cada inicio',
  save: 'Guardar',
  off: 'Desactivar',
  check: 'Buscar ahora',
  fetch: 'Descargar',
  apply: 'Instalar',
  state: 'Estado',
  states: {
    off: 'Las actualizaciones están desactivadas.',
    unknown: 'Todavía no se ha buscado.',
    checking: 'Buscando…',
    current: 'Esta es la versión más reciente.',
    newer: 'Está disponible la versión {version} del {day}.',
    fetching: 'Descargando la versión {version}: {percent}',
    fetched: 'La versión {version} está descargada y comprobada.',
    applied: 'La versión {version} está lista.',
  },
  sources: 'Esta estación se ejecuta desde el código fuente; las actualizaciones son para las instaladas.',
  notAllowed: 'Las actualizaciones las configura e instala un administrador.',
} as const

export const notices = {
  show: 'Licencias del contenido…',
  title: 'Licencias',
  says: 'Slotwright se distribuye bajo Apache-2.0. Contiene los paquetes siguientes; las licencias de Electron y Chromium están junto al programa.',
  reading: 'Leyendo…',
} as const
