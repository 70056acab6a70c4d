import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createFolder } from '../../../bench/build.ts'
import { BotsClient } from '../bots/client.ts'
import { GatewayCommand } from '../crash/command.ts'
import { fieldOf, Poster } from '../crash/poster.ts'
import { type Figures, of } from '../messages.ts'
import { type Context, judge, MIB, type Scenario } from '../scenario.ts'

interface Plan {
  /** Of the outage. */
  readonly seconds: number
  readonly messages: number
  /** Of an upload, of 1 MiB each. */
  readonly parts: number
}

const toPlan = ({ wishes: { quick, seconds } }: Context): Plan => ({
  seconds: seconds ?? (quick ? 1 : 30),
  messages: quick ? 300 : 10_000,
  parts: quick ? 20 : 200,
})

/** What was said while nobody listened. */
async function outage(client: BotsClient, poster: Poster, channel: string, plan: Plan) {
  const say = (n: number): Promise<string> => poster.make(`/channels/${channel}/messages`, { content: `${n}` })
  await client.linked()
  await say(0)
  await client.until(() => client.heard.length > 0)
  // The bot knows by now that this has come.
  await client.call('get_status', {})
  const { port, heard: before } = client
  await client.close()
  const start = performance.now()
  let slowest = 0
  for (let n = 1; n <= plan.messages; n++) {
    const begun = performance.now()
    await say(n)
    slowest = Math.max(slowest, performance.now() - begun)
    const ahead = start + (1000 * plan.seconds * n) / plan.messages - performance.now()
    if (ahead > 1) await sleep(ahead)
  }
  const away = (performance.now() - start) / 1000
  const again = await BotsClient.open(port)
  const back = performance.now()
  await again.until(() => again.heard.at(-1)?.text === String(plan.messages))
  const took = (performance.now() - back) / 1000
  const texts = [...before, ...again.heard].map(({ text }) => Number(text))
  const figures = {
    away,
    took,
    'slowest post': slowest,
    'missing': plan.messages + 1 - new Set(texts).size,
    'twice': texts.length - new Set(texts).size,
    'out of order': texts.filter((n, i) => i > 0 && n < (texts[i - 1] ?? 0)).length,
    'marked': again.heard.filter(({ retry }) => retry).length,
  }
  return { figures, client: again }
}

/** A file in parts, cut in the middle, and gone on with behind what is there. */
async function upload(client: BotsClient, command: GatewayCommand, plan: Plan, name: string): Promise<Figures> {
  const parts = Array.from({ length: plan.parts }, () => randomBytes(MIB))
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  const about = {
    stream_id: name,
    total_chunks: parts.length,
    file_size: parts.length * MIB,
    expected_sha256: hash.digest('hex'),
    filename: 'film.bin',
  }
  const put = (n: number): Promise<unknown> =>
    client.call('upload_file_stream', { ...about, chunk_index: n, chunk_data: parts[n]?.toString('base64') })
  const before = command.rss
  command.forgetPeak()
  const start = performance.now()
  const half = Math.floor(parts.length / 2)
  for (let n = 0; n < half; n++) await put(n)
  // One is on its way.
  const lost = put(half).catch(() => null)
  client.cut()
  await lost
  const status = await client.call('upload_file_stream', { stream_id: name, verify_only: true })
  const received = Number(fieldOf(fieldOf(status, 'data'), 'received_chunks'))
  for (let n = received; n < parts.length; n++) await put(n)
  const done = fieldOf(await client.call('upload_file_stream', { stream_id: name, is_complete: true }), 'data')
  const took = (performance.now() - start) / 1000
  return {
    took,
    received,
    'complete': fieldOf(done, 'sha256') === about.expected_sha256 ? 1 : 0,
    'MiB before': before / MIB,
    'MiB more at most': (command.peak - before) / MIB,
  }
}

export const bots: Scenario = {
  title: 'a bot whose client is away, and told all of it later; a file that comes in parts, cut and gone on with',
  async run(context) {
    const plan = toPlan(context)
    const client = await BotsClient.open()
    const url = `ws://127.0.0.1:${client.port}`
    const command = await GatewayCommand.start(createFolder('fiberws-bots-'), context.engine, {}, 0, {
      onebot: { bot: 'robo', join: ['Harbour'], media: { maxFile: '1G' } },
      network: { websocketClients: [{ name: 'client', enable: true, url, reconnectInterval: 500, replay: {} }] },
    })
    const poster = new Poster(command.port, 1)
    await poster.register('ada')
    const server = await poster.make('/servers', { name: 'Harbour' })
    const channel = await poster.make(`/servers/${server}/channels`, { name: 'pier', type: 'text' })
    const { figures: away, client: again } = await outage(client, poster, channel, plan)
    context.progress(JSON.stringify(away))
    const films: Figures[] = []
    for (const name of ['first', 'second', 'third']) {
      films.push(await upload(again, command, plan, name))
      context.progress(JSON.stringify(films.at(-1)))
      await again.call('clean_stream_temp_file', {})
    }
    const [first = {}, second = {}, third = {}] = films
    poster.destroy()
    await again.close()
    await command.stop()
    return {
      rounds: [{ away, first, second, third }],
      bars: [
        judge('events that are missing', of(away, 'missing'), 'exactly', 0, ''),
        judge('events twice', of(away, 'twice'), 'exactly', 0, ''),
        judge('events out of order', of(away, 'out of order'), 'exactly', 0, ''),
        judge('files that are whole', films.filter((film) => of(film, 'complete') === 1).length, 'exactly', 3, ''),
        judge(
          'growth of RSS with a file',
          Math.max(...films.map((film) => of(film, 'MiB more at most'))),
          'at most',
          32,
          'MiB',
        ),
      ],
    }
  },
}
