import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Command } from '../support/command.ts'
import { close, text } from '../support/frames.ts'
import { ask } from '../support/http.ts'
import { handshake, RawClient } from '../support/raw.ts'
import { engines } from '../support/server.ts'

/*
 * The command with its log as JSON, and secrets in all the places that have some: what it prints, and what it answers, is
 * searched for them.
 */

const ROUTE = 'open-sesame-route'
const STATUS = 'open-sesame-status'
const WRONG = 'open-sesame-wrong'
const OTHER = 'open-sesame-other'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fiberws-secrets-'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  writeFileSync(
    join(folder, 'config.json5'),
    `{
  web: {
    listen: '127.0.0.1:0',
    webSockets: { protocol: null },
    routes: [
      { match: '/ws/', handler: 'action', module: './echo.mjs', token: '\${ROUTE}' },
      { match: '/fails', handler: 'action', module: './fails.mjs' },
    ],
  },
  observe: { log: 'json', listen: '127.0.0.1:0', token: '\${STATUS}' },
}`,
  )
  writeFileSync(
    join(folder, 'echo.mjs'),
    `import { webSocketRun, webSocketSendString } from 'fiberws'
export default (web) => webSocketRun(web.webSocket, (ws, event, buf) => { if (event === 1) webSocketSendString(ws, buf) })`,
  )
  writeFileSync(join(folder, 'fails.mjs'), 'export default () => { throw new Error("on purpose") }')
})
afterAll(() => rmSync(folder, { recursive: true }))

function toRecord(line: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(line)
  if (typeof value !== 'object' || value === null) throw new Error(`no object: ${line}`)
  return { ...value }
}

describe.each(engines)('the log of the command on the %s engine', (engine) => {
  it('is JSON, a line each, has each open and close, and no secret', async () => {
    const command = new Command([join(folder, 'config.json5'), '--engine', engine], { ROUTE, STATUS })
    const port = await command.port()
    const status = await command.waitFor(/metrics on http:\/\/127\.0\.0\.1:(\d+)/)
    const upgrade = async (path: string, headers: Record<string, string>): Promise<number> => {
      const client = await RawClient.connect(port)
      client.send(handshake(path, headers))
      const answer = await client.response()
      if (answer.status === 101) {
        client.send(Buffer.concat([text(OTHER), close(4000, 'done')]))
        await client.rest()
      }
      client.destroy()
      return answer.status
    }
    expect(await upgrade(`/ws/a?token=${ROUTE}`, { Cookie: OTHER })).toBe(101)
    expect(await upgrade('/ws/b', { 'Authorization': `Bearer ${ROUTE}`, 'X-Api-Key': OTHER })).toBe(101)
    expect(await upgrade(`/ws/c?token=${WRONG}`, {})).toBe(401)
    expect(await upgrade('/ws/d', { Authorization: `Bearer ${WRONG}` })).toBe(401)
    expect(await upgrade(`/ws/e?token=${ROUTE}`, { Origin: `https://${OTHER}.example` })).toBe(101)
    expect(await upgrade(`/ws/f?token=${ROUTE}`, { 'Sec-WebSocket-Key': WRONG })).toBe(400)
    const fails = await ask(port, `/fails?token=${OTHER}`, { headers: { Authorization: `Bearer ${OTHER}` } })
    expect(fails.status).toBe(500)
    const bearer = { headers: { Authorization: `Bearer ${STATUS}` } }
    const pages = [
      await ask(Number(status), '/metrics', bearer),
      await ask(Number(status), '/debug/closes', bearer),
      await ask(Number(status), `/metrics?token=${WRONG}`),
    ]
    expect(pages.map((page) => page.status)).toEqual([200, 200, 401])
    command.child.kill('SIGTERM')
    expect(await command.exit).toBe(0)

    const lines = command.out.trim().split('\n')
    const records = lines.map(toRecord)
    for (const { pid, time, level } of records) {
      expect(pid).toBe(command.child.pid)
      expect(time).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/)
      expect(['info', 'error']).toContain(level)
    }
    const of = (source: string, msg: string): Readonly<Record<string, unknown>>[] =>
      records.filter((record) => record['source'] === source && record['msg'] === msg)
    expect(of('conn', 'open').map(({ path }) => path)).toEqual(['/ws/a', '/ws/b', '/ws/e'])
    expect(of('conn', 'close')).toMatchObject(
      [1, 2, 3].map((id) => ({
        id,
        initiator: 'peer',
        code: 4000,
        reason: 'done',
        messagesIn: 1,
        bytesIn: OTHER.length,
      })),
    )
    expect(of('conn', 'refused').map(({ path, status: code }) => [path, code])).toEqual([
      ['/ws/c', 401],
      ['/ws/d', 401],
      ['/ws/f', 400],
    ])
    expect(records.some(({ source, msg }) => source === 'web' && String(msg).includes('on purpose'))).toBe(true)
    const all = [command.out, command.err, ...pages.map(({ body }) => body.toString()), fails.body.toString()].join(
      '\n',
    )
    expect(all.match(/.*open-sesame.*/g)).toBeNull()
  })
})
