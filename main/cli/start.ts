// What `bin/slotwright` starts: the command line, from code that is compiled already where it can be. CommonJS once built,
// since Node's loader of ES modules costs as much as a signature.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeCacheName, loaderFor } from './code-cache.ts'

function cacheHere(): Buffer | null {
  try {
    return readFileSync(join(import.meta.dirname, codeCacheName))
  } catch {
    // A build that could not run what it built has none.
    return null
  }
}

// zod makes code for each schema it checks with, which pays after some hundred checks; a call makes two.
Object.assign(globalThis, { __zod_globalConfig: { jitless: true } })
loaderFor(import.meta.dirname, cacheHere()).load('cli.js')
