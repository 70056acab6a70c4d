import { expect, it } from 'vitest'
import type { Exchange } from '../../../lib/engine/port.ts'
import { Backlog, NOTHING } from '../../../lib/onebot/backlog.ts'
import { Streams } from '../../../lib/onebot/transport/streams.ts'
import { Response } from '../../../lib/web/response.ts'

/** An exchange whose peer reads when it is told to. */
class Slow {
  readonly written: string[] = []
  #reads = false
  #drains: (() => void)[] = []
  readonly exchange: Exchange = {
    method: 'GET',
    target: '/',
    version: '1.1',
    headers: {},
    remoteAddress: '',
    secure: false,
    listener: '',
    crowded: false,
    done: false,
    readBody: () => Promise.resolve(null),
    refuseBody() {},
    writeHead() {},
    write: (chunk) => {
      this.written.push(String(chunk))
      return this.#reads
    },
    onDrain: (fn) => this.#drains.push(fn),
    onAbort() {},
    end() {},
    abort() {},
    upgrade: () => null,
  }

  /** It has read what was written. */
  read(more: boolean): void {
    this.#reads = more
    for (const fn of this.#drains.splice(0)) fn()
  }
}

it.each([true, false])(
  'an event that comes at the moment of catching up does not overtake, read at once: %s',
  async (reads) => {
    const slow = new Slow()
    const backlog = new Backlog(
      () => NOTHING,
      () => {},
      () => 0,
    )
    const streams = new Streams(backlog, { attend: () => {}, part: () => {}, lose: () => {} })
    slow.read(true)
    streams.add(new Response(slow.exchange, []), '')
    slow.read(false)
    for (const event of ['a', 'b', 'c']) streams.send(event, null)
    slow.read(reads)
    streams.send('d', null)
    slow.read(true)
    await expect.poll(() => slow.written.length).toBe(5)
    streams.send('e', null)
    await expect.poll(() => slow.written.join('').match(/(?<=data: )./g)).toEqual(['a', 'b', 'c', 'd', 'e'])
  },
)
