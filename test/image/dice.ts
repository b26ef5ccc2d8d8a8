// The randomness of the fuzzers: the same mutations for the same seed, on every machine.
/** How many inputs a fuzzer tries: a sample, or what `npm run fuzz` asks for. */
export const fuzzRounds = Number(process.env['SLOTWRIGHT_FUZZ'] ?? 20_000)
export const fuzzSeed = Number(process.env['SLOTWRIGHT_FUZZ_SEED'] ?? 20261123)
export const fuzzTimeoutMs = 3_600_000

/** xorshift32; gives a function that draws from 0 to below its argument. */
export function dice(from: number): (below: number) => number {
  let state = from | 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}
