// Los códigos con los que responde una placa: qué hay detrás de cada uno, en qué se nota y qué hacer ahora.
const noFault = { cause: 'No hay ningún fallo.', evidence: 'La propia respuesta.', next: 'No hay que hacer nada.' } as const
const output = 'La salida de arranque y los mensajes de registro de la placa, en su consola.'
const nameless = 'El firmware se ha encontrado con un error para el que no tiene nombre.'
const readLog = 'Leer el registro de la propia placa.'
const unnamed = { cause: nameless, evidence: output, next: readLog } as const
const lastStep = 'El historial de la ejecución: el último paso antes del rechazo es lo que se pidió a la placa.'
const list = 'La lista de imágenes de la placa (Placas, Consultar): qué contiene cada slot y qué imagen está pendiente o confirmada.'
const facts = 'Los datos de la propia imagen (Imágenes): cabecera, tamaño, hash y zona de firma.'
const flashLog = 'El registro de la placa indica la dirección de la flash; otras placas del lote aceptan la misma imagen.'
const tests = 'Las autopruebas y los datos de unidad de la receta, comparados con lo que responde el firmware en la consola.'
const resetAgain = 'Reiniciar la placa y volver a intentarlo.'
const cable = 'Volver a intentarlo; si sigue igual, comprobar el cable y la velocidad de línea.'
const signAgain = 'Firmar de nuevo el firmware y comprobar que está hecho para esta placa.'
const signedImage = 'Elegir una imagen MCUboot firmada.'
const worn = 'Intentarlo una vez más; si sigue igual, apartar la placa: su flash puede estar desgastada.'
const offers = 'Comparar la receta con lo que ofrece este firmware.'

export const codes = {
  // Códigos de cualquier grupo
  'smp-0': { ...noFault, cause: 'No hay ningún fallo: algunos firmwares añaden este código a toda respuesta correcta.' },
  'smp-1': { cause: 'El firmware se ha encontrado con un error para el que no tiene nombre; a menudo procede de un driver.', evidence: output, next: readLog },
  'smp-2': {
    cause: 'El firmware ha agotado el heap o su reserva de búferes de red, por ejemplo por peticiones aún sin terminar.',
    evidence: `${output} Las reservas de memoria de la placa, si su firmware las comunica.`,
    next: resetAgain,
  },
  'smp-3': {
    cause: 'Un valor de la petición está fuera del intervalo que admite este firmware. En recuperación serie, un bootloader responde así a casi cualquier error.',
    evidence: lastStep,
    next: 'Comprobar que la imagen y la receta corresponden a esta placa.',
  },
  'smp-4': { cause: 'Una parte de la placa (un chip flash, otro núcleo) no ha respondido a tiempo a su propio firmware.', evidence: output, next: resetAgain },
  'smp-5': {
    cause: 'Lo que se pidió no existe en la placa: un archivo, un ajuste, una imagen en un slot vacío.',
    evidence: list,
    next: 'Consultar el estado de las imágenes de la placa; el slot puede estar vacío.',
  },
  'smp-6': {
    cause: 'La placa no puede hacerlo ahora: hay una imagen pendiente o a prueba, y su slot no se debe escribir ni borrar.',
    evidence: list,
    next: 'Confirmar la imagen a prueba o volver a la anterior; después, intentarlo de nuevo.',
  },
  'smp-7': {
    cause: 'La petición, o su respuesta, es más larga que alguno de los búferes de la placa.',
    evidence: 'El tamaño de búfer que indica la placa (Placas, Consultar), comparado con el de su perfil.',
    next: 'Usar mensajes más pequeños en el perfil de placa.',
  },
  'smp-8': {
    cause: 'El firmware se compiló sin este comando o sin todo su grupo.',
    evidence: 'La configuración del firmware (CONFIG_MCUMGR_GRP_…); otros comandos del mismo grupo dan la misma respuesta.',
    next: 'Compilar el firmware con este comando, o elegir un perfil de placa que no lo use.',
  },
  'smp-9': {
    cause: 'La petición ha llegado dañada: ruido en la línea, velocidad incorrecta o un búfer desbordado.',
    evidence: 'Otros fallos en el mismo puesto o con el mismo cable; con una velocidad incorrecta, la consola muestra texto ilegible.',
    next: cable,
  },
  'smp-10': {
    cause: 'La placa sigue ocupada con otra tarea, como borrar un slot para otro cliente.',
    evidence: lastStep,
    next: 'Esperar un momento y volver a intentarlo.',
  },
  'smp-11': {
    cause: 'El firmware ha denegado la petición, por ejemplo por un hook que bloquea las actualizaciones.',
    evidence: 'Los hooks del propio firmware; si lleva registro, ahí lo indica.',
    next: 'Desbloquear la placa, o usar un firmware que lo permita.',
  },
  'smp-12': {
    cause: 'La placa solo admite una versión del protocolo más reciente que la de la petición.',
    evidence: lastStep,
    next: 'Elegir la versión más reciente del protocolo en el perfil de placa.',
  },
  'smp-13': {
    cause: 'La placa solo admite una versión del protocolo más antigua que la de la petición.',
    evidence: lastStep,
    next: 'Elegir la versión 0 del protocolo en el perfil de placa.',
  },
  'smp-256': {
    cause: 'Los códigos a partir del 256 son propios del firmware; solo los conoce quien lo escribió.',
    evidence: output,
    next: 'Preguntar a quien escribió el firmware qué significa este código.',
  },
  // Grupo OS
  'os-0': noFault,
  'os-1': unnamed,
  'os-2': {
    cause: 'El formato de una consulta de datos de la aplicación contiene una letra que este firmware no conoce.',
    evidence: tests,
    next: 'Pedir menos campos.',
  },
  'os-3': {
    cause: 'Este firmware no tiene respuesta para esa consulta sobre el bootloader.',
    evidence: tests,
    next: 'El bootloader o el firmware no ofrece ese dato; continuar sin él.',
  },
  'os-4': {
    cause: 'El reloj de la placa no se ha puesto en hora desde que se encendió.',
    evidence: 'Su fecha y su hora, en la consola.',
    next: 'Ponerlo antes en fecha y hora.',
  },
  'os-5': { cause: 'El driver del chip de reloj ha devuelto un error.', evidence: output, next: 'Comprobar el chip de reloj y su pila.' },
  'os-6': {
    cause: 'Con lo que sabe el firmware no se ha podido componer la respuesta a la consulta.',
    evidence: tests,
    next: 'Comprobar el valor en la receta.',
  },
  // Grupo de imágenes
  'image-0': noFault,
  'image-1': { ...unnamed, cause: `${nameless} Así responde también cuando se le pide borrar un slot que ya está vacío.` },
  'image-2': {
    cause: 'El firmware no ha podido leer la distribución de su propia flash: las particiones no corresponden al driver de la flash.',
    evidence: output,
    next: 'Comprobar las particiones del firmware.',
  },
  'image-3': { cause: 'El slot consultado no contiene ninguna cabecera de imagen.', evidence: list, next: 'Cargar la imagen de nuevo.' },
  'image-4': {
    cause: 'Hay cabecera, pero donde esta sitúa el final de la imagen no hay zona de firma: la carga quedó a medias, o el archivo está cortado.',
    evidence: `${facts} ${list}`,
    next: signAgain,
  },
  'image-5': { cause: 'Una entrada de la zona de firma sobrepasa el final de la zona.', evidence: facts, next: signAgain },
  'image-6': { cause: 'La zona de firma contiene más de un hash, y no se puede saber cuál es el válido.', evidence: facts, next: signAgain },
  'image-7': {
    cause: 'Una entrada de la zona de firma no tiene el tamaño que corresponde a su tipo; a menudo, la imagen se hizo para otro hash.',
    evidence: facts,
    next: signAgain,
  },
  'image-8': {
    cause: 'Ningún slot contiene una imagen con el hash indicado: la carga no terminó, o el slot se volvió a escribir.',
    evidence: list,
    next: 'Cargar la imagen de nuevo y comprobar después el slot.',
  },
  'image-9': {
    cause: 'Todos los slots que se podrían escribir están en uso: una imagen espera su prueba, o la que está en ejecución no se ha confirmado.',
    evidence: list,
    next: 'Confirmar la imagen en ejecución, o reiniciar la placa para volver a la anterior; después, intentarlo de nuevo.',
  },
  'image-10': {
    cause: 'No se ha podido abrir el área de flash del slot: el firmware no tiene esa partición, o su driver no se ha iniciado.',
    evidence: output,
    next: 'Comprobar que el slot existe en esta placa.',
  },
  'image-11': { cause: 'Ha fallado la lectura de la flash: celdas desgastadas, o un chip externo que no responde.', evidence: flashLog, next: worn },
  'image-12': {
    cause: 'Ha fallado la escritura de la flash: celdas desgastadas, una región protegida o una alimentación demasiado débil para escribir.',
    evidence: flashLog,
    next: worn,
  },
  'image-13': {
    cause: 'Ha fallado el borrado de la flash: celdas desgastadas, una región protegida o una alimentación demasiado débil.',
    evidence: flashLog,
    next: worn,
  },
  'image-14': {
    cause: 'La placa no tiene ningún slot con ese número: el perfil o el archivo comprimido es para una placa con más imágenes.',
    evidence: list,
    next: 'Comprobar el perfil de placa.',
  },
  'image-15': { cause: 'Al firmware no le queda memoria para gestionar la carga.', evidence: output, next: resetAgain },
  'image-16': {
    cause: 'Sigue abierta una carga que inició otro cliente.',
    evidence: 'Otros programas conectados a la misma placa; lo que se ejecutó antes en este puesto.',
    next: resetAgain,
  },
  'image-17': {
    cause: 'Ha llegado un fragmento sin el primero: la placa se reinició en mitad de la carga.',
    evidence: `${output} Un watchdog o una alimentación débil se reconocen por un arranque en mitad de la carga.`,
    next: 'Empezar la carga de nuevo.',
  },
  'image-18': {
    cause: 'El dispositivo flash del slot no figura en la configuración del firmware.',
    evidence: output,
    next: 'Comprobar la configuración del firmware.',
  },
  'image-19': {
    cause: 'El firmware ha calculado una página fuera de su flash: hay particiones que no terminan en un límite de página.',
    evidence: 'Las particiones del firmware (devicetree).',
    next: readLog,
  },
  'image-20': { cause: 'Un fragmento de la carga no indicaba su posición.', evidence: lastStep, next: readLog },
  'image-21': { cause: 'El primer fragmento de la carga no indicaba la longitud de la imagen.', evidence: lastStep, next: readLog },
  'image-22': {
    cause: 'El primer fragmento era demasiado corto para una cabecera de imagen completa: los búferes de la placa son muy pequeños.',
    evidence: 'El tamaño de búfer que indica la placa (Placas, Consultar).',
    next: signedImage,
  },
  'image-23': { cause: 'El archivo no es una imagen MCUboot: no se firmó nunca, o va dentro de otro formato.', evidence: facts, next: signedImage },
  'image-24': {
    cause: 'La carga indicaba un hash de una longitud que el firmware no admite.',
    evidence: facts,
    next: 'Comprobar que la imagen usa el hash para el que se compiló este bootloader.',
  },
  'image-25': {
    cause: 'La imagen está fijada a una dirección de flash distinta de la del slot (ROM_FIXED): es para otra placa u otro slot.',
    evidence: facts,
    next: 'Compilar la imagen para el slot de esta placa.',
  },
  'image-26': {
    cause: 'La placa no ha podido leer la versión de la imagen en ejecución para compararla con la nueva.',
    evidence: list,
    next: readLog,
  },
  'image-27': {
    cause: 'El propio firmware rechaza imágenes anteriores a la que está en ejecución.',
    evidence: 'Las versiones: la de la imagen (Imágenes) y la que está en ejecución (Placas, Consultar).',
    next: 'Permitir versiones anteriores en la receta, o elegir una imagen más reciente.',
  },
  'image-28': {
    cause: 'Ya hay una imagen marcada o a prueba; mientras tanto no se puede marcar otra.',
    evidence: list,
    next: 'Reiniciar la placa para que se haga el swap pendiente y volver a consultarla.',
  },
  'image-29': {
    cause: 'Las primeras palabras del firmware no dan una dirección de inicio dentro de él: se firmó con un tamaño de cabecera incorrecto, o se enlazó para otra dirección.',
    evidence: facts,
    next: 'Comprobar el tamaño de cabecera con el que se compiló el firmware.',
  },
  'image-30': {
    cause: 'La imagen es mayor que su slot, descontado lo que el bootloader necesita al final de este.',
    evidence: 'El espacio que deja cada modo de swap (Imágenes, Espacio en los slots), comparado con el tamaño del slot (Placas, Consultar).',
    next: 'Reducir la imagen, o elegir el perfil de placa correcto.',
  },
  'image-31': {
    cause: 'Han llegado más bytes de los que anunciaba el primer fragmento: dos cargas a la vez, o un archivo que cambió entretanto.',
    evidence: lastStep,
    next: 'Empezar la carga de nuevo.',
  },
  'image-32': {
    cause: 'Un hook del firmware ha rechazado la confirmación, por ejemplo porque sus propias comprobaciones no se han superado.',
    evidence: 'Los hooks del propio firmware y su registro.',
    next: 'Confirmar solo la imagen en ejecución.',
  },
  'image-33': {
    cause: 'Se quería marcar para una prueba la imagen que ya está en ejecución: los dos slots contienen la misma, o se indicó otro hash por error.',
    evidence: list,
    next: 'No hay que hacer nada: la placa ya ejecuta esta imagen.',
  },
  'image-34': {
    cause: 'El firmware no puede determinar desde qué slot se ejecuta: se compiló para un modo distinto del que usa el bootloader.',
    evidence: list,
    next: readLog,
  },
  // Grupo de estadísticas
  'statistics-0': noFault,
  'statistics-1': unnamed,
  'statistics-2': { cause: 'El firmware no registra ninguna estadística con ese nombre.', evidence: tests, next: offers },
  'statistics-3': {
    cause: 'Un contador de ese grupo no tiene nombre en este firmware (CONFIG_STATS_NAMES está desactivada).',
    evidence: tests,
    next: 'Compilar el firmware con nombres para sus estadísticas (CONFIG_STATS_NAMES).',
  },
  'statistics-4': { cause: 'Un contador tiene un tamaño que el firmware no puede comunicar.', evidence: tests, next: readLog },
  'statistics-5': {
    cause: 'La lectura de los contadores se ha interrumpido a medias, casi siempre porque la respuesta era demasiado larga.',
    evidence: tests,
    next: readLog,
  },
  // Grupo de ajustes
  'settings-0': noFault,
  'settings-1': unnamed,
  'settings-2': { cause: 'El nombre del ajuste es más largo de lo que admite el firmware tal como se compiló.', evidence: tests, next: offers },
  'settings-3': { cause: 'No existe ningún ajuste con ese nombre.', evidence: tests, next: offers },
  'settings-4': { cause: 'La parte del firmware que gestiona el ajuste no permite leerlo.', evidence: tests, next: offers },
  'settings-5': { cause: 'Ninguna parte del firmware gestiona ajustes cuyo nombre empiece así.', evidence: tests, next: offers },
  'settings-6': { cause: 'La parte del firmware que gestiona el ajuste no permite escribirlo.', evidence: tests, next: offers },
  'settings-7': { cause: 'El backend de ajustes del firmware no permite eliminar.', evidence: tests, next: offers },
  'settings-8': {
    cause: 'El backend de ajustes del firmware no permite guardar.',
    evidence: tests,
    next: 'Compilar el firmware con un backend de ajustes que permita guardar.',
  },
  // Grupo de archivos
  'files-0': noFault,
  'files-1': unnamed,
  'files-2': {
    cause: 'El sistema de archivos de la placa no admite esa ruta; debe ser completa, desde el punto de montaje.',
    evidence: tests,
    next: offers,
  },
  'files-3': { cause: 'No hay ningún archivo en esa ruta.', evidence: tests, next: offers },
  'files-4': { cause: 'La ruta corresponde a una carpeta.', evidence: tests, next: offers },
  'files-5': {
    cause: 'El sistema de archivos no ha podido abrir el archivo: no está montado, está dañado o hay demasiados archivos abiertos.',
    evidence: output,
    next: worn,
  },
  'files-6': { cause: 'No se ha podido cambiar de posición dentro del archivo: el sistema de archivos está dañado.', evidence: output, next: worn },
  'files-7': { cause: 'Ha fallado la lectura del archivo: sistema de archivos dañado o flash desgastada.', evidence: output, next: worn },
  'files-8': { cause: 'No se ha podido recortar el archivo antes de escribirlo de nuevo.', evidence: output, next: worn },
  'files-9': { cause: 'No se ha podido eliminar el archivo antiguo antes de escribirlo de nuevo.', evidence: output, next: worn },
  'files-10': {
    cause: 'Ha fallado la escritura del archivo: casi siempre, el sistema de archivos está lleno.',
    evidence: output,
    next: 'El sistema de archivos puede estar lleno, o la flash, desgastada.',
  },
  'files-11': { cause: 'El fragmento no sigue al anterior: se ha perdido uno en la línea.', evidence: lastStep, next: cable },
  'files-12': {
    cause: 'El fragmento pedido empieza después del final del archivo; este ha cambiado entretanto.',
    evidence: lastStep,
    next: cable,
  },
  'files-13': { cause: 'El firmware se compiló sin la suma de comprobación pedida.', evidence: tests, next: offers },
  'files-14': { cause: 'En el inicio de esa ruta no hay montado ningún sistema de archivos.', evidence: tests, next: offers },
  'files-15': { cause: 'El sistema de archivos está montado en solo lectura.', evidence: tests, next: offers },
  'files-16': { cause: 'El archivo está vacío: no hay nada sobre lo que calcular una suma de comprobación.', evidence: tests, next: offers },
  // Grupo de shell
  'shell-0': noFault,
  'shell-1': unnamed,
  'shell-2': { cause: 'La línea de comando es más larga que el búfer del shell (CONFIG_SHELL_CMD_BUFF_SIZE).', evidence: tests, next: offers },
  'shell-3': { cause: 'Tras descomponer la línea no queda ningún comando que ejecutar.', evidence: tests, next: offers },
} as const
