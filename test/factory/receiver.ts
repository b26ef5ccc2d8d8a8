// A receiver of events on this computer, which answers as the test says and keeps what it got.
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FactoryEvent } from '../../main/factory/event.ts'

export type Got = Readonly<{ event: FactoryEvent; body: string; headers: IncomingHttpHeaders; path: string }>

export class Receiver {
  readonly got: Got[] = []
  readonly #server: Server
  #waiting: { count: number; tell: () => void }[] = []
  answer: (response: ServerResponse, got: Got) => void = (response) => response.end()

  private constructor() {
    this.#server = createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', (part: string) => { body += part }).on('end', () => {
        const got = { event: JSON.parse(body) as FactoryEvent, body, headers: request.headers, path: request.url ?? '' }
        this.got.push(got)
        this.answer(response, got)
        for (const { count, tell } of this.#waiting) if (this.got.length >= count) tell()
      })
    })
  }

  static async open(port = 0): Promise<Receiver> {
    const receiver = new Receiver()
    await new Promise<void>((resolve) => receiver.#server.listen(port, '127.0.0.1', resolve))
    return receiver
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/events`
  }

  /** Resolves when so many events have come. */
  received(count: number): Promise<void> {
    return new Promise((tell) => {
      if (this.got.length >= count) tell()
      else this.#waiting.push({ count, tell })
    })
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }
}
