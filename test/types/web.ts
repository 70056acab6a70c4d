import {
  type Config,
  type RouteConfig,
  type Web,
  type WebAction,
  webAddAction,
  webAllocHost,
  webGetError,
  webGetHeader,
  webGetPort,
  type WebHost,
  webReadBody,
  type WebSocket,
  type WebSocketTopics,
  webSocketSetData,
  webStartHost,
  webStopHost,
  webWriteResponse,
} from '../../lib/index.ts'
import { is, type Same } from './same.ts'

interface Session {
  user: string
}

export function actions(host: WebHost): void {
  webAddAction(host, '/plain', (web) => {
    is<Same<typeof web, Web>>()
    return webWriteResponse(web, 200, 'hello')
  })
  webAddAction(host, '/typed', (web: Web<Session>) => {
    is<Same<typeof web.webSocket, WebSocket<Session> | null>>()
    webSocketSetData(web.webSocket, { user: 'admin' })
  })
  const typed: WebAction<Session> = async (web) => (await webReadBody(web))?.length
  webAddAction(host, '/typed', typed)
  // @ts-expect-error an action is a function
  webAddAction(host, '/', 'action')
  webAddAction<Session>(host, '/', (web) => {
    // @ts-expect-error not the data of this action's connections
    webSocketSetData(web.webSocket, 1)
  })
}

export function requests(web: Web): void {
  const header = webGetHeader(web, 'cookie')
  is<Same<typeof header, string | null>>()
  is<Same<ReturnType<typeof webReadBody>, Promise<Buffer | null>>>()
  // @ts-expect-error for reading
  web.path = '/'
  // @ts-expect-error only when the request was an upgrade
  return void web.webSocket.state
}

export async function hosts(): Promise<void> {
  const host = webAllocHost('web.json5')
  is<Same<typeof host, WebHost>>()
  is<Same<typeof host.topics, WebSocketTopics | null>>()
  const error = webGetError(host)
  is<Same<typeof error, string | null>>()
  const started: number = await webStartHost(host)
  const port: number = webGetPort(host)
  await webStopHost(host)
  // @ts-expect-error a config is a file's name or an object
  webAllocHost(8080)
  // @ts-expect-error only webAllocHost makes hosts
  await webStartHost({})
  return void [started, port]
}

export const config: Config = {
  web: {
    engine: 'node',
    listen: ['127.0.0.1:8080', 'https://:8443'],
    webSockets: { protocol: null, ping: '30 secs', validateUTF: true },
    limits: { maxMessage: '1MB', maxFrame: 65_536, connections: 'unlimited' },
    timeouts: { inactivity: 'never', drain: 5 },
    routes: [{ match: '/', handler: 'file', documents: './site' }, {}],
  },
  tls: { certificate: './cert.pem', key: './key.pem' },
}

export const wrong: readonly Config[] = [
  // @ts-expect-error no such key
  { webb: {} },
  // @ts-expect-error no such engine
  { web: { engine: 'quick' } },
  // @ts-expect-error a port alone says too little
  { web: { listen: 8080 } },
  // @ts-expect-error no such limit
  { web: { limits: { message: '1MB' } } },
  // @ts-expect-error a boolean is no size
  { web: { limits: { maxMessage: true } } },
  // @ts-expect-error a boolean is no time
  { web: { timeouts: { inactivity: false } } },
  // @ts-expect-error routes are a list
  { web: { routes: {} } },
  // @ts-expect-error no such handler
  { web: { routes: [{ handler: 'chat' }] } },
  // @ts-expect-error a certificate needs its key
  { tls: { certificate: './cert.pem' } },
]

// @ts-expect-error origins are a list
export const route: RouteConfig = { origins: '*' }
