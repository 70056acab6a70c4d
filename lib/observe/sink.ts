import { destination, pino } from 'pino'
import type { LogSink } from '../../include-types/websock.ts'
import { rSetLogSink } from '../websock/log.ts'

/** Bytes that may wait for a slow reader of the log; more lines are lost, and the server goes on. */
const MOST_WAITING = 1 << 20

/** Bytes of one write: workers share a pipe, which keeps so much together (POSIX: PIPE_BUF). */
const AT_ONCE = 4096

let sink: LogSink | null = null

/** Log lines are JSON from now on, one object a line on stdout, with `time`, `level`, `source`, `msg` and what belongs to an event. */
export function logAsJson(): void {
  sink ??= createSink()
  rSetLogSink(sink)
}

function createSink(): LogSink {
  const stream = destination({ fd: 1, sync: false, maxLength: MOST_WAITING, maxWrite: AT_ONCE })
  // A closed pipe costs the log, not the process.
  stream.on('error', () => {})
  process.on('exit', () => flush(stream))
  const log = pino(
    {
      base: { pid: process.pid },
      level: 'trace',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  )
  return (level, source, message, fields) => log[level]({ source, ...fields }, message)
}

function flush(stream: ReturnType<typeof destination>): void {
  try {
    stream.flushSync()
  } catch {
    // It was never ready, or is gone.
  }
}
