import { describe, expect, it } from 'vitest'
import type { Config } from '../../include-types/web.ts'
import { checkConfig } from '../../lib/web/config/load.ts'
import { Ports, toShare } from '../../lib/workers/share.ts'

const share = (web: Config['web'], observe: Config['observe'] = {}) => {
  const settings = checkConfig({ web, observe }, '/')
  return toShare(settings, settings.endpoints, settings.workers)
}

describe('the share of one worker', () => {
  it('is a part of drainRate, which all have together', () => {
    expect(share({ workers: 4, limits: { drainRate: 1000 } }).drainRate).toBe(250)
    expect(share({ workers: 2, limits: { drainRate: 'unlimited' } }).drainRate).toBe(Infinity)
  })

  it('does not answer for all, and shares its ports', () => {
    const { observe, server } = share({}, { listen: '127.0.0.1:9464', log: 'json', token: 't' })
    expect(observe).toEqual({ log: 'json', connections: true, token: 't', endpoint: null })
    expect(server.sharesPorts).toBe(true)
  })
})

describe('ports in place of 0', () => {
  const portsOf = async (ports: Ports, listen: string[], anew = false): Promise<number[]> =>
    (await ports.resolve(checkConfig({ web: { listen } }, '/').endpoints, anew)).map(({ port }) => port)

  it('are found once, and stay, whatever comes before them', async () => {
    const ports = new Ports()
    const [first = 0, second = 0] = await portsOf(ports, ['127.0.0.1:0', '127.0.0.1:0'], true)
    expect(new Set([0, first, second]).size).toBe(3)
    expect(await portsOf(ports, ['127.0.0.1:8080', '127.0.0.1:0', '127.0.0.1:0'])).toEqual([8080, first, second])
    expect(await portsOf(ports, ['127.0.0.1:0'])).toEqual([first])
    const [, other] = await portsOf(ports, ['127.0.0.1:0', '[::1]:0'])
    expect([0, first, second]).not.toContain(other)
  })
})
