import { describe, expect, it } from 'vitest'
import { checkConfig } from '../../lib/web/config/load.ts'
import { webSocketRun } from '../../lib/websock/run.ts'
import { binary, close, readFrames } from '../support/frames.ts'
import { byEngine } from '../support/differences.ts'
import { RawClient } from '../support/raw.ts'
import { engines, serve } from '../support/server.ts'

describe.each(engines)('a reload that asks more of the %s engine', (engine) => {
  const config = (web: object) => ({
    web: {
      engine,
      listen: 'http://127.0.0.1:0',
      webSockets: { protocol: null },
      routes: [{ match: '/', handler: 'action' }],
      ...web,
    },
  })

  it('a longer maxMessage, within what the engine was told and beyond', async () => {
    const { host, port } = await serve(engine, (web) => webSocketRun(web.webSocket, () => {}), {
      limits: { maxMessage: '100K', maxFrame: '100K' },
    })
    /** Status of the Close for a message of so many bytes, sent on a connection that was there before the reload. */
    const client = await RawClient.open(port)
    const warnings = async (maxMessage: string): Promise<string[]> => {
      expect(await host.reload(checkConfig(config({ limits: { maxMessage } }), '/'))).toBe(0)
      return host.warnings.filter((warning) => warning.includes('maxMessage'))
    }
    expect(await warnings('140K')).toEqual([])
    client.send(binary(Buffer.alloc(130 << 10)))
    expect(await warnings('400K')).toEqual(
      byEngine<string[]>(engine, 'longer maxMessage by a reload', {
        node: [],
        uws: ['limits.maxMessage counts after a restart'],
      }),
    )
    if (engine === 'node') client.send(binary(Buffer.alloc(390 << 10)))
    client.send(close(4000))
    const [answer] = readFrames(await client.rest()).frames
    expect(answer?.payload.readUInt16BE()).toBe(4000)
  })

  it('compression counts after a restart where it is fixed', async () => {
    const { host } = await serve(engine, (web) => webSocketRun(web.webSocket, () => {}))
    expect(await host.reload(checkConfig(config({ webSockets: { protocol: null, compression: true } }), '/'))).toBe(0)
    expect(host.warnings.filter((warning) => warning.includes('compression'))).toEqual(
      engine === 'node' ? [] : ['webSockets.compression counts after a restart'],
    )
  })

  it('another engine changes nothing', async () => {
    const { host, port } = await serve(engine, (web) => webSocketRun(web.webSocket, () => {}))
    const client = await RawClient.open(port)
    const before = host.settings
    const other = engine === 'node' ? 'uws' : 'node'
    expect(await host.reload(checkConfig(config({ engine: other }), '/'))).toBe(-28)
    expect(host.error).toBe('web.engine cannot be changed without a restart')
    expect(host.settings).toBe(before)
    client.send(close(4000))
    expect((await client.rest()).length).toBe(4)
  })
})
