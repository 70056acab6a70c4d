import type { LogSink } from '../../include-types/websock.ts'
import { format } from './format.ts'

/** What could start a new line, move the cursor or reorder text: a peer's words must not look like a line of ours. */
const CONTROLS = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu

function escape(text: string): string {
  return text.replace(CONTROLS, (control) => {
    const code = control.charCodeAt(0)
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`
  })
}

/** `name=value`, in quotes where it would not be one word. */
const toWord = ([name, value]: [string, unknown]): string => {
  const text = String(value)
  return ` ${name}=${/^[^\s"=]+$/.test(text) ? text : JSON.stringify(text)}`
}

/** One line `source level message name=value …`; errors to stderr, info to stdout, trace nowhere. */
const standard: LogSink = (level, source, message, fields) => {
  if (level === 'trace') return
  const words = fields === undefined ? '' : Object.entries(fields).map(toWord).join('')
  const line = escape(`${source} ${level} ${message}${words}`)
  // The console, not the streams: a closed pipe then costs the line, not the process
  if (level === 'error') console.error(line)
  else console.info(line)
}

let sink = standard

/** A sink that fails must not take the caller down, nor the line with it. */
function failed(error: unknown, ...line: Parameters<LogSink>): void {
  try {
    standard('error', 'log', format('The log sink failed: %s', [error]))
    standard(...line)
  } catch {
    // Nowhere left to report to
  }
}

function write(...line: Parameters<LogSink>): void {
  try {
    const done: unknown = sink(...line)
    // An async function fits the type, too
    if (done instanceof Promise) done.catch((error: unknown) => failed(error, ...line))
  } catch (error) {
    failed(error, ...line)
  }
}

function log(level: Parameters<LogSink>[0], source: string, fmt: string, args: readonly unknown[]): void {
  if (level === 'trace' && sink === standard) return
  write(level, source, format(fmt, args))
}

/**
 * Where log lines go from now on; null: the standard sink again. A sink gets the message as it is: escaping control
 * characters is its own business.
 */
export function rSetLogSink(to: LogSink | null): void {
  sink = to ?? standard
}

/** Logs what is worth knowing. `source` names the part that speaks, `fmt` is a printf format. Never throws. */
export function rInfo(source: string, fmt: string, ...args: readonly unknown[]): void {
  log('info', source, fmt, args)
}

/** Logs a failure, like rInfo. */
export function rError(source: string, fmt: string, ...args: readonly unknown[]): void {
  log('error', source, fmt, args)
}

/** Logs what was thrown, its stack a line each: the standard sink would show its newlines escaped. */
export function rFailure(source: string, what: string, error: unknown): void {
  const stack = error instanceof Error && typeof error.stack === 'string' ? error.stack : null
  const [text, ...frames] = stack?.split(/\n(?= +at )/) ?? [error]
  rError(source, '%s: %s', what, text)
  for (const frame of frames) rError(source, '%s', frame)
}

/** Logs something that has happened, with what there is to know about it by name. */
export const rEvent = (source: string, message: string, fields: Readonly<Record<string, unknown>>): void =>
  write('info', source, message, fields)

/** Logs a detail for debugging, like rInfo. The standard sink drops it. */
export function rTrace(source: string, fmt: string, ...args: readonly unknown[]): void {
  log('trace', source, fmt, args)
}
