import { afterEach, describe, expect, it } from 'vitest'
import type { Config } from '../../include-types/web.ts'
import { checkConfig } from '../../lib/web/config/load.ts'
import { PORTS, toShare } from '../../lib/workers/worker.ts'

afterEach(() => {
  delete process.env[PORTS]
})
const share = (web: Config['web'], observe: Config['observe'] = {}) => toShare(checkConfig({ web, observe }, '/'))

describe('the share of one worker', () => {
  it('is a part of drainRate, which all have together', () => {
    expect(share({ workers: 4, limits: { drainRate: 1000 } }).drainRate).toBe(250)
    expect(share({ workers: 2, limits: { drainRate: 'unlimited' } }).drainRate).toBe(Infinity)
  })

  it('has the ports that the primary has found in place of 0, in their order', () => {
    process.env[PORTS] = '5001,8080,5002'
    const listen = ['127.0.0.1:0', '127.0.0.1:8080', '127.0.0.1:0']
    expect(share({ listen }).endpoints.map(({ port }) => port)).toEqual([5001, 8080, 5002])
    expect(share({}).server.sharesPorts).toBe(true)
  })

  it('does not answer for all', () => {
    const { observe } = share({}, { listen: '127.0.0.1:9464', log: 'json', token: 't' })
    expect(observe).toEqual({ log: 'json', connections: true, token: 't', endpoint: null })
  })
})
