// How a passphrase gets in: typed on a terminal without echo, or as the first line of a file. Never as an argument or an
// environment variable, since both can be read by every process of the machine.
import { open } from 'node:fs/promises'
import { Failure, failed } from '../base/failure.ts'
import type { Call } from './call.ts'
import { fileFailure } from './files.ts'

const passphraseCharsMax = 1024
/** As the contract has it. */
const pinCharsMin = 4
/** A file with a longer first line is not a passphrase file. */
const passphraseFileBytesMax = 4096

export type PassphraseOptions = Readonly<{
  /** `--passphrase-file`. */
  passphraseFile?: string | undefined
  /** False after `--no-passphrase`. */
  passphrase?: boolean | undefined
  /** The option that a script gives it by; `--passphrase-file` where nothing else is said. */
  fileOption?: string
}>

export type PinOptions = Readonly<{
  /** `--pin-file`. */
  pinFile?: string | undefined
}>

/** A token's PIN: from the file, else asked once and never again. Kinds: `passphrase-file`, `needs-pin`, `stopped`. */
export async function knownPin(call: Call, options: PinOptions, token: string): Promise<string | Failure> {
  if (options.pinFile !== undefined) return passphraseFromFile(options.pinFile, 'PIN')
  if (!call.stdin.isTTY || !call.stderr.isTTY) return new Failure('needs-pin', `The token "${token}" is locked, and there is no terminal to ask for its PIN on. Give it with --pin-file FILE.`)
  const pin = await typed(call, `PIN of the token "${token}": `)
  return pin === '' ? new Failure('needs-pin', 'No PIN was given; nothing was done.') : pin
}

/** The first line of the file, without its line end. Kinds: `passphrase-file`. */
export async function passphraseFromFile(path: string, secret: 'passphrase' | 'PIN' | 'badge' = 'passphrase'): Promise<string | Failure> {
  try {
    const file = await open(path, 'r')
    try {
      const buffer = Buffer.alloc(passphraseFileBytesMax + 1)
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0)
      const line = buffer.subarray(0, bytesRead).toString('utf8').split(/\r?\n/, 1)[0] ?? ''
      buffer.fill(0)
      if (line.length === 0) return new Failure('passphrase-file', `The ${secret} file ${path} has no first line. Put the ${secret} there, alone on the line.`)
      if (line.length > passphraseCharsMax) return new Failure('passphrase-file', `The first line of ${path} is longer than ${passphraseCharsMax} characters; this is not a ${secret} file.`)
      return line
    } finally {
      await file.close()
    }
  } catch (error) {
    return new Failure('passphrase-file', `The ${secret} file ${fileFailure(error, 'read', path).says}`)
  }
}

/** A passphrase for an existing key: from the file, else asked once. Kinds: `passphrase-file`, `needs-passphrase`, `stopped`. */
export async function knownPassphrase(call: Call, options: PassphraseOptions, of: string): Promise<string | Failure> {
  if (options.passphraseFile !== undefined) return passphraseFromFile(options.passphraseFile)
  return typed(call, `Passphrase of ${of}: `, options.fileOption)
}

/**
 * A passphrase for a new key: from the file, or typed twice; null after `--no-passphrase`.
 * Kinds: as `knownPassphrase`, and `passphrases-differ`.
 */
export async function newPassphrase(call: Call, options: PassphraseOptions): Promise<string | null | Failure> {
  if (options.passphrase === false) return null
  if (options.passphraseFile !== undefined) return passphraseFromFile(options.passphraseFile)
  const first = await typed(call, 'New passphrase: ', options.fileOption)
  if (failed(first)) return first
  if (first === '') return new Failure('needs-passphrase', 'An empty passphrase protects nothing. Type one, or make an unprotected test key with --no-passphrase.')
  const second = await typed(call, 'The same again: ')
  if (failed(second)) return second
  if (first !== second) return new Failure('passphrases-differ', 'The two passphrases differ. Nothing was made; try again.')
  return first
}

/** A new PIN: from the file, else typed twice. Kinds: `passphrase-file`, `needs-pin`, `short-pin`, `passphrases-differ`, `stopped`. */
export async function newSecret(call: Call, file: string | undefined, question: string, instead: string): Promise<string | Failure> {
  const first = file === undefined ? await typedSecret(call, question, instead) : await passphraseFromFile(file, 'PIN')
  if (failed(first)) return first
  if (first.length < pinCharsMin) return new Failure('short-pin', `A PIN has ${pinCharsMin} characters or more; nothing was changed.`)
  if (file !== undefined) return first
  const second = await typedSecret(call, 'The same again: ', instead)
  if (failed(second)) return second
  return first === second ? first : new Failure('passphrases-differ', 'The two differ. Nothing was changed; try again.')
}

/** A secret typed once; `instead` is the option that a script gives. Kinds: `needs-pin`, `stopped`. */
export async function typedSecret(call: Call, question: string, instead: string): Promise<string | Failure> {
  if (!call.stdin.isTTY || !call.stderr.isTTY) return new Failure('needs-pin', `A PIN is needed and there is no terminal to ask on. Give it with ${instead}.`)
  const secret = await typed(call, question)
  return secret === '' ? new Failure('needs-pin', 'No PIN was given; nothing was done.') : secret
}

/** Asks on the terminal without echo. The raw mode is given back whatever happens. */
async function typed(call: Call, question: string, fileOption = '--passphrase-file'): Promise<string | Failure> {
  const { stdin } = call
  if (!stdin.isTTY || !call.stderr.isTTY) {
    return new Failure('needs-passphrase', `A passphrase is needed and there is no terminal to ask on. Give it with ${fileOption} FILE.`)
  }
  // Before the question is asked: whoever answers at once must not see it echoed.
  stdin.setRawMode(true)
  call.tell(question)
  stdin.setEncoding('utf8')
  stdin.resume()
  try {
    return await new Promise<string | Failure>((resolve) => {
      let text = ''
      const end = (result: string | Failure) => {
        stdin.off('data', onData)
        call.signal.removeEventListener('abort', onStop)
        resolve(result)
      }
      const onStop = () => end(new Failure('stopped', 'Stopped before a passphrase was given; nothing was done.'))
      const onData = (data: string) => {
        for (const char of data) {
          if (char === '\r' || char === '\n' || char === '\u0004') return end(text)
          if (char === '\u0003') return onStop()
          if (char === '\u007f' || char === '\b') text = [...text].slice(0, -1).join('')
          else if (char === '\u0015') text = ''
          else if (char >= ' ' && text.length < passphraseCharsMax) text += char
        }
      }
      stdin.on('data', onData)
      call.signal.addEventListener('abort', onStop, { once: true })
      if (call.signal.aborted) onStop()
    })
  } finally {
    stdin.setRawMode(false)
    stdin.pause()
    call.tell('\n')
  }
}
