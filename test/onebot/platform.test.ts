import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { OneBotMount } from '../../include-types/onebot-config.ts'
import { parts } from '../../lib/parts.ts'
import { createHost, type Host } from '../../lib/web/host.ts'
import { WebSocket } from 'ws'
import { hush } from '../support/log-lines.ts'
import { BotClient } from '../support/onebot.ts'
import { engines } from '../support/server.ts'

const folders: string[] = []
const hosts: Host[] = []
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.free()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

/** A module beside the tests' own platform. */
function write(code: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'fiberws-platform-'))
  folders.push(folder)
  const file = join(folder, 'platform.ts')
  const at = (path: string): string => new URL(path, import.meta.url).href
  const imports = [
    `import { FakePlatform } from '${at('../support/onebot-platform.ts')}'`,
    `import { PlatformError } from '${at('../../lib/onebot/failure.ts')}'`,
  ]
  writeFileSync(file, [...imports, code].join('\n'))
  return file
}

async function start(engine: (typeof engines)[number], code: string, onebot: OneBotMount = {}): Promise<Host> {
  const host = createHost(
    {
      // Nothing is kept: a folder that cannot be is not looked at.
      dataDir: '/proc/none',
      web: {
        engine,
        listen: 'http://127.0.0.1:0',
        routes: [{ match: '/bot/', handler: 'onebot', bot: 'mine', onebot }],
      },
      onebot: { platform: write(code), platformOptions: { nickname: 'own' }, bots: { mine: { selfId: 7 } } },
    },
    parts,
  )
  hosts.push(host)
  return host
}

const connect = (host: Host): Promise<BotClient> =>
  new BotClient(new WebSocket(`ws://127.0.0.1:${host.listening[0]?.port}/bot/`)).opened()

describe.each(engines)('a platform of a program, on %s', (engine) => {
  it('is what bots are of, in place of the world', async () => {
    const host = await start(
      engine,
      `export default ({ name, selfId }, options) => {
        const platform = new FakePlatform()
        platform.self = () => ({ id: selfId, nickname: options.nickname + ' ' + name, bio: '', isBot: true, online: true, registeredAt: 0, remark: '' })
        const send = platform.send.bind(platform)
        platform.send = async (target, segments) => {
          const id = await send(target, segments)
          const sender = { id: 10001, nickname: 'echo', card: '', role: 'member' }
          platform.tell({ kind: 'message', message: { id: id + 1, seq: 1, time: 1770000000, group: { id: target.group, name: 'g' }, peer: null, subType: 'normal', sender, segments } })
          return id
        }
        platform.kick = () => { throw new PlatformError('NOT_MANAGEABLE') }
        platform.recall = () => { throw new Error('a secret of ours') }
        return platform
      }`,
    )
    expect(await host.start(), host.error ?? '').toBe(0)
    const client = await connect(host)
    expect(await client.get('get_login_info')).toEqual({ user_id: 7, nickname: 'own mine' })
    expect(await client.get('send_group_msg', { group_id: 10_001, message: '[CQ:face,id=1]' })).toEqual({
      message_id: 101,
    })
    expect(await client.event({ post_type: 'message' })).toMatchObject({
      self_id: 7,
      message_id: 102,
      raw_message: '[CQ:face,id=1]',
    })
    expect(await client.call('set_group_kick', { group_id: 1, user_id: 2 })).toMatchObject({
      retcode: 1200,
      message: 'NOT_MANAGEABLE',
    })
    expect(await client.call('delete_msg', { message_id: 1 })).toMatchObject({
      retcode: 1200,
      message: 'Internal error',
    })
    // What it lacks is not there; the rest goes on.
    expect(await client.call('get_group_info', { group_id: 5 })).toMatchObject({ message: 'GROUP_NOT_FOUND' })
  })

  it('that throws in whatever it is asked ends nothing', async () => {
    hush()
    const host = await start(
      engine,
      `export default () => {
        const platform = new FakePlatform()
        let first = true
        const fail = () => { throw new Error('session expired') }
        const self = platform.self.bind(platform)
        platform.self = () => { if (!first) fail(); first = false; return { ...self(), id: 7 } }
        for (const name of ['isOnline', 'attach', 'close']) platform[name] = fail
        const listen = platform.listen.bind(platform)
        platform.listen = (listener) => { listen(listener); return fail }
        return platform
      }`,
      { heartInterval: 20 },
    )
    expect(await host.start(), host.error ?? '').toBe(0)
    const client = await connect(host)
    const beat = await client.find((frame) => frame['meta_event_type'] === 'heartbeat')
    expect(beat).toMatchObject({ self_id: 7, status: { online: false, good: true } })
    expect(await client.call('get_login_info')).toMatchObject({ retcode: 1200, message: 'Internal error' })
    expect(await client.get('send_group_msg', { group_id: 40_001, message: 'still here' })).toBeDefined()
    await host.stop()
    expect(await client.closed).toBe(1001)
  })

  it.each([
    ['no function', 'export default 5', 'its default export is not a function (bot, options) that makes a platform'],
    ['a module that throws', "throw new Error('not today')", 'not today'],
  ])('%s keeps the host from starting', async (_what, code, error) => {
    const host = await start(engine, code)
    expect(await host.check()).toBe(-28)
    expect(host.error).toContain(error)
  })

  it('what is no platform keeps the host from starting', async () => {
    const host = await start(engine, 'export default () => ({})')
    expect(await host.start()).toBe(-28)
    expect(host.error).toContain('what it has made is no platform: it needs self')
  })
})
