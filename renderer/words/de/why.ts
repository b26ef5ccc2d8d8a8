// Was hinter jedem Fehler und hinter jedem Code eines Boards steckt: Ursache, Nachweis, nächster Schritt.
import { codes } from './why-codes.ts'
import { runs } from './why-runs.ts'

export const why = { ...runs, ...codes } as const
