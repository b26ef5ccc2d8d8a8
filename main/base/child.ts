// The line between this program and a process of its own that it started: a PKCS#11 module's, the practice boards'. Two
// runtimes start such processes in two ways: plain Node (and Electron told to be Node) forks; a customer's package forbids
// that (the RunAsNode fuse is off), so there Electron's utility process carries the same words over a message port.

/** A started process, from its parent's side. Node's ChildProcess has this shape. */
export interface Child {
  readonly pid?: number | undefined
  readonly connected: boolean
  /** `sent` is called when the word has left, or cannot leave any more. */
  send(word: object, sent: () => void): unknown
  kill(signal: 'SIGKILL'): unknown
  on(event: 'message', listener: (word: unknown) => void): unknown
  once(event: 'exit' | 'error', listener: () => void): unknown
}

/** Starts the built file `entry` as a process; `words` says where its own stdout and stderr go. */
export type StartChild = (entry: string, words: 'ignore' | 'inherit') => Child

/** The door that knows the runtime leaves its way of starting here; builds of two doors share no module, but one process. */
const place = Symbol.for('slotwright.startChild')
type Holder = { [place]?: StartChild }

/** Said once, at a program's door, where forking is not to be had. */
export function startChildrenBy(start: StartChild): void {
  (globalThis as Holder)[place] = start
}

/** The way that was said, or null: then Node's fork does. */
export function childStarter(): StartChild | null {
  return (globalThis as Holder)[place] ?? null
}

/** The parent, from the process's side. */
export type Parent = Readonly<{
  say(word: object): void
  /** Hears the parent's words, and that it has gone. */
  listen(heard: (word: unknown) => void, gone: () => void): void
  /** Lets go of the parent, so that the process may end. */
  leave(): void
}>

type MessagePort = { postMessage(word: object): void; on(event: 'message', listener: (event: { data: unknown }) => void): void }

/** The line to whoever started this process. */
export function parentOf(here: NodeJS.Process): Parent {
  const port = (here as { parentPort?: MessagePort }).parentPort
  if (port === undefined) {
    return {
      say: (word) => void (here.connected && here.send?.(word)),
      listen(heard, gone) {
        here.on('message', heard)
        here.on('disconnect', gone)
      },
      leave: () => void (here.connected && here.disconnect()),
    }
  }
  return {
    say: (word) => port.postMessage(word),
    // A utility process does not outlive its parent, which Chromium sees to; there is nothing to hear of that.
    listen: (heard) => port.on('message', (event) => heard(event.data)),
    // Its port keeps it alive for ever.
    leave: () => here.exit(0),
  }
}
