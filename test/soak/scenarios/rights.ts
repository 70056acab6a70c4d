import { createFolder } from '../../../bench/build.ts'
import { GatewayCommand } from '../crash/command.ts'
import { fieldOf, Poster, postAll } from '../crash/poster.ts'
import { type Figures, of } from '../messages.ts'
import { type Heard, Listener } from '../resume/listener.ts'
import { judge, type Scenario } from '../scenario.ts'

const [VIEW, CONNECTIONS] = [1, 20]

/** What somebody hears who loses sight with each change that denies it, and has it again with each that does not. */
function filter(all: readonly Heard[]): Heard[] {
  let sees = true
  return all.filter((one) => {
    if ('said' in one) return sees
    sees = (one.denied & VIEW) === 0
    return true
  })
}

const differences = (expected: readonly Heard[], found: readonly Heard[]): number =>
  Math.abs(expected.length - found.length) +
  expected.filter((one, i) => JSON.stringify(one) !== JSON.stringify(found[i])).length

export const rights: Scenario = {
  title:
    'a member who loses sight of a channel and has it again, amid messages: none behind the loss, none missing behind the gain',
  async run(context) {
    const { seconds, quick } = context.wishes
    const changes = quick ? 20 : 500
    const command = await GatewayCommand.start(createFolder('fiberws-rights-'), context.engine)
    const owner = new Poster(command.port, CONNECTIONS + 1)
    await owner.register('ada')
    const brin = new Poster(command.port, 1)
    await brin.register('brin')
    const server = await owner.make('/servers', { name: 'Harbour', is_public: true })
    await brin.get(201, 'POST', `/servers/${server}/join`)
    const channel = await owner.make(`/servers/${server}/channels`, { name: 'pier', type: 'text' })
    const member = String(fieldOf(await brin.get(200, 'GET', '/users/@me'), 'id'))
    const [all, one, two] = [
      await Listener.open(command.port, owner.token),
      await Listener.open(command.port, brin.token),
      await Listener.open(command.port, brin.token),
    ]
    const over = new AbortController()
    function* drafts() {
      for (let i = 0; !over.signal.aborted; i++) yield { content: `message ${i}`, key: String(i) }
    }
    let posted = 0
    const began = performance.now()
    const posting = postAll(owner, channel, drafts(), CONNECTIONS, () => posted++)
    for (let i = 0; i < changes || performance.now() - began < 1000 * (seconds ?? 0); i++) {
      const deny = i % 2 === 0 ? VIEW : 0
      await owner.get(200, 'PUT', `/channels/${channel}/overrides`, { user_id: member, allow: 0, deny })
    }
    over.abort()
    await posting
    const rate = (1000 * posted) / (performance.now() - began)
    for (const listener of [all, one, two]) await listener.settle()
    const expected = filter(all.heard)
    const found: Figures = {
      posted,
      rate,
      'heard by who sees all': all.heard.length,
      'heard by the member': one.heard.length,
      'other than it should be': differences(expected, one.heard) + differences(expected, two.heard),
      'told to who sees all': all.heard.filter((heard) => 'said' in heard).length,
    }
    context.progress(JSON.stringify(found))
    for (const listener of [all, one, two]) listener.close()
    for (const poster of [owner, brin]) poster.destroy()
    await command.stop()
    return {
      rounds: [{ rights: found }],
      bars: [
        judge('events too many, missing or out of order', of(found, 'other than it should be'), 'exactly', 0, ''),
        judge('messages not told to who sees all', posted - of(found, 'told to who sees all'), 'exactly', 0, ''),
        judge('messages a second', rate, 'at least', quick ? 1 : 1000, ''),
        // Else nothing was hidden.
        judge('messages hidden', all.heard.length - one.heard.length, 'at least', 1, ''),
      ],
    }
  },
}
