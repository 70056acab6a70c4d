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
  const posts = Array.from({ length: clients }, (_, i) => toPost(channel, tokenOf(i)))
  // All answers, and all frames, are as long as the first.
  const first = await openPlain(port, toPost(channel, tokenOf(0)), 201, () => {})
  first.socket.destroy()
  const frame = answerLength(ENVELOPE + first.body)
  await settled(() => members * frame - delivered, 'bytes of deliveries')

  return {
    // Servers close connections that wait: each run has its own, which have asked for something that is cheap.
    run: async (ms) => {
      const hello = toRequest('GET', '/servers', tokenOf(0))
      const opened = await Promise.all(posts.map(() => openPlain(port, hello, 200, step.onBytes)))
      let lost = 0
      for (const one of opened) one.socket.once('close', () => lost++)
      try {
        return await step.run(server, ms, {
          messages: clients * Math.max(1, members),
          bytes: clients * (first.answer + members * frame),
          write: () => {
            for (const [i, one] of opened.entries()) one.socket.write(posts[i] ?? '')
          },
        })
      } catch (error) {
        throw lost === 0 ? error : new Error(`the server has closed ${lost} connections`, { cause: error })
      } finally {
        for (const one of opened) one.socket.destroy()
      }
    },
    close: () => {
      for (const socket of listeners) socket.destroy()
    },
  }
}

const toRequest = (method: string, path: string, token: string, rest = '\r\n'): Buffer =>
  Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bot ${token}\r\n${rest}`)

function toPost(channel: string, token: string): Buffer {
  const body = JSON.stringify({ content: CONTENT })
  const rest = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  return toRequest('POST', `/channels/${channel}/messages`, token, rest)
}

/** The first channel of the first server. */
async function findChannel(port: number): Promise<string> {
  const find = async (path: string): Promise<string> => {
    const headers = { Authorization: `Bot ${tokenOf(0)}` }
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers })
    const list: unknown = await response.json()
    const one: unknown = Array.isArray(list) ? list[0] : null
    if (typeof one === 'object' && one !== null && 'id' in one) return String(one.id)
    throw new Error(`${path}: ${response.status} ${JSON.stringify(list)}`)
  }
  return find(`/servers/${await find('/servers')}/channels`)
}
