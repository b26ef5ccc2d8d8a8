// Runs the built command line once and keeps what V8 compiled on the way: `warm.cjs CLI-FOLDER COMMAND…`, started by
// command-line.mjs in the runtime that ships.
'use strict'
const { readFileSync, existsSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')

const [folder, ...words] = process.argv.slice(2)
const { codeCacheName, codeCacheOf, loaderFor } = require(join(folder, 'code-cache.js'))
const file = join(folder, codeCacheName)
const kept = existsSync(file) ? readFileSync(file) : null
const { load, compiled } = loaderFor(folder, kept)
process.on('exit', () => writeFileSync(file, codeCacheOf(compiled, kept)))
process.argv.splice(2, process.argv.length, ...words)
load('cli.js')
