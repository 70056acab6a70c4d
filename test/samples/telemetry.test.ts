import { expect, it } from 'vitest'
import { engines, Peer, serve } from './support.ts'

/** Says how many timers run, when it is asked to. */
const COUNT_TIMERS = `data:text/javascript,process.on('SIGUSR2', () =>
  console.log('timers', process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length))`

/** The number of the next reading. */
async function hearSeq(peer: Peer): Promise<number> {
  return Number(/"seq":(\d+)/.exec(await peer.hear())?.[1])
}

it.concurrent.each(engines)(
  'telemetry: readings until the reader leaves, fewer to a slow one, on %s',
  async (engine) => {
    const sample = serve('telemetry', engine, ['--import', COUNT_TIMERS])
    const url = `ws://127.0.0.1:${await sample.port()}/`
    let asked = 0
    async function countTimers(): Promise<number> {
      sample.child.kill('SIGUSR2')
      const answers = await sample.until(new RegExp(`(?:timers (\\d+)[^]*){${++asked}}`))
      return Number(answers[1])
    }
    const idle = await countTimers()

    const peer = await Peer.open(`${url}?sensors=3&period=10`)
    expect(JSON.parse(await peer.hear())).toEqual({ type: 'welcome', sensors: 3, period: 10 })
    for (const seq of [1, 2, 3]) {
      const sensor = String.raw`{"temperature":\d+,"humidity":\d+}`
      expect(await peer.hear()).toMatch(
        new RegExp(`^{"type":"telemetry","seq":${seq},"sensors":\\[${sensor},${sensor},${sensor}]}$`),
      )
    }
    expect(await countTimers()).toBeGreaterThan(idle)
    await peer.close()
    await sample.until(/^telemetry info reader left at reading \d+$/m)
    // The server's own timers end with the connection, too, a little later.
    while ((await countTimers()) > idle);

    const defaults = await Peer.open(`${url}?sensors=many&period=-1`)
    expect(JSON.parse(await defaults.hear())).toEqual({ type: 'welcome', sensors: 2, period: 1000 })

    const slow = await Peer.open(`${url}?sensors=1000&period=5`)
    expect(JSON.parse(await slow.hear())).toEqual({ type: 'welcome', sensors: 1000, period: 5 })
    expect(await hearSeq(slow)).toBe(1)
    slow.socket.pause()
    const first = Number((await sample.until(/slow reader, reading (\d+) is skipped/))[1])
    slow.socket.resume()
    const next = Number((await sample.until(/reading (\d+) is sent again/))[1])
    for (let seq = 2; seq < first; seq++) expect(await hearSeq(slow)).toBe(seq)
    expect(await hearSeq(slow)).toBe(next)
    expect(await hearSeq(slow)).toBe(next + 1)
    expect(next).toBeGreaterThan(first)
    await sample.stop()
  },
)
