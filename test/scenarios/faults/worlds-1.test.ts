// Half of the simulated worlds; the halves are two files so that both cores have one.
import { vi } from 'vitest'
import { worldsOf } from './worlds-of.ts'

vi.mock('@noble/curves/ed25519.js', async (original) => {
  const { quickened } = await import('./quick-ed25519.ts')
  return quickened(await original<{ ed25519: object }>())
})

worldsOf(0, 2)
