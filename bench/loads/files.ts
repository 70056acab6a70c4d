import type { Target } from '../server-process.ts'
import type { FilesLoad } from '../workload.ts'
import { openPlain } from './peer.ts'
import { InStep, type Load } from './sample.ts'

/** Requests for a file on connections that stay, each behind the answer to the last, all in step. */
export function openFiles(server: Target, { connections, path, size }: FilesLoad): Load {
  const request = Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\nAccept-Encoding: gzip, br\r\n\r\n`,
  )
  return {
    // Servers close connections that wait: each run has its own, past their first request.
    run: async (ms) => {
      const step = new InStep()
      const opened = await Promise.all(
        Array.from({ length: connections }, () => openPlain(server.port, request, 200, step.onBytes)),
      )
      try {
        const other = opened.find(({ body }) => body !== size)
        if (other !== undefined) throw new Error(`not the file of ${size} bytes: one of ${other.body}`)
        return await step.run(server, ms, {
          messages: connections,
          bytes: opened.reduce((sum, { answer }) => sum + answer, 0),
          write: () => {
            for (const { socket } of opened) socket.write(request)
          },
        })
      } finally {
        for (const { socket } of opened) socket.destroy()
      }
    },
    close: () => {},
  }
}
