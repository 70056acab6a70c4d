import { describe, expect, it } from 'vitest'
import { Rate } from '../../lib/gateway/rate.ts'
import { binary, cont, frame, ping, text } from '../support/frames.ts'
import { type Client, Gateway, pinged } from '../support/gateway.ts'
import { RawClient } from '../support/raw.ts'
import { engines } from '../support/server.ts'

const HEARTBEAT = '{"op":"HEARTBEAT"}'
const ACK = '{"op":"HEARTBEAT_ACK"}'

/** HEARTBEAT in so many bytes. */
const padded = (bytes: number): string => HEARTBEAT.padStart(bytes)

const acksOf = ({ frames }: Client): number => frames.filter(({ op }) => op === 'HEARTBEAT_ACK').length

/** A raw client that has had its READY. */
async function openRaw(gateway: Gateway, token: string): Promise<RawClient> {
  const client = await RawClient.open(gateway.port, `/ws?token=${token}`)
  expect((await client.frame()).payload.toString()).toContain('"READY"')
  return client
}

/** Payloads of what comes before the answer to a ping. */
async function beforePong(client: RawClient): Promise<string[]> {
  client.send(ping('over'))
  const all: string[] = []
  for (;;) {
    const { opcode, payload } = await client.frame()
    if (opcode === 10) return all
    all.push(`${opcode} ${payload.toString()}`)
  }
}

describe.each(engines)('what clients send, on %s', (engine) => {
  it('gateway trap T9: 16,384 bytes pass, one more closes', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const client = await gateway.connect(ada)
    client.send(padded(16_384))
    await client.next('HEARTBEAT_ACK')
    client.send('x'.repeat(16_384))
    client.send(Buffer.alloc(16_384))
    expect(await gateway.got(client)).toEqual([[]])
    for (const long of [
      'x'.repeat(16_385),
      padded(16_385),
      Buffer.alloc(16_385),
      'é'.repeat(8200),
      '⚓'.repeat(5462),
    ]) {
      const other = await gateway.connect(ada)
      other.send(long)
      await other.closed
      expect(acksOf(other)).toBe(0)
    }
    client.send(`{"op":"HEARTBEAT","d":"${'é'.repeat(8100)}"}`)
    await client.next('HEARTBEAT_ACK')
    expect(await gateway.got(client)).toEqual([[]])
  })

  it('gateway trap T10: fragments of one message count together', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const client = await openRaw(gateway, ada.token)
    client.send(Buffer.concat([text(padded(8192).slice(0, 4096), false), cont(padded(8192).slice(4096), true)]))
    expect((await client.frame()).payload.toString()).toBe(ACK)
    client.send(Buffer.concat([text(' '.repeat(10_000), false), cont(padded(10_000), true)]))
    await client.until(() => client.ended)
    expect(client.received.toString()).not.toContain('HEARTBEAT_ACK')
  })

  it('gateway trap T11: what is no operation is dropped, without a word', async () => {
    const gateway = await Gateway.start(engine, { wsRate: 0 })
    const ada = await gateway.person('ada')
    const brin = await gateway.person('brin')
    await gateway.server(ada, brin)
    const client = await gateway.connect(ada)
    const other = await gateway.connect(brin)
    await gateway.got(client, other)
    const deep = 16_000
    const dropped: (string | Buffer)[] = [
      '[]',
      '"x"',
      '5',
      'null',
      'true',
      '{}',
      '',
      ' ',
      '{',
      '{"op"',
      'undefined',
      'NaN',
      "{'op':'HEARTBEAT'}",
      '{"op":1}',
      '{"op":null}',
      '{"op":["HEARTBEAT"]}',
      '{"op":{}}',
      '{"OP":"HEARTBEAT"}',
      '[{"op":"HEARTBEAT"}]',
      '{"op":"heartbeat"}',
      '{"op":"HEARTBEAT "}',
      '{"op":""}',
      '{"op":"HEARTBEAT_ACK"}',
      '{"op":"TYPING_STOP"}',
      '{"op":"DISPATCH","t":"READY","d":{}}',
      '{"op":"READY"}',
      '{"op":"IDENTIFY","d":{"token":"x"}}',
      '{"op":"HEARTBEAT","t":5}',
      '{"op":"HEARTBEAT","t":{}}',
      '{"op":"HEARTBEAT","t":[]}',
      '{"op":"HEARTBEAT","t":true}',
      '{"op":"__proto__","d":{}}',
      '{"op":"constructor","d":{}}',
      '{"op":"toString","d":{}}',
      '{"op":"hasOwnProperty","d":{}}',
      '{"__proto__":{"op":"HEARTBEAT"}}',
      '{"constructor":{"op":"HEARTBEAT"}}',
      '{"op":"HEARTBEAT"}}',
      `${HEARTBEAT}x`,
      `\uFEFF${HEARTBEAT}`,
      ...['PRESENCE_UPDATE', 'TYPING_START', 'VOICE_SIGNAL'].flatMap((op) => [
        ...['null', '[]', '5', '"x"', 'true', '{}'].map((d) => `{"op":"${op}","d":${d}}`),
        `{"op":"${op}"}`,
      ]),
      '{"op":"PRESENCE_UPDATE","d":{"__proto__":{"status":"away"}}}',
      '{"op":"PRESENCE_UPDATE","d":[{"status":"away"}]}',
      '{"op":"HEARTBEAT","op":"x"}',
      '['.repeat(deep),
      `{"op":"PRESENCE_UPDATE","d":${'{"a":'.repeat(2500)}1${'}'.repeat(2500)}}`,
      Buffer.from(HEARTBEAT),
      Buffer.alloc(0),
    ]
    for (const message of dropped) client.send(message)
    expect(await gateway.got(client, other)).toEqual([[], []])
    expect(client.frames.at(-1)).toEqual({ op: 'HEARTBEAT_ACK' })
    expect((await gateway.request('GET', '/users/@me', ada)).body).toMatchObject({ status: 'online' })
  })

  it('takes a HEARTBEAT whatever else there is in it', async () => {
    const gateway = await Gateway.start(engine, { wsRate: 0 })
    const ada = await gateway.person('ada')
    const client = await gateway.connect(ada)
    const good = [
      '{"op":"HEARTBEAT","t":null,"d":null}',
      '{"op":"HEARTBEAT","t":"x","d":[]}',
      '{"op":"HEARTBEAT","d":5,"s":1,"__proto__":{"op":"x"}}',
      '{"op":"x","op":"HEARTBEAT"}',
      ' \n{"op":"HEART\\u0042EAT"}\t',
      `{"op":"HEARTBEAT","d":${'['.repeat(5000)}${']'.repeat(5000)}}`,
    ]
    for (const message of good) client.send(message)
    for (const _ of good) await client.next('HEARTBEAT_ACK')
    expect(await gateway.got(client)).toEqual([[]])
    expect(acksOf(client)).toBe(good.length + 1)
  })

  it('gateway trap T12: 25 HEARTBEATs in one write give exactly 20 acknowledgements', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const client = await openRaw(gateway, ada.token)
    client.send(Buffer.concat(Array.from({ length: 25 }, () => text(HEARTBEAT))))
    expect(await beforePong(client)).toEqual(Array.from({ length: 20 }, () => `1 ${ACK}`))
    client.destroy()
  })

  it('counts what is dropped, too, but neither pings nor pongs', async () => {
    const gateway = await Gateway.start(engine, { wsRate: 6, wsRateWindowMs: 600_000 })
    const ada = await gateway.person('ada')
    const { channel } = await gateway.server(ada)
    const client = await openRaw(gateway, ada.token)
    client.send(Buffer.concat([ping(), frame({ opcode: 10 }), ping('x'), frame({ opcode: 10, payload: 'x' })]))
    for (const pong of ['', 'x']) expect((await client.frame()).payload.toString()).toBe(pong)
    client.send(Buffer.concat([text('x'), binary(Buffer.from('x')), text('[]'), text('{"op":"x"}')]))
    client.send(Buffer.concat([text(HEARTBEAT), text(HEARTBEAT), text(HEARTBEAT)]))
    expect(await beforePong(client)).toEqual([`1 ${ACK}`, `1 ${ACK}`])
    // It still gets events.
    await gateway.post(ada, channel, 'fog')
    expect((await beforePong(client)).join(' ')).toContain('MESSAGE_CREATE')
    client.destroy()
  })

  it('does nothing of what is over the rate, and says nothing', async () => {
    const gateway = await Gateway.start(engine, { wsRate: 2, wsRateWindowMs: 600_000 })
    const ada = await gateway.person('ada')
    const brin = await gateway.person('brin')
    const { channel } = await gateway.server(ada, brin)
    const client = await gateway.connect(ada)
    const other = await gateway.connect(brin)
    await gateway.got(client)
    client.send('x')
    client.send({ op: 'PRESENCE_UPDATE', d: { status: 'away' } })
    client.send({ op: 'TYPING_START', d: { channel_id: channel } })
    await pinged(client)
    await gateway.world.changes.run(() => {})
    expect(await gateway.got(other)).toEqual([[]])
    expect(client.ws.readyState).toBe(client.ws.OPEN)
    expect(acksOf(client)).toBe(1)
  })

  it('counts each connection for itself', async () => {
    const gateway = await Gateway.start(engine, { wsRateWindowMs: 600_000 })
    const ada = await gateway.person('ada')
    const clients = [await gateway.connect(ada), await gateway.connect(ada)]
    for (const client of clients) {
      for (let i = 0; i < 25; i++) client.send(HEARTBEAT)
      await pinged(client)
      expect(acksOf(client)).toBe(20)
    }
  })

  it('lets any number through where there is no rate', async () => {
    const gateway = await Gateway.start(engine, { wsRate: 0 })
    const ada = await gateway.person('ada')
    const client = await gateway.connect(ada)
    for (let i = 0; i < 500; i++) client.send(HEARTBEAT)
    await pinged(client)
    expect(acksOf(client)).toBe(500)
  })

  it('takes more when the window is over', async () => {
    const gateway = await Gateway.start(engine, { wsRate: 2, wsRateWindowMs: 50 })
    const ada = await gateway.person('ada')
    const client = await gateway.connect(ada)
    for (let round = 0; round < 3; round++) {
      const before = acksOf(client)
      client.send(HEARTBEAT)
      await expect
        .poll(() => (acksOf(client) > before ? true : (client.send(HEARTBEAT), false)), {
          timeout: 15_000,
          interval: 10,
        })
        .toBe(true)
    }
  })

  it('gateway trap T13: the acknowledgement is bare, and reaches only the connection that asks', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const brin = await gateway.person('brin')
    await gateway.server(ada, brin)
    const others = [await gateway.connect(ada), await gateway.connect(brin)]
    const asking = await openRaw(gateway, ada.token)
    await gateway.got(...others)
    asking.send(text(HEARTBEAT))
    expect((await asking.frame()).payload.toString()).toBe(ACK)
    for (const other of others) {
      const before = other.frames.length
      await pinged(other)
      expect(other.frames.length).toBe(before)
    }
    asking.destroy()
  })

  it('gateway traps T14 and T15: who only receives is closed, who sends anything is not, and there are no pings', async () => {
    const gateway = await Gateway.start(engine, { wsIdleS: 1, wsRate: 1, wsRateWindowMs: 600_000 })
    const [ada, brin] = [await gateway.person('ada'), await gateway.person('brin')]
    const { channel } = await gateway.server(ada, brin)
    const receives = await gateway.connect(brin)
    const talks: [Client, (client: Client) => void][] = [
      [await gateway.connect(ada), ({ ws }) => ws.send('garbage')],
      [await gateway.connect(ada), ({ ws }) => ws.send(Buffer.alloc(3))],
      [await gateway.connect(ada), ({ ws }) => ws.ping()],
      [await gateway.connect(ada), ({ ws }) => ws.pong()],
      [await gateway.connect(ada), (client) => client.send(HEARTBEAT)],
    ]
    const timer = setInterval(() => {
      for (const [client, talk] of talks) talk(client)
      void gateway.post(ada, channel, 'fog')
    }, 200)
    const { code } = await receives.closed
    // Once more as long, for all others.
    const last = await gateway.connect(brin)
    await last.closed
    clearInterval(timer)
    expect(code).toBe(1001)
    expect(receives.frames.some(({ t }) => t === 'MESSAGE_CREATE')).toBe(true)
    for (const [client] of talks) {
      expect(client.ws.readyState).toBe(client.ws.OPEN)
      await pinged(client)
    }
    expect([receives, last, ...talks.map(([client]) => client)].map(({ pings }) => pings)).toEqual(
      Array.from({ length: 7 }, () => 0),
    )
  })

  it('ends connections that break the protocol of frames, and keeps the others', async () => {
    const gateway = await Gateway.start(engine)
    const ada = await gateway.person('ada')
    const other = await gateway.connect(ada)
    const broken = [
      text(Buffer.from([0x7b, 0xff, 0x7d])),
      frame({ opcode: 3 }),
      frame({ opcode: 1, rsv: 0x40, payload: HEARTBEAT }),
      cont(HEARTBEAT, true),
    ]
    for (const bytes of broken) {
      const client = await openRaw(gateway, ada.token)
      client.send(bytes)
      await client.until(() => client.ended)
      expect(client.received.toString()).not.toContain('HEARTBEAT_ACK')
      client.destroy()
    }
    expect(await gateway.got(other)).toEqual([[]])
  })
})

describe('the rate of messages', () => {
  /** How many of so many that come at once are taken. */
  const burst = (rate: Rate, at: number, count: number): number =>
    Array.from({ length: count }, () => rate.accepts(at)).filter(Boolean).length

  it('takes a burst, and what comes back of it a window later', () => {
    const rate = new Rate(20, 1000)
    expect(burst(rate, 900, 25)).toBe(20)
    expect(burst(rate, 1100, 20)).toBe(0)
    expect(burst(rate, 1899, 1)).toBe(0)
    expect(burst(rate, 1900, 25)).toBe(20)
  })

  it('gives each place back on its own', () => {
    const rate = new Rate(3, 1000)
    expect([0, 400, 800, 900].map((at) => rate.accepts(at))).toEqual([true, true, true, false])
    expect([1000, 1001, 1399, 1400, 1799, 1800].map((at) => rate.accepts(at))).toEqual([
      true,
      false,
      false,
      true,
      false,
      true,
    ])
  })

  it('does not make a flood last longer', () => {
    const rate = new Rate(2, 1000)
    expect(burst(rate, 0, 2)).toBe(2)
    for (let at = 1; at < 1000; at++) expect(rate.accepts(at)).toBe(false)
    expect(burst(rate, 1000, 5)).toBe(2)
  })

  it('takes anything where there is none', () => {
    expect(burst(new Rate(Infinity, 1000), 0, 1000)).toBe(1000)
  })
})
