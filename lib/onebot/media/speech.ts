import { spawn } from 'node:child_process'
import { rError } from '../../websock/log.ts'

/** A program that speaks: it has text on its standard input, and bytes of a record on its standard output. */
export interface SpeechOptions {
  /** A file, and its arguments; no shell looks at them. */
  readonly command: readonly string[]
  /** Milliseconds for one text. */
  readonly timeout: number
  /** UTF-16 units of a text. */
  readonly maxText: number
  /** Bytes of a record. */
  readonly maxBytes: number
}

/** Programs that speak at once: a text that is one more is told as text. */
export const MAX_SPEAKERS = 4

let speaking = 0

/** What a text sounds like; null where that is not to be had, and why is in the log. */
export async function speak(text: string, options: SpeechOptions): Promise<Buffer | null> {
  if (text === '' || text.length > options.maxText || speaking >= MAX_SPEAKERS) return null
  speaking++
  try {
    return await run(text, options)
  } catch (error) {
    rError('onebot', 'onebot.tts: %s', error instanceof Error ? error.message : String(error))
    return null
  } finally {
    speaking--
  }
}

function run(text: string, { command: [file = '', ...args], timeout, maxBytes }: SpeechOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // A group of its own: what it has started ends with it.
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'ignore'], detached: true })
    const end = (why: string): void => {
      killGroup(child.pid)
      child.stdout.destroy()
      reject(new Error(why))
    }
    const timer = setTimeout(() => end(`it took more than ${timeout} ms`), timeout)
    const chunks: Buffer[] = []
    let size = 0
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= maxBytes) chunks.push(chunk)
      else end(`it has said more than ${maxBytes} bytes`)
    })
    child.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (code === 0) resolve(Buffer.concat(chunks))
      else reject(new Error(`it ended with ${code ?? signal}`))
    })
    // It may not want to hear all of it.
    child.stdin.on('error', () => {})
    child.stdin.end(text)
  })
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
