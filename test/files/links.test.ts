import { describe, expect, it } from 'vitest'
import { field } from '../support/gateway.ts'
import { look, upload } from '../support/forms.ts'
import { ask } from '../support/http.ts'
import { Bots } from '../support/onebot.ts'
import { engines } from '../support/server.ts'
import { png } from '../support/stored.ts'

describe.each(engines)('links to files, on %s', (engine) => {
  const start = () =>
    Bots.start(engine, {
      routes: [],
      network: { websocketServers: [{ name: 'main', enable: true, port: 0 }], httpServers: [] },
    })

  it('lead to the listener of a bot, too, where there is nothing else of them', async () => {
    const bots = await start()
    const image = await upload(bots.gateway, bots.ada, bots.channel, png('cup'), 'cup.png')
    const there = await ask(bots.port(1), image.url)
    expect([there.status, Buffer.from(there.body)]).toEqual([200, png('cup')])
    expect(there.headers).toMatchObject({
      'content-type': 'image/png',
      'content-disposition': "attachment; filename*=UTF-8''cup.png",
      'x-content-type-options': 'nosniff',
      'accept-ranges': 'bytes',
    })
    for (const path of [`${image.url}x`, image.url.replace(/s=.*/, ''), '/files/x', '/files/']) {
      expect([path, (await ask(bots.port(1), path)).status]).toEqual([path, 404])
    }
    // And nothing else of the gateway does.
    expect((await ask(bots.port(1), '/servers')).status).not.toBe(200)
    expect((await bots.connect('/', 1)).frames[0]).toMatchObject({ meta_event_type: 'lifecycle' })
  })

  it('give parts, so that who plays a film may go on from its middle', async () => {
    const bots = await start()
    const { url } = await upload(bots.gateway, bots.ada, bots.channel, '0123456789')
    for (const port of [bots.port(), bots.port(1)]) {
      const part = await ask(port, url, { headers: { Range: 'bytes=3-5' } })
      expect([part.status, part.body.toString(), part.headers['content-range']]).toEqual([206, '345', 'bytes 3-5/10'])
      const known = await ask(port, url, { headers: { 'If-None-Match': String(part.headers['etag']) } })
      expect(known.status).toBe(304)
      const behind = await ask(port, url, { headers: { Range: 'bytes=10-' } })
      expect(behind.status).toBe(416)
    }
  })

  it('of a large file are read as they are sent', async () => {
    const bots = await start()
    const bytes = Buffer.alloc(6_000_000, 'fog ')
    const { url } = await upload(bots.gateway, bots.ada, bots.channel, bytes)
    const seen = await look(bots.gateway, url)
    expect([seen.status, seen.body.equals(bytes)]).toEqual([200, true])
    expect(field(seen.headers, 'content-length')).toBe('6000000')
  })
})
