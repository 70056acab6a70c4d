import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { commandOf, createFolder, engines, Program } from './support.ts'

describe.each(engines)('gateway, on %s', (engine) => {
  it('two people and a bot talk, each at a terminal', { timeout: 60_000 }, async () => {
    const folder = createFolder()
    const more = ['--engine', engine, '--listen', '127.0.0.1:0', '--data', folder]
    const server = new Program(commandOf('gateway'), { more })
    const url = `http://127.0.0.1:${await server.port()}`
    await server.until(/This is said once/)
    const secrets = readFileSync(join(folder, 'demo.txt'), 'utf8')
    expect(server.said).toContain(secrets)
    const secretOf = (before: string): string =>
      new RegExp(`${before} +(?:with the password|has the token) (\\S+)`).exec(secrets)?.[1] ?? ''

    const person = (name: string): Program =>
      new Program(`npx tsx samples/gateway/person.ts ${name} ${secretOf(name)} ${url}`)
    const bot = new Program(`npx tsx samples/gateway/bot.ts ${secretOf('helper-bot-\\w+')} ${url}`)
    const [, botName = ''] = await bot.until(/here as @(\S+)/)
    const [ada, brin] = [person('ada'), person('brin')]
    const everybody = new RegExp(`in general, with ada, brin, ${botName}`)
    await Promise.all([ada.until(everybody), brin.until(everybody)])
    ada.child.stdin.write(`@${botName} count these four words\n`)
    for (const terminal of [ada, brin]) {
      await terminal.until(new RegExp(`ada: @${botName} count these four words\n${botName}: I have counted 4 words`))
    }

    // Somebody who is not let in does not ask on and on; Ctrl-D is the end of somebody's talk.
    const stranger = new Program(`npx tsx samples/gateway/person.ts ada wrong-${secretOf('ada')} ${url}`)
    expect(await stranger.ended).toBe('exit code 1')
    expect(stranger.said).toMatch(/^.*POST \/auth\/login: 401 .*\n$/)
    brin.child.stdin.end()
    expect(await brin.ended).toBe('exit code 0')
    for (const program of [ada, bot, server]) await program.stop()
  })
})
