// What `bin/slotwright` starts: the command line, from code that is compiled already where it can be. CommonJS once built,
// since Node's loader of ES modules costs as much as a signature.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { codeCacheName, useCodeCache } from './code-cache.ts'

function cacheHere(): Buffer | null {
  try {
    return readFileSync(join(import.meta.dirname, codeCacheName))
  } catch {
    // A build that could not run what it built has none.
    return null
  }
}

useCodeCache(import.meta.dirname, cacheHere())
createRequire(import.meta.filename)('./cli.js')
