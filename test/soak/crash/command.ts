import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EngineName } from '../messages.ts'

const root = join(import.meta.dirname, '../../..')
/** Milliseconds for a start. */
const PATIENCE = 30_000

/** The command with a gateway, as somebody starts it who keeps a world in a folder. */
export class GatewayCommand {
  readonly port: number
  readonly #child: ChildProcess
  readonly #exit: Promise<void>

  private constructor(child: ChildProcess, exit: Promise<void>, port: number) {
    this.#child = child
    this.#exit = exit
    this.port = port
  }

  /**
   * @param folder where its config is, and the world below it
   * @param at its port; 0: any
   * @param more what its config has beside a gateway
   */
  static async start(
    folder: string,
    engine: EngineName,
    settings: Readonly<Record<string, unknown>> = {},
    at = 0,
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<GatewayCommand> {
    const config = {
      ...more,
      dataDir: 'world',
      gateway: { rateLimits: 'off', accessTtlS: 86_400, wsRate: 0, ...settings },
      web: {
        engine,
        listen: `http://127.0.0.1:${at}`,
        limits: { connections: 'unlimited' },
        routes: [{ match: '/ws', handler: 'gateway' }],
      },
    }
    const file = join(folder, 'gateway.json5')
    writeFileSync(file, JSON.stringify(config))
    const child = spawn(process.execPath, ['--import', 'tsx', 'lib/cli.ts', file], { cwd: root })
    const end = (): void => void child.kill('SIGKILL')
    process.once('exit', end)
    const exit = new Promise<void>((resolve) => {
      child.once('close', () => {
        process.off('exit', end)
        resolve()
      })
    })
    const port = await new Promise<number>((resolve, reject) => {
      let said = ''
      const timer = setTimeout(() => reject(new Error(`the gateway does not start: ${said}`)), PATIENCE)
      const hear = (chunk: Buffer): void => {
        said += chunk.toString()
        const [, found] = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(said) ?? []
        if (found === undefined) return
        clearTimeout(timer)
        resolve(Number(found))
      }
      child.stdout.on('data', hear)
      child.stderr.on('data', hear)
      child.once('close', (code) => {
        clearTimeout(timer)
        reject(new Error(`the gateway ended with ${code}: ${said}`))
      })
    })
    return new GatewayCommand(child, exit, port)
  }

  /** Seconds of the CPU that it has taken; NaN where the system does not say. */
  get cpu(): number {
    try {
      const fields = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
      return (Number(fields[11]) + Number(fields[12])) / 100
    } catch {
      return NaN
    }
  }

  /** Bytes that are resident. */
  get rss(): number {
    return this.#memory('VmRSS')
  }

  /** The most since `forgetPeak`. */
  get peak(): number {
    return this.#memory('VmHWM')
  }

  forgetPeak(): void {
    writeFileSync(`/proc/${this.#child.pid}/clear_refs`, '5')
  }

  #memory(name: string): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8')
    return 1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1])
  }

  /** As the kernel does when memory is short, or somebody with `kill -9`: it gets no say. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exit
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM')
    await this.#exit
  }
}
