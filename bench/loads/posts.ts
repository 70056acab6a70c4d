import type { Socket } from 'node:net'
import type { Target } from '../server-process.ts'
import { CONTENT, tokenOf } from '../servers/world.ts'
import type { PostsLoad } from '../workload.ts'
import { answerLength, openMember, openPlain } from './peer.ts'
import { InStep, type Load, settled } from './sample.ts'

/** Around what a post is answered with, in the frame that members get of it. */
const ENVELOPE = '{"op":"DISPATCH","t":"MESSAGE_CREATE","d":}'.length
/** Members that come at the same time. */
const AT_ONCE = 100

/** Messages in a channel, posted by some and delivered to all: the next when all answers and deliveries of the last have come. */
export async function openPosts(server: Target, { members, clients }: PostsLoad): Promise<Load> {
  const { port } = server
  const step = new InStep()
  let delivered = 0
  const onDelivery = (bytes: number): void => {
    delivered += bytes
    step.onBytes(bytes)
  }
  const listeners: Socket[] = []
  while (listeners.length < members) {
    const count = Math.min(AT_ONCE, members - listeners.length)
    const some = Array.from({ length: count }, (_, i) => openMember(port, tokenOf(listeners.length + i), onDelivery))
    listeners.push(...(await Promise.all(some)))
  }
  const channel = await findChannel(port)
  const requests = Array.from({ length: clients }, (_, i) => toPost(channel, tokenOf(i)))

  return {
    // Servers close connections that wait: each run has its own, past their first post.
    run: async (ms) => {
      delivered = 0
      let lost = 0
      const posting = await Promise.all(
        requests.map(async (request) => ({ request, ...(await openPlain(port, request, 201, step.onBytes)) })),
      )
      for (const { socket } of posting) socket.once('close', () => lost++)
      try {
        const frames = posting.reduce((sum, { body }) => sum + answerLength(ENVELOPE + body), 0)
        await settled(() => members * frames - delivered, 'bytes of deliveries')
        return await step.run(server, ms, {
          messages: clients * Math.max(1, members),
          bytes: posting.reduce((sum, { answer }) => sum + answer, 0) + members * frames,
          write: () => {
            for (const { socket, request } of posting) socket.write(request)
          },
        })
      } catch (error) {
        throw lost === 0 ? error : new Error(`the server has closed ${lost} connections`, { cause: error })
      } finally {
        for (const { socket } of posting) socket.destroy()
      }
    },
    close: () => {
      for (const socket of listeners) socket.destroy()
    },
  }
}

function toPost(channel: string, token: string): Buffer {
  const body = JSON.stringify({ content: CONTENT })
  return Buffer.from(
    `POST /channels/${channel}/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bot ${token}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
}

/** The first channel of the first server. */
async function findChannel(port: number): Promise<string> {
  const first = async (path: string): Promise<string> => {
    const headers = { Authorization: `Bot ${tokenOf(0)}` }
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers })
    const list: unknown = await response.json()
    const one: unknown = Array.isArray(list) ? list[0] : null
    if (typeof one === 'object' && one !== null && 'id' in one) return String(one.id)
    throw new Error(`${path}: ${response.status} ${JSON.stringify(list)}`)
  }
  return first(`/servers/${await first('/servers')}/channels`)
}
