// Textos de la ventana que solo consulta un registro.
export const auditor = {
  readOnly: 'Solo lectura',
  bundle: 'Paquete de auditoría {path}',
  database: '{path}, tal como estaba el {at}',
  readAgain: 'Volver a leer',
  reading: 'Leyendo…',
} as const
