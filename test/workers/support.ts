import { setTimeout as sleep } from 'node:timers/promises'
import { text } from '../support/frames.ts'
import { ask as get } from '../support/http.ts'
import { RawClient } from '../support/raw.ts'
import { Folder } from '../support/service.ts'

export const folder = new Folder()

/** Every connection is on the topic 'news', hears first which process serves it, and publishes what begins with '!'. */
folder.action(
  'news.ts',
  `console.log('process %d has an action', process.pid)
  export default (web) => {
    if (web.webSocket === null) return lib.webWriteResponse(web, 200, '%d', process.pid)
    return lib.webSocketRun(web.webSocket, (ws, event, buf) => {
      if (event === lib.WS_EVENT_OPEN) {
        lib.webSocketSubscribe(ws, 'news')
        lib.webSocketSendString(ws, String(process.pid))
      } else if (event === lib.WS_EVENT_MESSAGE) {
        if (String(buf).startsWith('!')) lib.webSocketPublish(ws.topics, 'news', buf)
        else lib.webSocketSendString(ws, String(buf))
      } else if (event === lib.WS_EVENT_CLOSE) console.log('CLOSE of %s', web.path)
    })
  }`,
)
export const news = (match: string): object => ({ match, handler: 'action', module: './news.ts' })

/** A connection, and the process that serves it. */
export class Reader {
  readonly client: RawClient
  readonly pid: number

  private constructor(client: RawClient, pid: number) {
    this.client = client
    this.pid = pid
  }

  static async open(port: number, path = '/'): Promise<Reader> {
    const client = await RawClient.open(port, path)
    return new Reader(client, Number((await client.frame()).payload.toString()))
  }

  say(words: string): void {
    this.client.send(text(words))
  }

  /** The next messages. */
  async hear(count = 1): Promise<string[]> {
    const heard: string[] = []
    while (heard.length < count) {
      const { opcode, payload } = await this.client.frame()
      heard.push(opcode === 8 ? `Close ${payload.readUInt16BE()}` : payload.toString())
    }
    return heard
  }

  async echo(words: string): Promise<string> {
    this.say(words)
    return (await this.hear())[0] ?? ''
  }
}

/** So many connections at least with each of so many processes, which the kernel or node's cluster deals out as it likes. */
export async function openAtAll(port: number, workers: number, each: number, path = '/'): Promise<Reader[]> {
  const readers: Reader[] = []
  for (let tries = 0; tries < 200; tries++) {
    // Whoever has ended before comes back later each time.
    if (tries > 20) await sleep(20)
    readers.push(await Reader.open(port, path))
    const counts = oneOfEach(readers).map(({ pid }) => readers.filter((reader) => reader.pid === pid).length)
    if (counts.length >= workers && counts.every((count) => count >= each)) return readers
  }
  throw new Error(`not all workers serve: ${readers.map(({ pid }) => pid).join()}`)
}

/** One of these for each process. */
export const oneOfEach = (readers: readonly Reader[]): Reader[] => [
  ...new Map(readers.map((reader) => [reader.pid, reader])).values(),
]

export function leave(readers: readonly Reader[]): void {
  for (const { client } of readers) client.destroy()
}

/** The sum of a metric over its labels; null where it is not there. */
export async function metric(port: number, name: string): Promise<number | null> {
  const page = String((await get(port, '/metrics')).body)
  const lines = page.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
  return lines.length === 0 ? null : lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}
