import { describe, expect, it } from 'vitest'
import { rSetLogSink } from '../../../lib/websock/log.ts'
import { field, keysOf, listOf } from '../../support/gateway.ts'
import { ask, type Reply } from '../../support/http.ts'
import { Bots, SELF } from '../../support/onebot.ts'
import { engines } from '../../support/server.ts'

const JSON_TYPE = 'application/json; charset=utf-8'
const KEYS = ['status', 'retcode', 'data', 'message', 'wording', 'echo', 'stream']
const TOKEN = { Authorization: 'Bearer sesame' }
const AS_JSON = { 'Content-Type': 'application/json' }
const AS_FORM = { 'Content-Type': 'application/x-www-form-urlencoded' }

type Ask = NonNullable<Parameters<typeof ask>[2]>

/** A route with these, and a token where one is named. */
const route = (onebot: object = {}, more: object = {}) => ({
  match: '/onebot/',
  handler: 'onebot' as const,
  onebot,
  ...more,
})

const bodyOf = ({ body }: Reply): unknown => JSON.parse(body.toString())

/** What a request is answered with: its status, and the whole envelope. */
async function call(bots: Bots, path: string, options: Ask = {}): Promise<Reply & { readonly answer: unknown }> {
  const reply = await ask(bots.port(), `/onebot${path}`, options)
  const answer = bodyOf(reply)
  expect(keysOf(answer)).toEqual(KEYS)
  expect(reply.headers['content-type']).toBe(JSON_TYPE)
  return { ...reply, answer }
}
/** The same: its status and retcode. */
async function codes(bots: Bots, path: string, options: Ask = {}): Promise<unknown[]> {
  const { status, answer } = await call(bots, path, options)
  return [status, field(answer, 'retcode')]
}
const post = (body: string | Buffer, headers: Record<string, string> = AS_JSON): Ask => ({
  method: 'POST',
  headers,
  body,
})

/** What the channel general has, oldest first. */
async function contentOf(bots: Bots): Promise<unknown[]> {
  const { body } = await bots.gateway.request('GET', `/channels/${bots.channel}/messages`, bots.ada)
  return listOf(Array.isArray(body) ? body : field(body, 'messages'))
    .map((one) => field(one, 'content'))
    .toReversed()
}

describe.each(engines)('the HTTP API of a bot, on %s', (engine) => {
  it.each(['/get_login_info', '/get_login_info/', '/get_login_info/x', '/get_login_info?a=b', '/get_login_info_async'])(
    'onebot trap 27: has the action in its path: %s',
    async (path) => {
      const bots = await Bots.start(engine)
      for (const options of [{}, post('{}'), post('')]) {
        const { status, answer } = await call(bots, path, options)
        expect(status).toBe(200)
        expect(answer).toEqual({
          status: 'ok',
          retcode: 0,
          data: { user_id: SELF, nickname: 'robo' },
          message: '',
          wording: '',
          echo: '',
          stream: 'normal-action',
        })
      }
    },
  )

  it('onebot trap 27: takes a token of the query, or of a header', async () => {
    const bots = await Bots.start(engine, { routes: [route({}, { token: 'sesame' })] })
    expect(await codes(bots, '/get_login_info?access_token=sesame')).toEqual([200, 0])
    expect(await codes(bots, '/get_login_info/', { method: 'POST', headers: TOKEN })).toEqual([200, 0])
    expect(await codes(bots, '/get_login_info', { headers: { Authorization: 'Token sesame' } })).toEqual([200, 0])
    expect(await codes(bots, '/get_login_info?access_token=', { headers: TOKEN })).toEqual([200, 0])
    expect(await codes(bots, '/get_login_info?access_token=wrong', { headers: TOKEN })).toEqual([403, 1403])
  })

  it('needs a token first, whatever is wrong beside it', async () => {
    const bots = await Bots.start(engine, { routes: [route({}, { token: 'sesame' })] })
    for (const path of ['/get_login_info', '/get_weather', '/', '/_events']) {
      for (const options of [{}, post('{"a":'), post('{"access_token":"sesame"}')]) {
        const missing = await call(bots, path, options)
        expect([missing.status, field(missing.answer, 'retcode'), field(missing.answer, 'message')]).toEqual([
          401,
          1401,
          'token verify failed!',
        ])
        expect(missing.headers['www-authenticate']).toBe('Bearer')
        const wrong = await call(bots, path, { ...options, headers: { Authorization: 'Bearer wrong' } })
        expect([wrong.status, field(wrong.answer, 'retcode'), field(wrong.answer, 'message')]).toEqual([
          403,
          1403,
          'token verify failed!',
        ])
        for (const { answer } of [missing, wrong]) expect(answer).toMatchObject({ status: 'failed', data: null })
      }
    }
  })

  it('onebot trap 27: knows no other methods', async () => {
    const bots = await Bots.start(engine)
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      const { status, headers } = await call(bots, '/get_login_info', { method })
      expect([status, headers['allow']]).toEqual([405, 'GET, POST'])
    }
    const { status, body } = await ask(bots.port(), '/onebot/get_login_info', { method: 'HEAD' })
    expect([status, body.length]).toEqual([405, 0])
  })

  it('onebot trap 27: has a status for actions that nobody knows', async () => {
    const bots = await Bots.start(engine)
    const { status, answer } = await call(bots, '/get_weather')
    expect(status).toBe(404)
    expect(answer).toMatchObject({ status: 'failed', retcode: 1404, data: null, message: '不支持的API get_weather' })
    expect(await codes(bots, '/get_weather', post('{}'))).toEqual([404, 1404])
    expect(await codes(bots, '/get_weather_async')).toEqual([404, 1404])
    expect(await codes(bots, '/toString')).toEqual([404, 1404])
    // Such as are known, and never here, are another matter.
    expect(await codes(bots, '/get_cookies')).toEqual([200, 1404])
    expect(await codes(bots, '/set_restart_async')).toEqual([200, 1404])
  })

  it('has 200 for what is wrong with parameters, or fails', async () => {
    const bots = await Bots.start(engine)
    expect(await codes(bots, '/get_group_info')).toEqual([200, 1400])
    expect(await codes(bots, '/get_group_info?group_id=x')).toEqual([200, 1400])
    expect(await codes(bots, '/get_group_info?group_id=5')).toEqual([200, 1200])
  })

  it('reads parameters of a query: they are converted', async () => {
    const bots = await Bots.start(engine)
    const { answer } = await call(bots, `/get_group_info?group_id=${bots.group}&no_cache=yes`)
    expect(field(answer, 'data', 'group_id')).toBe(bots.group)
    await call(bots, `/send_group_msg?group_id=${bots.group}&message=${encodeURIComponent('茶 & [CQ:face,id=1]')}`)
    await call(bots, `/send_group_msg?group_id=${bots.group}&message=a+b&auto_escape=TRUE`)
    expect(await contentOf(bots)).toEqual(['茶 & [face 1]', 'a b'])
  })

  it('takes the last of a parameter that is there twice', async () => {
    const bots = await Bots.start(engine)
    const { answer } = await call(bots, `/get_group_info?group_id=5&group_id=${bots.group}`)
    expect(field(answer, 'data', 'group_id')).toBe(bots.group)
    expect(await codes(bots, '/get_group_info', post(`group_id=5&group_id=${bots.group}`, AS_FORM))).toEqual([200, 0])
  })

  it('has what the query says before what the body says', async () => {
    const bots = await Bots.start(engine)
    const said = post(JSON.stringify({ group_id: 5, message: 'body' }))
    expect(await codes(bots, `/send_group_msg?group_id=${bots.group}`, said)).toEqual([200, 0])
    expect(await contentOf(bots)).toEqual(['body'])
  })

  it('onebot trap 28: reads JSON, and what people write for it, under any name or none', async () => {
    const bots = await Bots.start(engine)
    const group = bots.group
    for (const type of [
      'application/json',
      'Application/JSON; charset=UTF-8',
      'text/plain',
      'x/y',
      'application/a+json',
    ]) {
      expect(await codes(bots, '/get_group_info', post(`{"group_id":${group}}`, { 'Content-Type': type }))).toEqual([
        200, 0,
      ])
    }
    expect(await codes(bots, '/get_group_info', post(`{"group_id":${group}}`, {}))).toEqual([200, 0])
    expect(await codes(bots, '/get_group_info', post(`{group_id:'${group}',/* c */}`, {}))).toEqual([200, 0])
    expect(await codes(bots, '/get_group_info', post(` \n{"group_id":${group}}\n`))).toEqual([200, 0])
  })

  it('onebot trap 29: reads forms, and JSON in them', async () => {
    const bots = await Bots.start(engine)
    const form = (fields: Record<string, string>): Ask =>
      post(new URLSearchParams({ group_id: String(bots.group), ...fields }).toString(), AS_FORM)
    const send = (message: string) => codes(bots, '/send_group_msg', form({ message }))
    expect(await send('[{"type":"text","data":{"text":"a"}}]')).toEqual([200, 0])
    expect(await send(' {"type":"text","data":{"text":"b"}}')).toEqual([200, 0])
    expect(await send('[CQ:face,id=1]')).toEqual([200, 0])
    expect(await send('{not JSON}')).toEqual([200, 0])
    expect(await send('plain & simple')).toEqual([200, 0])
    expect(await contentOf(bots)).toEqual(['a', 'b', '[face 1]', '{not JSON}', 'plain & simple'])
    expect(
      await codes(
        bots,
        '/get_group_info',
        post(`group_id=${bots.group}`, { 'Content-Type': `${AS_FORM['Content-Type']}; charset=utf-8` }),
      ),
    ).toEqual([200, 0])
  })

  it('reads JSON that is called a form, as `curl -d` has it', async () => {
    const bots = await Bots.start(engine)
    const given = (body: string): Ask => post(body, AS_FORM)
    expect(await codes(bots, '/get_group_info', given(`{"group_id":${bots.group}}`))).toEqual([200, 0])
    expect(await codes(bots, '/get_group_info', given(` {group_id:${bots.group},no_cache:true,}`))).toEqual([200, 0])
    expect(await codes(bots, '/get_group_info', given(`{"group_id":`))).toEqual([200, 1400])
  })

  it('has nothing to read in an empty body', async () => {
    const bots = await Bots.start(engine)
    for (const body of ['', ' \r\n\t']) {
      for (const headers of [AS_JSON, AS_FORM, {}, { 'Content-Type': 'x/y' }]) {
        expect(await codes(bots, '/get_status', post(body, headers))).toEqual([200, 0])
      }
    }
  })

  it.each<[string, Record<string, string>, number]>([
    ['{"a":', AS_JSON, 400],
    ['x', AS_JSON, 400],
    ['[1]', AS_JSON, 400],
    ['null', AS_JSON, 400],
    ['5', AS_JSON, 400],
    ['[1]', {}, 400],
    ['null', { 'Content-Type': 'text/plain' }, 400],
    ['{"a":', {}, 406],
    ['<xml/>', { 'Content-Type': 'text/xml' }, 406],
    ['group_id=5', { 'Content-Type': 'text/plain' }, 406],
  ])('says what is wrong with %j of %j: %i', async (body, headers, expected) => {
    const bots = await Bots.start(engine)
    const { status, answer } = await call(bots, '/get_status', post(body, headers))
    expect(status).toBe(expected)
    expect(answer).toMatchObject({ status: 'failed', retcode: 1400, data: null })
  })

  it('reads characters whole, however they come', async () => {
    const bots = await Bots.start(engine)
    const text = '茶🍵'.repeat(1000)
    const said = JSON.stringify({ group_id: bots.group, message: text.slice(0, 1000) })
    const { request } = await import('node:http')
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const out = request(
        { host: '127.0.0.1', port: bots.port(), path: '/onebot/send_group_msg', method: 'POST', headers: AS_JSON },
        (response) => {
          response.resume()
          response.on('end', () => resolve(response.statusCode))
        },
      )
      out.on('error', reject)
      const bytes = Buffer.from(said)
      for (let at = 0; at < bytes.length; at += 101) out.write(bytes.subarray(at, at + 101))
      out.end()
    })
    expect(status).toBe(200)
    expect(await contentOf(bots)).toEqual([text.slice(0, 1000)])
  })

  it('takes 50 MiB, and no more', async () => {
    const bots = await Bots.start(engine)
    const of = (bytes: number): Ask => post(`{"pad":"${'x'.repeat(bytes - 10)}"}`)
    expect(await codes(bots, '/get_status', of(52_428_800))).toEqual([200, 0])
    const { status, answer } = await call(bots, '/get_status', of(52_428_801))
    expect(status).toBe(413)
    expect(answer).toMatchObject({ status: 'failed', retcode: 1400 })
  })

  it('answers however deep a body is', async () => {
    const bots = await Bots.start(engine)
    const deep = '['.repeat(1_000_000) + ']'.repeat(1_000_000)
    expect(await codes(bots, '/get_status', post(`{"x":${deep}}`))).toEqual([200, 0])
    expect(await codes(bots, '/get_status', post(`{"echo":${deep}}`))).toEqual([200, 0])
    expect(await codes(bots, '/send_group_msg', post(`{"group_id":${bots.group},"message":${deep}}`))).toEqual([
      200, 1400,
    ])
    expect(await codes(bots, '/get_status', post(deep))).toEqual([400, 1400])
  })

  it('returns an echo as it was, and "" where there is none', async () => {
    const bots = await Bots.start(engine)
    expect((await call(bots, '/get_status')).answer).toMatchObject({ echo: '' })
    expect((await call(bots, '/get_status?echo=5')).answer).toMatchObject({ echo: '5' })
    for (const echo of ['x', 0, false, { seq: 1 }, [1], null]) {
      expect(field((await call(bots, '/get_status', post(JSON.stringify({ echo })))).answer, 'echo')).toEqual(echo)
    }
    expect((await call(bots, '/get_group_info?echo=x')).answer).toMatchObject({ retcode: 1400, echo: 'x' })
    expect((await call(bots, '/get_weather?echo=x')).answer).toMatchObject({ retcode: 1404, echo: 'x' })
  })

  it('greets at its root, and runs an action that is a parameter there', async () => {
    const bots = await Bots.start(engine)
    const { status, answer } = await call(bots, '/')
    expect(status).toBe(200)
    expect(answer).toMatchObject({ status: 'ok', retcode: 0, data: {} })
    expect(field(answer, 'message')).toMatch(/OneBot 11/)
    expect(await codes(bots, '')).toEqual([200, 0])
    const own = { user_id: SELF, nickname: 'robo' }
    expect((await call(bots, '/?action=get_login_info')).answer).toMatchObject({ retcode: 0, data: own })
    const asked = { action: 'get_group_info', params: { group_id: bots.group }, echo: 7 }
    const said = await call(bots, '/', post(JSON.stringify(asked)))
    expect(said.answer).toMatchObject({ retcode: 0, data: { group_id: bots.group }, echo: 7 })
    const query = `action=get_group_info&params=${encodeURIComponent(JSON.stringify(asked.params))}`
    expect(await codes(bots, `/?${query}`)).toEqual([200, 0])
    expect(await codes(bots, '/', post(query, AS_FORM))).toEqual([200, 0])
    expect(await codes(bots, '/?action=get_weather')).toEqual([404, 1404])
    expect(await codes(bots, '/?action=get_group_info')).toEqual([200, 1400])
  })

  it('keeps a token out of parameters', async () => {
    const bots = await Bots.start(engine, { routes: [route({}, { token: 'sesame' })] })
    for (const path of ['/?access_token=sesame', '/get_group_info?access_token=sesame', '/get_x?access_token=sesame']) {
      const { body } = await call(bots, path)
      expect(body.toString()).not.toContain('sesame')
    }
  })

  it('runs actions with names that begin with a dot', async () => {
    const bots = await Bots.start(engine)
    const said = post(JSON.stringify({ context: { post_type: 'notice' }, operation: {} }))
    expect(await codes(bots, '/.handle_quick_operation', said)).toEqual([200, 0])
  })

  it('lets pages read answers where there is a token, and nowhere else', async () => {
    const bots = await Bots.start(engine, {
      routes: [
        route({}, { token: 'sesame' }),
        route({}, { match: '/open/' }),
        route({ enableCors: false }, { match: '/closed/', token: 'sesame' }),
      ],
    })
    const of = async (path: string, method = 'GET') => {
      const headers = { Origin: 'https://page.example', ...TOKEN }
      const { status, headers: told, body } = await ask(bots.port(), path, { method, headers })
      return { status, origin: told['access-control-allow-origin'], told, body: body.toString() }
    }
    expect(await of('/onebot/get_status')).toMatchObject({ status: 200, origin: '*' })
    const preflight = await of('/onebot/get_status', 'OPTIONS')
    expect(preflight).toMatchObject({ status: 204, origin: '*', body: '' })
    expect(preflight.told['access-control-allow-methods']).toBe('GET, POST')
    expect(preflight.told['access-control-allow-headers']).toMatch(/Authorization/)
    expect(preflight.told['access-control-allow-headers']).toMatch(/Content-Type/)
    // Errors can be read, too.
    const wrong = await ask(bots.port(), '/onebot/get_status', { headers: { Origin: 'https://page.example' } })
    expect([wrong.status, wrong.headers['access-control-allow-origin']]).toEqual([401, '*'])
    for (const path of ['/open/get_status', '/closed/get_status']) {
      expect((await of(path)).origin).toBeUndefined()
      expect((await of(path, 'OPTIONS')).origin).toBeUndefined()
    }
  })

  it.each<[string, object, Record<string, string>, number]>([
    ['a program', {}, {}, 200],
    ['its own page', {}, { Origin: 'own' }, 200],
    ['its own page, as browsers say', {}, { 'Sec-Fetch-Site': 'same-origin' }, 200],
    ['a person who has typed it', {}, { 'Sec-Fetch-Site': 'none' }, 200],
    ['another page', {}, { Origin: 'https://evil.example' }, 403],
    ['a page of nowhere', {}, { Origin: 'null' }, 403],
    ['a picture on another page', {}, { 'Sec-Fetch-Site': 'cross-site' }, 403],
    ['a picture on a page beside', {}, { 'Sec-Fetch-Site': 'same-site' }, 403],
    ['another page that lies', {}, { 'Origin': 'https://evil.example', 'Sec-Fetch-Site': 'same-origin' }, 403],
    ['a listed page', { origins: ['https://good.example'] }, { Origin: 'https://good.example' }, 200],
    ['a page that is not listed', { origins: ['https://good.example'] }, { Origin: 'https://evil.example' }, 403],
    ['a page where any may', { origins: ['*'] }, { Origin: 'https://evil.example' }, 200],
    ['a page that has the token', { token: 'sesame' }, { Origin: 'https://evil.example', ...TOKEN }, 200],
    [
      'a page that has the token, and is not listed',
      { token: 'sesame', origins: ['https://good.example'] },
      { Origin: 'https://evil.example', ...TOKEN },
      403,
    ],
  ])('is there for %s', async (_who, more, headers, expected) => {
    const bots = await Bots.start(engine, { routes: [route({}, more)] })
    const given = { ...headers, ...(headers['Origin'] === 'own' ? { Origin: `http://127.0.0.1:${bots.port()}` } : {}) }
    const said = { group_id: bots.group, message: 'a' }
    const reply = await ask(bots.port(), '/onebot/send_group_msg', post(JSON.stringify(said), { ...given }))
    expect(reply.status).toBe(expected)
    expect((await ask(bots.port(), '/onebot/get_status', { headers: given })).status).toBe(expected)
    expect(await contentOf(bots)).toHaveLength(expected === 200 ? 1 : 0)
  })

  it('leaves no token in the log, good or wrong', async () => {
    const lines: string[] = []
    rSetLogSink((_level, source, message, fields) => lines.push(`${source} ${message} ${JSON.stringify(fields)}`))
    try {
      const bots = await Bots.start(engine, { routes: [route({ debug: true }, { token: 'sesame' })] })
      const client = await bots.connect('/onebot/?access_token=sesame')
      const wrong = await bots.open('/onebot/?access_token=sesame2').opened()
      await wrong.closed
      for (const path of ['/get_status', '/get_weather', '/', '/_eventsx']) {
        for (const token of ['sesame', 'sesame2']) {
          for (const options of [{}, post('{"access_token":"sesame"}'), { method: 'PUT' }]) {
            await call(bots, `${path}?access_token=${token}`, options)
          }
        }
      }
      await client.close()
    } finally {
      rSetLogSink(null)
    }
    // What is asked and answered is there.
    for (const said of ['< {"action":"get_status"', '> {"status":"ok"', '< {"action":"get_weather"']) {
      expect(lines.some((line) => line.includes(said) || line.includes(JSON.stringify(said).slice(1, -1)))).toBe(true)
    }
    expect(lines.filter((line) => line.includes('sesame'))).toEqual([])
  })

  it('is not there for a page of a name that was made to lead here', async () => {
    const bots = await Bots.start(engine)
    for (const from of [{ Origin: 'http://evil.example' }, { 'Sec-Fetch-Site': 'same-origin' }]) {
      const headers = { Host: 'evil.example', ...from }
      expect((await ask(bots.port(), '/onebot/get_status', { headers })).status).toBe(403)
    }
  })

  it('may be left out', async () => {
    const bots = await Bots.start(engine, {
      routes: [route({ http: false }), route({ http: false, sse: false }, { match: '/ws-only/' })],
    })
    expect(await codes(bots, '/get_status')).toEqual([404, 1404])
    expect((await ask(bots.port(), '/ws-only/get_status')).status).toBe(426)
  })

  it('is on a port of its own, with WebSockets where that is wanted', async () => {
    const bots = await Bots.start(engine, {
      routes: [],
      network: {
        httpServers: [
          { name: 'api', enable: true, port: 0, token: 'sesame' },
          { name: 'both', enable: true, port: 0, enableWebsocket: true, reportSelfMessage: true },
        ],
      },
    })
    const got = await ask(bots.port(1), '/get_login_info?access_token=sesame')
    expect([got.status, field(bodyOf(got), 'data', 'user_id')]).toEqual([200, SELF])
    await expect(bots.open('/?access_token=sesame', 1).opened()).rejects.toThrow(/404/)
    const client = await bots.connect('/', 2)
    expect((await ask(bots.port(2), `/send_group_msg?group_id=${bots.group}&message=a`)).status).toBe(200)
    await bots.settle(client)
    // Plain HTTP servers of NapCat tell nobody what the bot says.
    expect(client.events).toEqual([])
    expect((await ask(bots.port(2), '/_events')).status).toBe(404)
  })

  it('waits where it is asked too often', async () => {
    const bots = await Bots.start(engine, {
      routes: [route({ rateLimit: { enabled: true, frequency: 50, bucket: 1 } })],
    })
    const from = performance.now()
    const all = await Promise.all(Array.from({ length: 5 }, () => codes(bots, '/get_status')))
    expect(all).toEqual(Array.from({ length: 5 }, () => [200, 0]))
    // Four wait, 20 ms each; clocks are not that exact.
    expect(performance.now() - from).toBeGreaterThan(70)
  })
})
