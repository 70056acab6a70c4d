import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { OneBotTtsConfig } from '../../../include-types/onebot-config.ts'
import { MAX_SPEAKERS, speak } from '../../../lib/onebot/media/speech.ts'
import { field, listOf } from '../../support/gateway.ts'
import { LogLines } from '../../support/log-lines.ts'
import { Scene } from '../../support/onebot-scene.ts'
import { makeFolder } from '../../support/world.ts'

/** A program of node. */
const program = (code: string): string[] => [process.execPath, '-e', code]
/** What begins as such files do, and then what it has heard. */
const SPEAKS = `process.stdout.write(Buffer.from('RIFF\\0\\0\\0\\0WAVE', 'latin1')); process.stdin.pipe(process.stdout)`

/** What does not end by itself. */
const STAYS = 'setInterval(() => {}, 1000)'

const start = (tts?: OneBotTtsConfig): Promise<Scene> =>
  Scene.start('node', tts === undefined ? {} : { onebot: { tts } })

/** What others are told of a message that is spoken. */
async function told(scene: Scene, text: string, more: readonly object[] = []): Promise<unknown[]> {
  const message = [...more, { type: 'tts', data: { text } }]
  await scene.robo.get('send_group_msg', { group_id: scene.group, message })
  const [, events] = await scene.both()
  return listOf(events?.at(-1)?.['message'])
}

describe('a text that is to be heard', () => {
  it('is a record, of what a program says', async () => {
    const scene = await start({ command: program(SPEAKS) })
    const [record] = await told(scene, 'tea is ready — 茶')
    expect(field(record, 'type')).toBe('record')
    const bytes = Buffer.from(await (await fetch(String(field(record, 'data', 'url')))).arrayBuffer())
    expect(bytes.toString()).toBe('RIFF\0\0\0\0WAVEtea is ready — 茶')
    expect(await scene.mate.get('get_record', { file: field(record, 'data', 'file') })).toMatchObject({ size: 32 })
  })

  it('is a text where there is no such program', async () => {
    const scene = await start()
    expect(await told(scene, 'tea')).toEqual([{ type: 'tts', data: { text: 'tea' } }])
    expect(await scene.contents()).toEqual(['tea'])
  })

  it.each([
    ['fails', { command: program('process.exit(3)') }, 'onebot.tts: it ended with 3'],
    ['is not there', { command: ['/nowhere/espeak'] }, 'ENOENT'],
    ['says no record', { command: program('console.log("hello")') }, 'LOAD_FILE_ERROR'],
    ['says nothing', { command: program('') }, 'LOAD_FILE_ERROR'],
    ['takes too long', { command: program(STAYS), timeout: 200 }, '200 ms'],
    ['has started what takes too long', { command: ['/bin/sh', '-c', 'sleep 600; true'], timeout: 200 }, '200 ms'],
    [
      'says too much',
      { command: program(`${SPEAKS}; ${STAYS}`), maxBytes: 10, timeout: 600_000 },
      'more than 10 bytes',
    ],
  ] as const)('is a text where the program %s, and the log says why', async (_what, { command, ...more }, why) => {
    const scene = await start({ ...more, command: [...command] })
    const log = new LogLines()
    expect(await told(scene, 'tea', [{ type: 'at', data: { qq: String(scene.boId) } }])).toEqual([
      { type: 'at', data: { qq: String(scene.boId) } },
      { type: 'text', data: { text: 'tea' } },
    ])
    expect(log.lines.join('\n')).toContain(why)
  })

  it('is a text where the program says too much, and what that has started ends with it', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    const ended = new Promise((resolve) =>
      server.once('connection', (socket) => socket.resume().once('close', resolve)),
    )
    const says = `require('net').connect(${port}, '127.0.0.1', () => console.log('x'.repeat(200))).on('error', () => {})`
    const command = ['/bin/sh', '-c', `"${process.execPath}" -e "${says}; ${STAYS}" & wait`]
    expect(await speak('tea', { command, timeout: 600_000, maxText: 10, maxBytes: 100 })).toBeNull()
    await ended
    server.close()
  })

  it('is a text where so many programs run already', async () => {
    const go = join(makeFolder(), 'go')
    // It has heard all of it by then.
    const waits = `process.stdin.on('end', () => {
      const timer = setInterval(() => require('fs').existsSync(${JSON.stringify(go)}) && clearInterval(timer), 5)
    })`
    const bounds = { timeout: 600_000, maxText: 10, maxBytes: 100 }
    const slow = { ...bounds, command: program(`${SPEAKS}; ${waits}`) }
    const quick = { ...bounds, command: program(SPEAKS) }
    const running = Array.from({ length: MAX_SPEAKERS }, () => speak('tea', slow))
    expect(await speak('milk', quick)).toBeNull()
    writeFileSync(go, '')
    for (const record of await Promise.all(running)) expect(String(record)).toContain('tea')
    expect(String(await speak('milk', quick))).toContain('milk')
  })

  it('is a text where it is longer than it may be', async () => {
    const scene = await start({ command: program(SPEAKS), maxText: 3 })
    expect(field((await told(scene, 'teas'))[0], 'type')).toBe('text')
    expect(field((await told(scene, 'tea'))[0], 'type')).toBe('record')
  })
})
