import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createHost } from '../../lib/web/host.ts'
import { parts } from '../../lib/parts.ts'
import { rSetLogSink } from '../../lib/websock/log.ts'
import { hush } from '../support/log-lines.ts'
import { BotClient, Bots, BotServer, SELF } from '../support/onebot.ts'

afterEach(() => rSetLogSink(null))

describe('metrics of bots', () => {
  it('are what was called, told, said, lost, and what waits: of each bot, and each way to it', async () => {
    hush()
    const server = await BotServer.start()
    const bots = await Bots.start('node', {
      routes: [
        { match: '/onebot/', handler: 'onebot' },
        { match: '/locked/', handler: 'onebot', token: 'sesame', onebot: { name: 'locked' } },
        { match: '/mate/', handler: 'onebot', bot: 'mate', onebot: { name: 'mate' } },
      ],
      network: {
        websocketClients: [
          { name: 'out', enable: true, url: server.url, reconnectInterval: 60_000, replay: { events: 2 } },
        ],
      },
    })
    await (await server.client()).find(({ sub_type }) => sub_type === 'connect')
    const bot = `bot="${SELF}"`
    const before = await bots.metrics()
    expect(before.get(`events_waiting{${bot},endpoint="out"}`)).toBe(0)
    await server.close()
    const client = await bots.connect()
    for (let n = 0; n < 3; n++) await client.get('send_group_msg', { group_id: bots.group, message: 'tea' })
    await bots.bring('mate')
    const mate = await bots.connect('/mate/')
    for (let n = 0; n < 3; n++) await mate.get('send_group_msg', { group_id: bots.group, message: 'milk' })
    await client.get('download_file', { base64: 'Zm9n' })
    for (const path of ['/locked/', '/locked/?access_token=wrong']) {
      const { ws } = new BotClient(new WebSocket(`ws://127.0.0.1:${bots.port()}${path}`))
      await new Promise((resolve) => ws.once('close', resolve))
      await fetch(`http://127.0.0.1:${bots.port()}${path.replace('/locked/', '/locked/get_status')}`)
    }
    client.ws.close()
    await expect.poll(async () => (await bots.metrics()).get(`disconnects_total{${bot}}`)).toBe(2)
    const found = await bots.metrics()
    const grown = (name: string): number => (found.get(name) ?? NaN) - (before.get(name) ?? 0)
    expect(grown(`frames_total{${bot},direction="in"}`)).toBe(4)
    // A lifecycle, the answers, what mate has said and that mate has come; all but the first also for the link.
    expect(grown(`frames_total{${bot},direction="out"}`)).toBeGreaterThanOrEqual(1 + 4 + 2 * 3)
    expect(grown(`messages_total{${bot},direction="out"}`)).toBe(3)
    expect(grown(`messages_total{${bot},direction="in"}`)).toBe(3)
    expect(found.get(`spooled_bytes{${bot}}`)).toBe(3)
    expect(found.get(`events_waiting{${bot},endpoint="out"}`)).toBe(2)
    expect(grown(`events_lost_total{${bot},endpoint="out"}`)).toBeGreaterThanOrEqual(1)
    expect(found.get(`refusals_total{${bot},endpoint="locked"}`)).toBe(4)
    const others = [...found.keys()].filter((name) => !name.includes(bot))
    expect(others.find((name) => name.startsWith('messages_total'))).toMatch(/bot="\d+",direction="in"/)
    expect(others.some((name) => name.includes('endpoint="mate"'))).toBe(true)
  })

  it('are none where there are no bots', async () => {
    const host = createHost({ web: { listen: '127.0.0.1:0' } }, parts)
    expect(await host.start()).toBe(0)
    expect((await host.report('/metrics'))?.text).not.toContain('fiberws_bot_')
    await host.free()
  })
})
