import type { BotClient } from './onebot.ts'

/* How long others wait while a client has something to say. */

/** Milliseconds that this process has worked: what else runs on the machine does not count, as it does by the clock. */
export function worked(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** The longest that the server works while somebody waits for an answer, asking again and again until `end`. Milliseconds. */
export async function longestWait(client: BotClient, end: Promise<unknown>): Promise<number> {
  const state = { going: true, longest: 0 }
  const over = end.finally(() => {
    state.going = false
  })
  while (state.going) {
    const asked = worked()
    await client.get('get_status')
    state.longest = Math.max(state.longest, worked() - asked)
  }
  await over
  return state.longest
}

/** How a call is answered whose parameters are sent as they are. */
export async function answerTo(client: BotClient, action: string, params: string): Promise<string> {
  const from = client.frames.length
  client.send(`{"action":"${action}","params":${params},"echo":"big"}`)
  const { retcode, message } = await client.find(({ echo }) => echo === 'big', from)
  return `${String(retcode)} ${String(message)}`
}
