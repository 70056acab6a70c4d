import { readFileSync } from 'node:fs'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { installed, launch } from './chromium.ts'
import { engines, serve, type Server, START } from './support.ts'

const PAGE = readFileSync(new URL('voice.html', import.meta.url), 'utf8')

const SDP: unknown = expect.stringMatching(/^v=0\r\n/)

interface Signal {
  readonly from_user_id: string
  readonly type: string
  readonly candidate: string | null
}

interface Call {
  readonly heard: string
  readonly signals: readonly Signal[]
}

/** Calls a function of the page's script. */
const ask = <T>(page: Page, name: string, argument: unknown): Promise<T> =>
  page.evaluate<T>(`${name}(${JSON.stringify(argument)})`)

describe.skipIf(!installed).each(engines)('a call of two pages, and the %s engine', (engine) => {
  let server: Server
  let browser: Browser
  beforeAll(async () => {
    server = await serve(engine)
    // Where there is no network, there is no other address.
    browser = await launch('--allow-loopback-in-peer-connection')
  }, START)
  afterAll(async () => {
    await browser.close()
    await server.stop()
  }, START)

  /** A page of its own, in which somebody has logged in. */
  async function open(username: string) {
    // Without the right to hear somebody, it would hide its addresses.
    const context = await browser.newContext({ permissions: ['microphone'] })
    const page = await context.newPage()
    // The server has no such page: it takes the place of one that it has.
    await page.goto(`http://127.0.0.1:${server.port}/health`)
    await page.setContent(PAGE)
    return { page, me: await ask<{ id: string; token: string }>(page, 'logIn', username) }
  }

  it('is set up by VOICE_SIGNAL, without any other server: each hears what the other says', async () => {
    const [cleo, dov] = [await open('cleo'), await open('dov')]
    const place = await ask<{ server: string; channel: string }>(cleo.page, 'makeChannel', cleo.me.token)
    const { channel } = place
    await ask(dov.page, 'joinServer', { token: dov.me.token, server: place.server })
    const [first, second] = await Promise.all([
      ask<Call>(cleo.page, 'talk', { me: cleo.me, other: dov.me, channel, calls: true, text: 'fog at six' }),
      ask<Call>(dov.page, 'talk', { me: dov.me, other: cleo.me, channel, calls: false, text: 'grüße, 世界 🧵' }),
    ])
    expect([first.heard, second.heard]).toEqual(['grüße, 世界 🧵', 'fog at six'])
    // What is heard first is the other's description; the rest are ways to reach them.
    for (const [{ signals }, from, type] of [
      [first, dov.me.id, 'answer'],
      [second, cleo.me.id, 'offer'],
    ] as const) {
      const [description, ...candidates] = signals
      expect(description).toEqual({ from_user_id: from, type, sdp: SDP, candidate: null, stream_type: null })
      expect(candidates.length).toBeGreaterThan(0)
      for (const one of candidates) {
        expect(one).toMatchObject({ from_user_id: from, type: 'candidate', sdp: null })
        // An address, not a name that only this machine may know.
        expect(one.candidate).toMatch(/ [\d.]+ \d+ typ host | [\da-f:]+ \d+ typ host /)
      }
    }
  })
})
