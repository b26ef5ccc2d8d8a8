// Qué hay detrás de cada fallo y de cada código de una placa: causa, indicio, paso siguiente.
import { codes } from './why-codes.ts'
import { runs } from './why-runs.ts'

export const why = { ...runs, ...codes } as const
