// Qué hay detrás de cada fallo de una ejecución, de una placa, de un puerto o de un lote: causa, indicio, paso siguiente.
const history = 'El historial de la ejecución, en el panel de la placa, y las mismas entradas en el registro.'
const code = 'El código de la placa que aparece ahí tiene su propia ficha aquí.'
const slots = 'La lista de imágenes de la placa (Placas, Consultar): qué slot está en ejecución, cuál está pendiente y cuál está confirmado.'
const boot = 'La salida de arranque en la consola de la placa: MCUboot indica qué ha hecho con cada slot.'
const facts = 'Los datos de la imagen (Imágenes): versión, hash, clave y firma.'
const keys = 'La huella de la clave de la imagen (Imágenes), comparada con las claves de la estación (Claves).'
const wiring = 'Otras placas en el mismo puesto, y la misma placa en otro puesto: si el fallo acompaña al cable, la causa es el cable.'
const swap = 'El modo de swap (Placas, Consultar).'
const running = 'La versión en ejecución (Placas, Consultar).'
const layers = 'Las capas y los atributos del paquete (Imágenes), y la entrada del rechazo en el registro.'
const map = 'El plano de puestos y la ruta de la placa por los hubs USB.'
const extract = 'Hacer que la receta envíe la imagen que contiene.'

export const runs = {
  // Cómo puede acabar una ejecución
  'proof-failed': { cause: 'La imagen nueva se ejecutó y no cumplió lo que exige la receta: no responde al eco, comunica otra versión o no es la imagen que se envió.', evidence: `${history} Indica qué comprobación fue y qué respondió la placa.` },
  'self-test-failed': { cause: 'Una autoprueba de la receta midió un valor fuera de límites: falla un componente de la placa, o el límite es demasiado estrecho.', evidence: `${history} Indica qué autoprueba fue, qué se midió y qué se esperaba.` },
  'unit-data-refused': { cause: 'El firmware no tiene ningún ajuste ni archivo con ese nombre, o no deja escribirlo.', evidence: `${history} ${code}` },
  'unit-data-differs': { cause: 'Se escribió un valor y al releerlo era otro: el firmware guarda solo una parte, o su memoria está desgastada o llena.', evidence: `${history} Leer el ajuste en la consola de la placa.` },
  'no-unit-data': { cause: 'La tabla de datos de unidad no tiene ninguna fila para este número de serie, o le falta una columna que indica la receta.', evidence: 'La propia tabla, en el número de serie que muestra el puesto.' },
  'no-return': { cause: 'Tras el reinicio no respondió nada a tiempo: la imagen se bloquea al arrancar, el bootloader sigue con el swap, o falta la alimentación o el cable.', evidence: `${boot} Si no sale nada, es la alimentación o el cable; si el arranque se queda a medias, es la imagen.` },
  'not-swapped': { cause: 'El bootloader examinó la imagen nueva y conservó la anterior: confía en otra clave, la imagen no cabe en su slot o su contador de seguridad es inferior.', evidence: `${boot} ${keys}` },
  'not-reverted': { cause: 'La placa debía volver atrás y no lo hizo: su bootloader sobrescribe sin conservar la imagen anterior, o la nueva se confirmó a sí misma.', evidence: `${slots} Ahí figura también el modo de swap.` },
  'not-confirmed': { cause: 'La placa aceptó la confirmación, pero no muestra la imagen como confirmada: no se pudo escribir el trailer al final del slot.', evidence: `${slots} ${history}` },
  'confirm-refused': { cause: 'El firmware rechazó la confirmación: lo impide un hook del propio firmware, o la imagen no es la que está en ejecución.', evidence: `${history} ${code}` },
  'restarted-by-itself': { cause: 'Entre dos pasos, la placa no estaba donde debía: actuó un watchdog, la imagen nueva se colgó o hubo una caída de la alimentación.', evidence: `${boot} Un segundo arranque que nadie ha pedido.` },
  'not-reset': { cause: 'La placa aceptó el reinicio y sigue como antes: su firmware no puede reiniciarse por sí mismo, o un depurador la retiene.', evidence: `${history} ${slots}` },
  'reset-refused': { cause: 'El firmware rechazó el reinicio: no incluye el comando, o un hook lo impide mientras hay algo en curso.', evidence: `${history} ${code}` },
  'mark-refused': { cause: 'La placa no quiso marcar la imagen: no encuentra ninguna con ese hash, o ya hay otra pendiente.', evidence: `${slots} El código de la placa que aparece en el historial tiene su propia ficha aquí.` },
  'mark-not-taken': { cause: 'La placa aceptó la marca, pero no la muestra: no se pudo escribir el trailer al final del slot, o la placa se reinició.', evidence: slots },
  'upload-refused': { cause: 'La placa no aceptó la imagen o su siguiente fragmento: no hay slot libre, la cabecera no es correcta o la imagen es demasiado grande.', evidence: `${history} ${code}` },
  'upload-failed': { cause: 'La carga se interrumpió varias veces: se pierden bytes en la línea, el adaptador no soporta la velocidad o la placa se reinició.', evidence: `${wiring} ${history}` },
  'slot-mismatch': { cause: 'El contenido del slot tras la carga no es lo que se envió: se dañó por el camino, o la flash está desgastada.', evidence: `${slots} El hash que aparece ahí, comparado con el de la propia imagen (Imágenes).` },
  'no-answer': { cause: 'No llegó nada con sentido: no hay alimentación, la velocidad de línea es otra, los cables están cruzados o el firmware no tiene SMP en este puerto.', evidence: '«Conectar una placa», en la línea, prueba velocidades y formatos de trama; la consola muestra si la placa envía algo y qué.' },
  unplugged: { cause: 'El puerto desapareció en mitad de la ejecución y no volvió: falla el cable, el hub o la alimentación.', evidence: `${wiring} Las entradas del registro sobre placas que se desconectaron.` },
  stuck: { cause: 'Una actualización anterior quedó a medias, y un reinicio no sacó a la placa de ahí.', evidence: `${slots} ${boot}` },
  'nothing-runs': { cause: 'La placa no indica ninguna imagen en ejecución: está en su bootloader, o su primer slot no contiene nada válido.', evidence: `${boot} ${slots}` },
  'log-failed': { cause: 'La estación no pudo escribir en su registro: el disco está lleno, u otro programa tiene bloqueada la base de datos.', evidence: 'El espacio libre en el disco de la carpeta de la estación (Ajustes), y el primer fallo de este tipo en el lote.' },
  stopped: { cause: 'Alguien detuvo el lote, o se cerró la estación.', evidence: 'El registro indica quién lo detuvo.' },
  'station-died': { cause: 'La estación se cerró sin terminar la ejecución: el programa falló o se fue la corriente.', evidence: 'El registro muestra un inicio sin un cierre anterior. El último paso comprobado de la ejecución figura en su historial.' },
  // Antes del primer byte
  'no-recovery': { cause: 'Ningún bootloader en recuperación serie respondió a tiempo: se compiló sin ella, no se activó su pin o se pasó el momento, o DTR y RTS están cableados de otra forma.', evidence: 'La entrada en recuperación del perfil de placa, y la consola mientras la placa se reinicia.' },
  'hash-wrong': { cause: 'El contenido del archivo no coincide con su propio hash: está cortado, o se modificó por el camino.', evidence: `${facts} El mismo archivo, en el lugar donde se firmó.` },
  'not-bootable': { cause: 'La imagen se firmó con el indicador de que no debe arrancarse.', evidence: facts },
  'has-trailer': { cause: 'La imagen se firmó con --pad o --confirm, y se marcaría a sí misma antes de que se compruebe nada.', evidence: facts },
  unsigned: { cause: 'El archivo no lleva firma: se compiló y no se firmó, o se firmó sin clave.', evidence: facts },
  'signature-invalid': { cause: 'La firma no corresponde a estos bytes: el archivo se modificó después de firmarlo, o indica una clave que no es la que lo firmó.', evidence: `${facts} ${keys}` },
  'unknown-key': { cause: 'La clave que indica la imagen no se conoce aquí, así que no se puede verificar la firma.', evidence: keys },
  'key-not-allowed': { cause: 'La imagen se firmó con una clave conocida que la receta no permite.', evidence: `${keys} Las claves permitidas de la receta (Recetas).` },
  'key-retired': { cause: 'La clave que firmó la imagen se retiró en esta estación.', evidence: 'La fila de la propia clave (Claves), y el registro, que indica cuándo se retiró.' },
  'test-key': { cause: 'La receta es de producción, y la imagen se firmó con una clave de pruebas.', evidence: `${keys} La clase de la receta, producción o pruebas (Recetas).` },
  'image-too-large': { cause: 'La imagen, con lo que el bootloader necesita detrás de ella, no cabe en el slot.', evidence: 'El espacio que deja cada modo de swap (Imágenes, «Espacio en los slots»), comparado con el tamaño del slot (Placas, Consultar).' },
  downgrade: { cause: 'La imagen es anterior a la que está en ejecución, y la receta no permite volver a una versión anterior.', evidence: `${facts} ${running}` },
  'downgrade-prevented': { cause: 'Es el propio bootloader el que no acepta una imagen anterior; ninguna receta puede cambiarlo.', evidence: 'La respuesta del bootloader (Placas, Consultar).' },
  'not-started': { cause: 'En recuperación serie, la imagen se escribió pero no arrancó: el bootloader no confía en su clave, o la imagen no cabe.', evidence: `${boot} ${keys}` },
  'no-way-back': { cause: 'La receta exige placas que puedan volver atrás, y el bootloader de esta no conserva la imagen anterior.', evidence: swap },
  'not-newer': { cause: 'El bootloader ejecuta la imagen más reciente de las que hay, y esta no lo es.', evidence: `${facts} ${running}` },
  'erase-refused': { cause: 'El otro slot contiene una imagen que el bootloader ejecutaría a continuación, y la placa no la borra.', evidence: slots },
  'dependency-unmet': { cause: 'La imagen requiere otra imagen de la misma placa, en una versión más reciente que la que hay.', evidence: `${facts} ${slots}` },
  'image-not-listed': { cause: 'La actualización trae una imagen con un número que esta placa no tiene en su lista.', evidence: slots },
  'one-image-only': { cause: 'En recuperación serie se escribe una sola imagen encima de la que está en ejecución, y la actualización trae varias.', evidence: boot },
  'no-variant': { cause: 'La actualización trae una imagen para el slot en ejecución y ninguna para el libre.', evidence: `${slots} Las imágenes del archivo (Imágenes).` },
  compressed: { cause: 'La imagen está comprimida, y el bootloader de esta placa hace swap: solo uno que sobrescribe puede descomprimirla.', evidence: swap },
  'not-for-ram': { cause: 'El bootloader carga las imágenes en RAM, y esta no indica ninguna dirección de carga.', evidence: facts },
  'for-ram': { cause: 'La imagen está hecha para cargarse en RAM, y este bootloader la ejecuta desde la flash.', evidence: facts },
  'mode-unsupported': { cause: 'El bootloader usa un modo de swap que esta estación no maneja.', evidence: swap },
  // Puertos y placas
  'no-such-port': { cause: 'El puerto que tenía la placa ya no existe.', evidence: 'La lista de placas (Placas): la placa puede haber vuelto con otro nombre.' },
  'port-held': { cause: 'Otro programa tiene abierto el puerto, o lo tiene abierto otra parte de esta estación.', evidence: 'La propia frase del fallo nombra el programa, si el sistema lo indica.' },
  'no-permission': { cause: 'Este usuario no tiene permiso para abrir puertos serie.', evidence: '«Conectar una placa», en la línea, muestra los comandos que dan ese permiso.' },
  refused: { cause: 'La placa entendió el comando y lo rechazó.', evidence: `${history} ${code}` },
  'too-large': { cause: 'El archivo supera todo lo que se puede cargar por SMP.', evidence: facts },
  fault: { cause: 'Es un error del propio Slotwright. La placa no tiene nada que ver.', evidence: 'La frase del historial de la ejecución, para quien lo corrija.' },
  'buffer-too-small': { cause: 'En los búferes de la placa no cabe ni el primer fragmento de una carga.', evidence: 'Los búferes que comunica la placa (Placas, Consultar), y los de su perfil.' },
  timeout: { cause: 'La placa tardó más de lo previsto para el comando, o la respuesta se perdió en la línea.', evidence: wiring, next: 'Consultar de nuevo. Si sigue igual, comprobar la velocidad de línea y el cable.' },
  garbled: { cause: 'Lo que responde la placa no corresponde a lo que se preguntó: usa otra variante del protocolo, o se pierden bytes en la línea.', evidence: 'La consola muestra qué envía la placa; la versión de su firmware indica la variante.', next: 'Consultar de nuevo. Si sigue igual, comunicar la versión del firmware de la placa a su fabricante.' },
  stalled: { cause: 'La placa responde a cada fragmento y no acepta ninguno: su flash está ocupada, o no coincide con la estación en la posición de la carga.', evidence: 'Los mensajes de la placa en su consola durante la carga.', next: 'Reiniciar la placa y volver a procesarla; si sigue igual, apartarla.' },
  'no-lines': { cause: 'El perfil de placa usa las líneas DTR y RTS del puerto, y este adaptador o pseudoterminal no las tiene.', evidence: 'Los pasos del perfil de placa (Placas, Perfiles).', next: 'Usar un adaptador con esas líneas, o un perfil con otra forma de entrar en recuperación.' },
  'no-such-profile': { cause: 'La receta indica un perfil de placa que esta estación no tiene.', evidence: 'La receta (Recetas) y los perfiles (Placas, Perfiles).', next: 'Importar el perfil, o elegir otro en la receta.' },
  'bad-profile': { cause: 'El archivo de un perfil de placa se modificó a mano, o se creó con otra versión.', evidence: 'La propia frase del fallo nombra el archivo y el campo.', next: 'Corregir el archivo, o eliminarlo y volver a guardar el perfil.' },
  'no-such-question': { cause: 'Otra persona respondió a la pregunta al operario, se agotó su plazo o terminó su ejecución.', evidence: history, next: 'No hay que hacer nada; el historial de la ejecución indica cómo continuó.' },
  'port-failed': { cause: 'El controlador del sistema no dejó abrir el puerto.', evidence: 'La propia frase del fallo cita lo que dice el sistema.', next: 'Desconectar la placa y volver a conectarla; si sigue igual, reiniciar el hub USB del equipo.' },
  'port-stuck': { cause: 'El controlador del sistema no libera el puerto.', evidence: history, next: 'Desconectar la placa y volver a conectarla.' },
  'bad-baud-rate': { cause: 'El controlador del puerto no admite la velocidad de línea pedida.', evidence: 'La velocidad de línea del perfil de placa y la de Ajustes.', next: 'Elegir la velocidad con la que se compiló el firmware de la placa.' },
  'board-silent': { cause: 'No llega ni un byte por el puerto a ninguna de las velocidades habituales.', evidence: 'Un multímetro o un osciloscopio en el TX de la placa.', next: 'Comprobar la alimentación y después los cables: TX con RX, RX con TX, masa con masa.' },
  'not-smp': { cause: 'La placa transmite algo, pero no responde con SMP en este puerto.', evidence: 'La consola muestra qué envía.', next: 'Usar un firmware con MCUmgr en este mismo puerto.' },
  // Lote y línea
  'too-many-failures': { cause: 'El lote se detuvo solo: la imagen, el utillaje y la alimentación son comunes a todas sus placas.', evidence: 'Los últimos fallos del lote, que suelen ser del mismo tipo.', next: 'Revisar los últimos fallos antes de volver a iniciar.' },
  'other-bay': { cause: 'La placa se cambió de conector en mitad del trabajo.', evidence: map, next: 'Devolverla al puesto que se indica en pantalla.' },
  'unknown-place': { cause: 'La placa está en un conector que nunca se asignó a un puesto.', evidence: map, next: 'Conectarla en un puesto del utillaje, o asignar este conector.' },
  'serial-format': { cause: 'Lo que se escaneó no tiene el formato de número de serie que indica la receta.', evidence: 'El formato de la receta, comparado con la etiqueta.', next: 'Escanear la etiqueta de la unidad.' },
  'serial-used': { cause: 'Según el registro de esta estación, otra unidad ya tiene ese número de serie.', evidence: 'El registro, buscando el número de serie.', next: 'Escanear la etiqueta correcta; si dos unidades llevan el mismo número, apartar las dos.' },
  'bad-table': { cause: 'La tabla de datos de unidad no es un texto UTF-8 separado por comas con una fila de encabezados.', evidence: 'La propia frase del fallo indica la fila.', next: 'Guardar la tabla como CSV en UTF-8, separado por comas.' },
  'no-boards': { cause: 'Ninguno de los puestos elegidos tiene una placa.', evidence: 'Los puestos de la línea.', next: 'Conectar placas, o iniciar la línea de prácticas.' },
  'batch-running': { cause: 'Lo que se ha pedido tiene que esperar a que termine el lote.', evidence: 'La línea.', next: 'Esperar, o detener el lote.' },
  // Recetas
  'recipe-not-released': { cause: 'La receta es un borrador, o se retiró.', evidence: 'Su estado (Recetas).', next: 'Pedir a un ingeniero que la libere.' },
  'recipe-broken': { cause: 'Una receta liberada no coincide con lo que se liberó: se alteró en la base de datos, o la liberó otra estación.', evidence: 'La fila de la propia receta (Recetas), y la entrada de su liberación en el registro.', next: 'Compararla con el registro y liberarla de nuevo.' },
  'file-not-in-recipe': { cause: 'La receta identifica los archivos por su contenido, y este no es ninguno de ellos.', evidence: 'Los archivos de la receta (Recetas), comparados con el SHA-256 del archivo (Imágenes).', next: 'Usar un archivo que indique la receta, o liberar una revisión que incluya este.' },
  // Paquetes de firmware
  'not-a-package': { cause: 'La receta envía paquetes de firmware, y el archivo es una imagen.', evidence: layers, next: 'Elegir un paquete, o hacer que la receta envíe imágenes.' },
  'not-plain': { cause: 'El firmware del paquete está cifrado, comprimido o dividido, y ningún bootloader lo abre aquí en esa forma.', evidence: layers, next: extract },
  'laid-out-in-place': { cause: 'El firmware está enlazado para ejecutarse dentro de su paquete.', evidence: layers, next: 'Hacer que la receta envíe el paquete completo, para ejecutarlo desde dentro.' },
  'not-laid-out': { cause: 'El firmware no está enlazado para ejecutarse dentro de su paquete.', evidence: layers, next: 'Crear el paquete con --in-place, o hacer que la receta envíe la imagen que contiene.' },
  'wrong-hardware': { cause: 'El paquete indica tipos de hardware, y ninguno es el de las placas.', evidence: `${layers} El tipo de hardware de la receta.`, next: 'Usar el paquete para esta placa, o corregir el tipo de hardware de la receta.' },
  'stale-package': { cause: 'Un paquete más reciente indica que este ya no se debe instalar.', evidence: layers, next: 'Usar un paquete más reciente.' },
  'not-in-community': { cause: 'El paquete está limitado a algunas comunidades o números de serie, y esta placa no está en ninguno.', evidence: `${layers} Las comunidades de la receta.`, next: 'Comprobar las comunidades de la receta y el número de serie de la unidad.' },
  'missing-dependency': { cause: 'El paquete necesita otro que esta unidad no ha recibido.', evidence: layers, next: 'Instalar antes el otro paquete.' },
  'wrong-dependency-version': { cause: 'El paquete necesita una versión más reciente de otro.', evidence: layers, next: 'Actualizar antes el otro paquete.' },
  'breaks-dependency': { cause: 'Un paquete que tiene la unidad necesita la versión que este sustituiría.', evidence: layers, next: 'Actualizar antes el otro paquete.' },
} as const
