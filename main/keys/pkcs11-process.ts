// Entry of the process that holds one PKCS#11 module: a vendor's native code, which may block for ten seconds, crash, or keep
// the PIN in its memory. Here it freezes and takes down nobody else, and its memory ends with it. It carries out one ask at a
// time and ends when its parent does.
import { createRequire } from 'node:module'
import { parentOf } from '../base/child.ts'
import { Failure, failed } from '../base/failure.ts'
import { TokenModule } from './pkcs11-module.ts'
import type { Pkcs11Api } from './pkcs11-objects.ts'
import type { FromToken, ToToken } from './pkcs11-words.ts'

const parent = parentOf(process)
let module: TokenModule | null = null
let broken: Failure | null = null

function say(word: FromToken): void {
  parent.say(word)
}

function load(path: string): Failure | TokenModule {
  let api: Pkcs11Api & { load(path: string): void }
  try {
    const { PKCS11 } = createRequire(import.meta.url)('pkcs11js') as { PKCS11: new () => typeof api }
    api = new PKCS11()
  } catch {
    return new Failure('no-pkcs11', 'This installation has no part for keys in hardware: pkcs11js was not compiled for it. Install a C++ compiler and run npm run setup.')
  }
  try {
    api.load(path)
  } catch {
    return new Failure('module-broken', `${path} is there but does not load as a PKCS#11 module. It may be made for another kind of processor, or lack a library of its own: ldd ${path} shows that.`, { path })
  }
  const opened = new TokenModule(api)
  return opened.initialize() ?? opened
}

function obey(word: ToToken): void {
  if (word.is === 'end') return end()
  if (word.is === 'load') {
    const loaded = load(word.modulePath)
    if (failed(loaded)) broken = loaded
    else module = loaded
    return
  }
  const answer = module === null ? broken : module.carryOut(word.ask)
  if (failed(answer)) say({ is: 'failed', id: word.id, failure: { kind: answer.kind, says: answer.says, facts: { ...answer.facts } } })
  else say({ is: 'answer', id: word.id, value: answer })
}

function end(): void {
  module?.end()
  module = null
  parent.leave()
  process.exit(0)
}

parent.listen((word) => obey(word as ToToken), end)
process.on('SIGTERM', end)
// Ctrl+C in a terminal reaches the whole group; the parent decides when this ends.
process.on('SIGINT', () => {})
