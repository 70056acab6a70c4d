import type { Socket } from 'node:net'
import type { Target } from '../server-process.ts'
import { FIRST_MEMBER, GROUP, MEMBERS } from '../servers/group.ts'
import type { CallsLoad } from '../workload.ts'
import { frameLength, maskedText, open } from './peer.ts'
import { InStep, type Load } from './sample.ts'

const toCall = (n: number): Buffer =>
  maskedText(
    JSON.stringify({
      action: 'get_group_member_info',
      params: { group_id: GROUP, user_id: FIRST_MEMBER + (n % MEMBERS) },
      echo: 'call',
    }),
  )

/** Hears the first answers, to know how long they are: each server says it in its own words. */
class Listener {
  #rest = Buffer.alloc(0)
  #answers = 0
  #bytes = 0
  #next: ((bytes: number) => void) | null = null

  learn(answers: number): Promise<number> {
    return new Promise((resolve) => {
      this.#next = (bytes) => {
        if (this.#answers === answers) resolve(bytes)
      }
    })
  }

  take(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk])
    for (let length = frameLength(this.#rest); length <= this.#rest.length; length = frameLength(this.#rest)) {
      const text = this.#rest.toString('utf8', 0, length)
      if (!text.includes('"retcode":0,') || !text.includes('"join_time":')) throw new Error(`not a member: ${text}`)
      this.#rest = this.#rest.subarray(length)
      this.#bytes += length
      this.#answers++
    }
    this.#next?.(this.#bytes)
  }
}

/** Bots that ask for members of a group, all in step. */
export async function openCalls(server: Target, { connections, inFlight }: CallsLoad): Promise<Load> {
  const batch = Buffer.concat(Array.from({ length: inFlight }, (_, n) => toCall(n)))
  const sockets: Socket[] = []
  const step = new InStep()
  let bytes = 0
  for (let i = 0; i < connections; i++) {
    const listener = new Listener()
    let learning = true
    const socket = await open(server.port, '/api', (count, buffer) => {
      if (learning) listener.take(Buffer.from(buffer.subarray(0, count)))
      else step.onBytes(count)
    })
    const learned = listener.learn(inFlight)
    socket.write(batch)
    bytes += await learned
    learning = false
    sockets.push(socket)
  }
  return {
    run: (ms) =>
      step.run(server, ms, {
        messages: inFlight * connections,
        bytes,
        write: () => {
          for (const socket of sockets) socket.write(batch)
        },
      }),
    close: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
}
