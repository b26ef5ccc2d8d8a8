// Textos de la ventana que solo consulta un registro.
export const auditor = {
  readOnly: 'Solo lectura',
  bundle: 'Paquete de auditoría {path}',
  database: '{path}, tal como estaba el {at}',
  readAgain: 'Volver a leer',
  reading: 'Leyendo…',
  copying: 'Creando una copia de este registro para no tocar el original: {percent} %. Las entradas ya se pueden leer; la verificación, las búsquedas y las cifras empiezan cuando la copia esté lista.',
  copyingLeft: 'Creando una copia de este registro para no tocar el original: {percent} %, quedan {left}. Las entradas ya se pueden leer; la verificación, las búsquedas y las cifras empiezan cuando la copia esté lista.',
  waits: 'Empezará cuando la copia del registro esté lista: va por el {percent} %.',
  waitsLeft: 'Empezará cuando la copia del registro esté lista: va por el {percent} %, quedan {left}.',
} as const
