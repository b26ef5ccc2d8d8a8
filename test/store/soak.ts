// How much the tests of the log do: small samples in the suite, the sizes of the promise by `npm run soak:log`.
export const soaks = process.env['SLOTWRIGHT_SOAK'] === '1'

/** The first in the suite, the second in a soak. */
export const often = (inSuite: number, inSoak: number): number => (soaks ? inSoak : inSuite)

/** Time for one test, in ms: a soak may take hours. */
export const within = (inSuiteMs: number): number => (soaks ? 6 * 3_600_000 : inSuiteMs)
