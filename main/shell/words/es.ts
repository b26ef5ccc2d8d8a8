// Textos del propio programa en español: diálogos del sistema, menú, últimas palabras.
import type { ShellWords } from './en.ts'

export const es: ShellWords = {
  allFiles: 'Todos los archivos',
  open: {
    firmware: { title: 'Elegir el firmware', files: 'Firmware' },
    image: { title: 'Elegir una imagen firmada, un paquete de firmware o un archivo de actualización', files: 'Imagen firmada, paquete o archivo' },
    key: { title: 'Elegir una clave', files: 'PEM' },
    module: { title: 'Elegir el módulo PKCS#11 del token', files: 'Módulo PKCS#11' },
    text: { title: 'Elegir la firma', files: 'Firma, base64' },
    value: { title: 'Elegir el archivo que va en el TLV', files: '' },
    table: { title: 'Elegir la tabla de datos de unidad', files: 'Tabla' },
    folder: { title: 'Elegir la carpeta que recibe los eventos', files: '' },
    log: { title: 'Elegir un registro para consultarlo', files: 'Registro o paquete de auditoría' },
  },
  save: {
    signed: { title: 'Guardar la imagen firmada', files: 'Imagen firmada' },
    digest: { title: 'Guardar lo que hay que firmar', files: 'Resumen (digest)' },
    bundle: { title: 'Guardar el paquete de auditoría', files: 'Paquete de auditoría' },
    recall: { title: 'Guardar las unidades encontradas', files: 'Tabla' },
    history: { title: 'Guardar el historial de la unidad', files: 'Tabla' },
    receipts: { title: 'Guardar los recibos de carga', files: 'Recibos de carga' },
    'report-html': { title: 'Guardar el informe', files: 'Página web' },
    'report-pdf': { title: 'Guardar el informe', files: 'PDF' },
    'label-zpl': { title: 'Guardar la etiqueta', files: 'Etiqueta ZPL' },
    'label-pdf': { title: 'Guardar la etiqueta', files: 'PDF' },
  },
  quit: {
    title: 'Hay un lote en marcha',
    message: 'Hay un lote en marcha.',
    detail: 'Las placas que se están escribiendo acaban como detenidas; cada una conserva una imagen que arranca. El registro dice hasta dónde llegó cada una.',
    keep: 'Seguir',
    stop: 'Detener el lote y salir',
  },
  menu: {
    station: 'Estación', lookFile: 'Consultar un archivo de registro o un paquete…', lookHome: 'Consultar el registro de una carpeta de datos…', quit: 'Salir',
    edit: 'Edición', undo: 'Deshacer', redo: 'Rehacer', cut: 'Cortar', copy: 'Copiar', paste: 'Pegar', selectAll: 'Seleccionar todo',
    view: 'Ver', reload: 'Volver a cargar', actualSize: 'Tamaño real', zoomIn: 'Ampliar', zoomOut: 'Reducir', fullScreen: 'Pantalla completa', tools: 'Herramientas de desarrollo',
  },
  notOpened: 'El registro no se abrió',
  fault: {
    title: 'Slotwright se ha detenido',
    says: 'Hay un fallo en Slotwright y no puede continuar.',
    station: 'El registro está a salvo: lo hecho está escrito, y el próximo inicio dice hasta dónde llegó cada placa.',
    auditor: 'El registro que se consultaba está como estaba.',
    more: 'El terminal muestra más.',
  },
}
