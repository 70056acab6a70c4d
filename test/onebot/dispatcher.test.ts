import { describe, expect, it } from 'vitest'
import { ACTIONS } from '../../lib/onebot/actions/table.ts'
import { dispatch, unknownAction } from '../../lib/onebot/dispatcher.ts'
import { parseRequest } from '../../lib/onebot/envelope.ts'
import { PlatformError } from '../../lib/onebot/failure.ts'
import { hush, LogLines } from '../support/log-lines.ts'
import { callOn, noParts, FakePlatform } from '../support/onebot-platform.ts'

const GROUP = 40_001
const run = async (name: string, params?: unknown, platform = new FakePlatform()) =>
  dispatch(name, params, callOn(platform), noParts)

describe('an action', () => {
  it('is done, and says what came of it', async () => {
    expect(await run('get_login_info')).toEqual({
      retcode: 0,
      data: { user_id: 20_001, nickname: 'robo' },
      message: '',
    })
  })

  it('has null where nothing came of it', async () => {
    expect(await run('delete_msg', { message_id: 5 })).toEqual({ retcode: 0, data: null, message: '' })
  })

  it('that nobody knows is 1404, and named', async () => {
    expect(await run('get_weather')).toEqual({ retcode: 1404, data: null, message: '不支持的API get_weather' })
    expect(unknownAction(null).message).toBe('不支持的API undefined')
    expect(await run('')).toMatchObject({ retcode: 1404 })
    expect((await run('x'.repeat(10_000))).message.length).toBeLessThan(200)
  })

  it.each(['constructor', '__proto__', 'toString', 'Get_login_info', ' get_login_info', 'get_login_info '])(
    'is known by its name alone: %j is none',
    async (name) => {
      expect(await run(name)).toMatchObject({ retcode: 1404 })
    },
  )

  it('that is never here is 1404, and says so', async () => {
    for (const name of ['get_cookies', 'set_restart', 'set_group_anonymous']) {
      expect(await run(name)).toEqual({ retcode: 1404, data: null, message: `${name}: not available on this platform` })
    }
  })

  it.each(['_async', '_rate_limited'])(
    'onebot trap 25: with %s behind its name is done the same way',
    async (suffix) => {
      const platform = new FakePlatform()
      const { retcode, data } = await run(`send_group_msg${suffix}`, { group_id: GROUP, message: 'a' }, platform)
      expect([retcode, data]).toEqual([0, { message_id: 101 }])
      expect(platform.done).toHaveLength(1)
      for (const { name, does } of ACTIONS.values()) {
        if (does === 'unsupported') expect(await run(name + suffix)).toMatchObject({ retcode: 1404 })
      }
      expect(await run(`get_guild_service_profile${suffix}`)).toEqual({ retcode: 0, data: null, message: '' })
      expect(await run(suffix)).toMatchObject({ retcode: 1404 })
      expect(await run(`get_weather${suffix}`)).toMatchObject({ retcode: 1404 })
    },
  )

  it('has one suffix', async () => {
    expect(await run('get_status_async_async')).toMatchObject({ retcode: 1404 })
  })

  it('onebot trap 11: that says something needs a message', async () => {
    for (const name of ['send_group_msg', 'send_private_msg', 'send_msg']) {
      expect(await run(name, { group_id: GROUP, user_id: 30_001 })).toMatchObject({
        retcode: 1400,
        data: null,
        message: 'message: is needed',
      })
    }
  })

  it('onebot trap 12: takes ids as numbers and as text, and gives numbers', async () => {
    const platform = new FakePlatform()
    for (const group_id of [GROUP, String(GROUP)]) {
      expect(await run('get_group_info', { group_id })).toMatchObject({ data: { group_id: GROUP } })
      await run('send_group_msg', { group_id, message: 'a' }, platform)
    }
    expect(platform.done[0]).toEqual(platform.done[1])
  })

  it('onebot trap 13: mutes for half an hour, and promotes, where nothing else is said', async () => {
    const platform = new FakePlatform()
    const who = { group_id: GROUP, user_id: 30_001 }
    await run('set_group_ban', who, platform)
    await run('set_group_ban', { ...who, duration: 0 }, platform)
    await run('set_group_admin', who, platform)
    await run('set_group_admin', { ...who, enable: 'false' }, platform)
    expect(platform.done).toEqual([
      ['mute', GROUP, 30_001, 1800],
      ['mute', GROUP, 30_001, 0],
      ['setAdmin', GROUP, 30_001, true],
      ['setAdmin', GROUP, 30_001, false],
    ])
  })

  it('onebot trap 14: with both ids goes to the group, unless it says private', async () => {
    const platform = new FakePlatform()
    const both = { group_id: GROUP, user_id: 30_001, message: 'a' }
    await run('send_msg', both, platform)
    await run('send_msg', { ...both, message_type: 'private' }, platform)
    await run('send_msg', { ...both, message_type: 'group' }, platform)
    await run('send_msg', { user_id: 30_001, message: 'a' }, platform)
    expect(platform.done.map(([, target]) => target)).toEqual([
      { group: GROUP },
      { user: 30_001 },
      { group: GROUP },
      { user: 30_001 },
    ])
    expect(await run('send_msg', { message: 'a' })).toMatchObject({ retcode: 1400 })
    expect(await run('send_msg', { message: 'a', message_type: 'group', user_id: 1 })).toMatchObject({ retcode: 1400 })
    expect(await run('send_msg', { ...both, message_type: 'guild' })).toMatchObject({ retcode: 1400 })
  })

  it('onebot trap 38: of nodes alone is a forward message', async () => {
    const platform = new FakePlatform()
    const node = { type: 'node', data: { content: 'a' } }
    expect(await run('send_group_msg', { group_id: GROUP, message: [node] }, platform)).toMatchObject({
      retcode: 0,
      data: { message_id: 101, forward_id: 'f-1', res_id: 'f-1' },
    })
    expect(platform.done.map(([name]) => name)).toEqual(['sendForward'])
    const mixed = [node, { type: 'text', data: { text: 'a' } }]
    expect(await run('send_group_msg', { group_id: GROUP, message: mixed }, platform)).toMatchObject({ retcode: 1400 })
    const nothing = [{ type: 'node', data: { id: 404 } }]
    expect(await run('send_group_msg', { group_id: GROUP, message: nothing }, platform)).toMatchObject({
      retcode: 1200,
    })
  })

  it('onebot trap 42: has the constants that clients wait for', async () => {
    expect(await run('get_online_clients')).toMatchObject({ retcode: 0, data: { clients: [] } })
    expect(await run('get_guild_service_profile')).toMatchObject({ retcode: 0, data: null })
  })

  it('that cannot be done is 1200, with the words of the platform', async () => {
    expect(await run('get_group_info', { group_id: 5 })).toEqual({
      retcode: 1200,
      data: null,
      message: 'GROUP_NOT_FOUND',
    })
    const platform = new FakePlatform()
    platform.recall = () => Promise.reject(new PlatformError('RECALL_API_ERROR', 'too old'))
    expect(await run('delete_msg', { message_id: 5 }, platform)).toMatchObject({
      retcode: 1200,
      message: 'RECALL_API_ERROR: too old',
    })
  })

  it('tells nothing of what went wrong inside, but in the log', async () => {
    const log = new LogLines()
    const platform = new FakePlatform()
    platform.recall = () => {
      throw new Error('/var/secret: disk full')
    }
    const inside = { retcode: 1200, data: null, message: 'Internal error' }
    expect(await run('delete_msg', { message_id: 5 }, platform)).toEqual(inside)
    expect(log.lines.join('\n')).toContain('disk full')
    platform.recall = () => Promise.reject(Object.assign(new Error('no such file'), { code: 'ENOENT' }))
    expect(await run('delete_msg', { message_id: 5 }, platform)).toEqual(inside)
    // oxlint-disable-next-line prefer-promise-reject-errors
    platform.recall = () => Promise.reject('just text')
    expect(await run('delete_msg', { message_id: 5 }, platform)).toEqual(inside)
  })

  it('is answered however deep its parameters are', async () => {
    hush()
    const depth = 1_000_000
    for (const params of [
      '['.repeat(depth) + ']'.repeat(depth),
      `{"group_id":${GROUP},"message":${'['.repeat(depth)}${']'.repeat(depth)}}`,
      `{"group_id":${GROUP},"message":{"type":"json","data":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}}`,
      `{"group_id":${'['.repeat(depth)}${']'.repeat(depth)},"message":"a"}`,
      `{"group_id":${GROUP},"message":"a","more":${'['.repeat(depth)}${']'.repeat(depth)}}`,
    ]) {
      const asked = parseRequest(`{"action":"send_group_msg","params":${params}}`)
      expect('params' in asked).toBe(true)
      const { retcode } = await run('send_group_msg', 'params' in asked ? asked.params : null)
      expect([0, 1400, 1200]).toContain(retcode)
    }
  })

  it('never throws, whatever it is given', async () => {
    hush()
    for (const [name, { streams }] of ACTIONS) {
      for (const params of [undefined, null, [], 'x', 5, true, {}, { group_id: {}, user_id: [], message: 1 }]) {
        const { retcode, data, message } = await run(name, params)
        expect([0, 1400, 1404, 1200]).toContain(retcode)
        const none = streams ? { type: 'error', data_type: 'error' } : null
        if (retcode !== 0) expect([data, message === '']).toEqual([none, false])
      }
    }
  })
})
