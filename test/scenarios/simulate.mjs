// `npm run simulate -- --seed N | --seeds FIRST-LAST [--workers N]`: simulated worlds outside the test runner, in the
// runtime that ships.
import { join } from 'node:path'
import { runInRuntime } from '../bench/in-runtime.mjs'

const root = join(import.meta.dirname, '..', '..')
/** Ed25519 by the runtime instead of by script: faults/quick-ed25519.ts says why. */
const quickEd25519 = {
  name: 'quick-ed25519',
  enforce: 'pre',
  resolveId: (id, importer) => (id === '@noble/curves/ed25519.js' && importer !== '\0quick-ed25519' ? '\0quick-ed25519' : null),
  load: (id) => (id === '\0quick-ed25519' ? `
    import * as noble from ${JSON.stringify(join(root, 'node_modules/@noble/curves/ed25519.js'))}
    import { quickened } from ${JSON.stringify(join(import.meta.dirname, 'faults', 'quick-ed25519.ts'))}
    export * from ${JSON.stringify(join(root, 'node_modules/@noble/curves/ed25519.js'))}
    export const ed25519 = quickened(noble).ed25519
  ` : null),
}
process.exit(await runInRuntime({ simulate: join(import.meta.dirname, 'faults', 'simulate.ts') }, {
  plugins: [quickEd25519],
  // Its browser build is no module that Node would load by itself.
  noExternal: [/^fflate/],
  nodeOptions: (process.env.SIMULATE_NODE_OPTIONS ?? '').split(' ').filter(Boolean),
  words: process.argv.slice(2),
}))
