import { createHmac } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { OneBotHttpClient } from '../../../include-types/onebot-config.ts'
import { CREATE_INVITES, KICK_MEMBERS, MANAGE_MESSAGES, MUTE_MEMBERS } from '../../../lib/chat/permissions.ts'
import { rSetLogSink } from '../../../lib/websock/log.ts'
import { hush, LogLines } from '../../support/log-lines.ts'
import { Bots, SELF } from '../../support/onebot.ts'
import { type Json, type Post, Receiver } from '../../support/receiver.ts'
import { engines } from '../../support/server.ts'

const start = (engine: (typeof engines)[number], url: string, more: OneBotHttpClient = {}): Promise<Bots> =>
  Bots.start(engine, {
    network: { httpClients: [{ name: 'hook', enable: true, url, ...more }] },
  })

const isMessage = ({ post_type }: Json): boolean => post_type === 'message'
const reply =
  (operation: unknown) =>
  (response: ServerResponse, { event }: Post) =>
    isMessage(event) || event['post_type'] === 'request'
      ? void response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(operation))
      : void response.writeHead(204).end()

describe.each(engines)('a webhook, on %s', (engine) => {
  it('onebot trap 26: bytes are those of JSON.stringify, signed, with the bot in a header', async () => {
    const receiver = await Receiver.start()
    const bots = await start(engine, receiver.url, { token: 'kettle' })
    await bots.gateway.post(bots.ada, bots.channel, 'tea «[&]» 茶')
    const { body, headers, event, path } = await receiver.post(isMessage)
    expect(path).toBe('POST /hook')
    expect(body).toBe(JSON.stringify(event))
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'x-self-id': String(SELF),
      'x-signature': `sha1=${createHmac('sha1', 'kettle').update(body).digest('hex')}`,
      'content-length': String(Buffer.byteLength(body)),
    })
    expect(headers).not.toHaveProperty('authorization')
  })

  it('has no signature without a secret, and a credential where that is wanted', async () => {
    const receiver = await Receiver.start()
    await start(engine, receiver.url, { accessToken: 'tok' })
    const { headers } = await receiver.post(() => true)
    expect(headers).not.toHaveProperty('x-signature')
    expect(headers).toMatchObject({ authorization: 'Bearer tok' })
  })

  it('is told that it is there, and that it goes', async () => {
    const receiver = await Receiver.start()
    const bots = await start(engine, receiver.url)
    await receiver.post(({ sub_type }) => sub_type === 'enable')
    expect(receiver.posts[0]?.event).toEqual({
      time: receiver.posts[0]?.event['time'],
      self_id: SELF,
      post_type: 'meta_event',
      meta_event_type: 'lifecycle',
      sub_type: 'enable',
    })
    await bots.gateway.host.stop()
    expect(receiver.posts.at(-1)?.event).toMatchObject({ sub_type: 'disable' })
  })

  it('is told events in their order, one after the other', async () => {
    const receiver = await Receiver.start()
    let answering = 0
    receiver.answer = (response, _post, n) => {
      expect(++answering).toBe(1)
      setImmediate(() => {
        answering--
        response.writeHead(n % 3 === 0 ? 500 : 204).end()
      })
    }
    const bots = await start(engine, receiver.url)
    for (let n = 0; n < 30; n++) await bots.gateway.post(bots.ada, bots.channel, `${n}`)
    await receiver.says('29')
    const said = receiver.posts.filter(({ event }) => isMessage(event)).map(({ event }) => event['raw_message'])
    expect(said).toEqual(Array.from({ length: 30 }, (_, n) => `${n}`))
  })

  it('onebot trap 37: what is no operation does nothing, and is nobody else’s trouble', async () => {
    const receiver = await Receiver.start()
    const answers = ['', '<!doctype html><p>hello', '"reply"', '[1]', '{"reply":', 'null']
    receiver.answer = (response, _post, n) =>
      n % 7 === 6 ? void response.writeHead(204).end() : void response.writeHead(200).end(answers[n % 7])
    const log = new LogLines()
    const bots = await start(engine, receiver.url)
    const client = await bots.connect()
    for (let n = 0; n < 8; n++) await bots.gateway.post(bots.ada, bots.channel, `${n}`)
    await receiver.says('7')
    await client.event({ raw_message: '7' })
    const { body } = await bots.gateway.request('GET', `/channels/${bots.channel}/messages`, bots.ada)
    expect(body).toHaveLength(8)
    expect(log.lines.filter((line) => line.includes('hook'))).toEqual([])
  })

  it('a dead one is nobody else’s trouble', async () => {
    const receiver = await Receiver.start()
    const bots = await start(engine, receiver.url)
    receiver.server.closeAllConnections()
    receiver.server.close()
    const client = await bots.connect()
    await bots.gateway.post(bots.ada, bots.channel, 'tea')
    await client.event({ raw_message: 'tea' })
  })

  it('is tried again where there was no answer, as often as is said, and never for an answer that is no', async () => {
    const receiver = await Receiver.start()
    let cuts = 0
    receiver.answer = (response, { event }) => {
      if (event['raw_message'] === 'cut' && cuts++ < 2) return void response.socket?.destroy()
      return void response.writeHead(500).end()
    }
    const bots = await start(engine, receiver.url, { maxRetries: 3, retriesInterval: 10 })
    await receiver.post(({ sub_type }) => sub_type === 'enable')
    await bots.gateway.post(bots.ada, bots.channel, 'cut')
    await bots.gateway.post(bots.ada, bots.channel, 'next')
    await receiver.says('next')
    const said = receiver.posts.filter(({ event }) => isMessage(event)).map(({ event }) => event['raw_message'])
    expect(said).toEqual(['cut', 'cut', 'cut', 'next'])
  })

  it('does not wait for ever for an answer', async () => {
    const receiver = await Receiver.start()
    receiver.answer = (response, { event }) => {
      if (event['raw_message'] !== 'stuck') response.writeHead(204).end()
    }
    const bots = await start(engine, receiver.url, { timeout: 100 })
    await bots.gateway.post(bots.ada, bots.channel, 'stuck')
    await bots.gateway.post(bots.ada, bots.channel, 'next')
    await receiver.says('next')
  })

  it('what waits is bounded: the oldest is lost, and that is said', async () => {
    const lines: string[] = []
    rSetLogSink((_level, _source, message) => void lines.push(message))
    const receiver = await Receiver.start()
    const held: ServerResponse[] = []
    receiver.answer = (response) => void held.push(response)
    const bots = await start(engine, receiver.url, { maxQueue: 3, timeout: 0 })
    await receiver.post(({ sub_type }) => sub_type === 'enable')
    const client = await bots.connect()
    for (let n = 0; n < 10; n++) await bots.gateway.post(bots.ada, bots.channel, `${n}`)
    await client.event({ raw_message: '9' })
    receiver.answer = (response) => void response.writeHead(204).end()
    for (const response of held) response.writeHead(204).end()
    await receiver.says('9')
    const said = receiver.posts.filter(({ event }) => isMessage(event)).map(({ event }) => event['raw_message'])
    expect(said).toEqual(['7', '8', '9'])
    expect(lines.join('\n')).toContain('is away, or too slow: events are lost')
  })

  it.each([301, 302, 307, 308])('follows %d, and posts the same there', async (status) => {
    const [receiver, other] = [await Receiver.start(), await Receiver.start()]
    receiver.answer = (response) => void response.writeHead(status, { Location: other.url }).end()
    const bots = await start(engine, receiver.url, { token: 'kettle' })
    await bots.gateway.post(bots.ada, bots.channel, 'tea')
    const { body, headers, path } = await other.says('tea')
    expect(path).toBe('POST /hook')
    expect(headers['x-signature']).toBe(`sha1=${createHmac('sha1', 'kettle').update(body).digest('hex')}`)
  })

  it('has no credential for another host that it is sent to', async () => {
    const [receiver, other] = [await Receiver.start(), await Receiver.start()]
    receiver.answer = (response, _post, n) => {
      const to = n === 1 ? '/elsewhere' : other.url
      if (n > 2) response.writeHead(204).end()
      else response.writeHead(307, { Location: to }).end()
    }
    await start(engine, receiver.url, { accessToken: 's3cret' })
    const { headers } = await other.post(() => true)
    expect(headers).not.toHaveProperty('authorization')
    expect(receiver.posts.map((post) => [post.path, post.headers.authorization])).toEqual([
      ['POST /hook', 'Bearer s3cret'],
      ['POST /elsewhere', 'Bearer s3cret'],
    ])
  })

  it('a stop does not wait for the next try, and has what waits posted', async () => {
    hush()
    const receiver = await Receiver.start()
    const seen: unknown[] = []
    receiver.answer = (response, { event }, n) => {
      seen.push(event['raw_message'] ?? event['sub_type'])
      if (n === 3) response.destroy()
      else response.writeHead(204).end()
    }
    const bots = await start(engine, receiver.url, { maxRetries: 5, retriesInterval: 2_147_483_647 })
    await bots.gateway.post(bots.ada, bots.channel, 'one')
    await bots.gateway.post(bots.ada, bots.channel, 'two')
    await receiver.says('one')
    const from = performance.now()
    await bots.gateway.host.stop()
    expect(performance.now() - from).toBeLessThan(2000)
    expect(seen).toEqual(['enable', 'approve', 'one', 'one', 'two', 'disable'])
  })

  it('a stop does not try for each that waits where nobody is there', async () => {
    const receiver = await Receiver.start()
    const bots = await start(engine, receiver.url, { maxRetries: 5, retriesInterval: 2_147_483_647 })
    await receiver.post(({ sub_type }) => sub_type === 'enable')
    await new Promise<void>((resolve) => {
      receiver.server.close(() => resolve())
      receiver.server.closeAllConnections()
    })
    const log = new LogLines()
    for (let n = 0; n < 20; n++) await bots.gateway.post(bots.ada, bots.channel, `message ${n}`)
    await bots.gateway.host.stop()
    expect(log.lines.filter((line) => line.includes('hook:')).length).toBeLessThanOrEqual(2)
  })

  it('does not read an answer that has no end', async () => {
    const receiver = await Receiver.start()
    receiver.answer = (response, { event }) => {
      response.writeHead(200)
      if (event['sub_type'] !== 'enable') {
        response.end()
        return
      }
      const more = (): void => {
        while (response.write(Buffer.alloc(65_536, 32)));
      }
      response.on('drain', more)
      response.on('error', () => {})
      more()
    }
    const bots = await start(engine, receiver.url, { timeout: 0 })
    await bots.gateway.post(bots.ada, bots.channel, 'next')
    await receiver.says('next')
  })

  it('does not follow on and on', async () => {
    const receiver = await Receiver.start()
    receiver.answer = (response, { event }) =>
      event['raw_message'] === 'round' ? void response.writeHead(302, { Location: '/hook' }).end() : void response.end()
    const bots = await start(engine, receiver.url)
    await bots.gateway.post(bots.ada, bots.channel, 'round')
    await bots.gateway.post(bots.ada, bots.channel, 'next')
    await receiver.says('next')
    expect(receiver.posts.filter(({ event }) => event['raw_message'] === 'round')).toHaveLength(6)
  })

  it('hears no heartbeats unless it wants them', async () => {
    const [quiet, receiver] = [await Receiver.start(), await Receiver.start()]
    const bots = await Bots.start(engine, {
      network: {
        httpClients: [
          { name: 'quiet', enable: true, url: quiet.url },
          { name: 'beat', enable: true, url: receiver.url, heartInterval: 30 },
        ],
      },
    })
    await receiver.post(({ meta_event_type }) => meta_event_type === 'heartbeat')
    await bots.gateway.post(bots.ada, bots.channel, 'tea')
    await quiet.says('tea')
    expect(quiet.posts.filter(({ event }) => event['meta_event_type'] === 'heartbeat')).toEqual([])
  })

  it('has messages in its own format, beside another that has them otherwise', async () => {
    const receiver = await Receiver.start()
    const bots = await start(engine, receiver.url, { messagePostFormat: 'string' })
    const client = await bots.connect()
    await bots.gateway.post(bots.ada, bots.channel, 'hi @robo')
    const { event } = await receiver.post(isMessage)
    expect(event).toMatchObject({
      message: `hi [CQ:at,qq=${SELF},name=robo]`,
      message_format: 'string',
      raw_message: `hi [CQ:at,qq=${SELF},name=robo]`,
    })
    expect(await client.event({ post_type: 'message' })).toMatchObject({ message_format: 'array' })
  })

  it.each([
    [{ reply: 'hi' }, 'hi', []],
    [{ reply: 'hi', at_sender: true }, '@ada hi', ['ada']],
    [{ reply: [{ type: 'text', data: { text: '[CQ:at,qq=all]' } }] }, '[CQ:at,qq=all]', []],
    [{ reply: '[CQ:face,id=1]', auto_escape: true }, '[CQ:face,id=1]', []],
    [{ reply: '[CQ:face,id=1]' }, '[face 1]', []],
  ] as const)('onebot trap 36: %j answers the message', async (operation, content, calls) => {
    const receiver = await Receiver.start()
    receiver.answer = reply(operation)
    const bots = await start(engine, receiver.url)
    const watcher = await bots.gateway.connect(bots.ada)
    const asked = await bots.gateway.post(bots.ada, bots.channel, 'who?')
    await watcher.next('MESSAGE_CREATE')
    const mention_user_ids = calls.length === 0 ? [] : [bots.ada.id]
    expect(await watcher.next('MESSAGE_CREATE')).toMatchObject({ content, reply_to: asked, mention_user_ids })
  })

  it('a private answer is one, and nothing else is done there', async () => {
    const receiver = await Receiver.start()
    receiver.answer = reply({ reply: 'hush', at_sender: true, delete: true, kick: true, ban: true })
    const bots = await start(engine, receiver.url)
    const robo = await bots.userOf('robo')
    const watcher = await bots.gateway.connect(bots.ada)
    const { world } = bots
    await world.changes.run(() => {
      const { id } = world.directs.open(bots.ada.id, robo).direct
      world.directs.post(bots.ada.id, id, { content: 'psst' })
    })
    await watcher.next('DM_MESSAGE_CREATE')
    expect(await watcher.next('DM_MESSAGE_CREATE')).toMatchObject({ content: 'hush' })
    expect(world.access.isMember(bots.ada.id, bots.server)).toBe(true)
  })

  it('takes back, mutes and sends away where that is said', async () => {
    const receiver = await Receiver.start()
    const bots = await start(engine, receiver.url)
    await bots.empower('robo', MANAGE_MESSAGES | MUTE_MEMBERS | KICK_MEMBERS)
    const { who, client } = await bots.person('cleo')
    receiver.answer = reply({ ban: true, ban_duration: 60, delete: true })
    const id = await bots.gateway.post(who, bots.channel, 'spam')
    expect(await client.next('MESSAGE_DELETE')).toMatchObject({ id })
    expect(await client.next('MEMBER_TIMEOUT')).toMatchObject({ user_id: who.id })
    receiver.answer = reply({ kick: true })
    await bots.gateway.post(bots.ada, bots.channel, 'not the owner')
    await receiver.says('not the owner')
    await bots.world.changes.run(() => bots.world.moderation.endSilence(bots.ada.id, bots.server, who.id))
    await bots.gateway.post(who, bots.channel, 'more spam')
    expect(await client.next('MEMBER_KICK')).toMatchObject({ user_id: who.id })
    expect(bots.world.access.isMember(bots.ada.id, bots.server)).toBe(true)
  })

  it('decides who comes in', async () => {
    const receiver = await Receiver.start()
    receiver.answer = reply({ approve: true })
    const bots = await start(engine, receiver.url)
    const { world } = bots
    await bots.empower('robo', CREATE_INVITES)
    await world.changes.run(() => world.servers.change(bots.ada.id, bots.server, { require_invite: 1 }))
    const cleo = await bots.gateway.person('cleo')
    await bots.gateway.request('POST', `/servers/${bots.server}/join-requests`, cleo, { comment: 'please' })
    const number = bots.numberOf(cleo.id)
    await receiver.post(({ notice_type, user_id }) => notice_type === 'group_increase' && user_id === number)
    expect(world.access.isMember(cleo.id, bots.server)).toBe(true)
  })

  it('a message of the bot itself asks for nothing to be done', async () => {
    const receiver = await Receiver.start()
    receiver.answer = (response) => void response.writeHead(200).end('{"reply":"to myself"}')
    const bots = await start(engine, receiver.url, { reportSelfMessage: true })
    const client = await bots.connectApi()
    await client.get('send_group_msg', { group_id: bots.group, message: 'alone' })
    await receiver.post(({ post_type }) => post_type === 'message_sent')
    await bots.settle(client)
    const { body } = await bots.gateway.request('GET', `/channels/${bots.channel}/messages`, bots.ada)
    expect(body).toHaveLength(1)
  })
})
