import { expect, it } from 'vitest'
import { engines, Peer, serve } from './support.ts'

it.concurrent.each(engines)(
  'room: who joins, speaks and leaves is heard in the same room only, on %s',
  async (engine) => {
    const sample = serve('room', engine)
    const join = async (query: string): Promise<Peer> => Peer.open(`ws://127.0.0.1:${await sample.port()}/room${query}`)

    const ada = await join('?room=lobby&name=Ada')
    expect(await ada.hear()).toBe('* Ada has joined, 1 here')
    const bob = await join('?name=%3Cb%3EBob')
    for (const peer of [ada, bob]) expect(await peer.hear()).toBe('* <b>Bob has joined, 2 here')
    const elsewhere = await join(`?room=attic&name=${'x'.repeat(50)}`)
    expect(await elsewhere.hear()).toBe(`* ${'x'.repeat(40)} has joined, 1 here`)

    elsewhere.say('is anybody here?')
    expect(await elsewhere.hear()).toMatch(/: is anybody here\?$/)
    ada.say('100%s "<script>"')
    for (const peer of [ada, bob]) expect(await peer.hear()).toBe('Ada: 100%s "<script>"')

    // Three ways to leave: a message that is too long, one that is not text, and a lost connection.
    const long = await join('')
    for (const peer of [ada, bob, long]) expect(await peer.hear()).toBe('* somebody has joined, 3 here')
    long.say('x'.repeat(5000))
    expect(await long.closed).toBe(1009)
    for (const peer of [ada, bob]) expect(await peer.hear()).toBe('* somebody has left, 2 here')
    bob.socket.send(Buffer.from('bytes'))
    expect(await bob.closed).toBe(1003)
    expect(await ada.hear()).toBe('* <b>Bob has left, 1 here')
    const lost = await join('?name=Eve')
    expect(await ada.hear()).toBe('* Eve has joined, 2 here')
    lost.socket.terminate()
    expect(await ada.hear()).toBe('* Eve has left, 1 here')

    const stopped = sample.stop('SIGINT')
    expect(await ada.closed).toBe(1001)
    await stopped
  },
)
