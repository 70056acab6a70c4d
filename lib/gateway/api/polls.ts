import { Compile } from 'typebox/schema'
import { isClean, isWithin } from '../../chat/content.ts'
import type { PollDraft } from '../../chat/polls.ts'
import { Refusal } from '../../chat/refusal.ts'
import type { World } from '../../chat/world.ts'
import { messageText } from '../wire.ts'
import { ID, word } from './body.ts'
import { idOf, toId, userOf } from './call.ts'
import { once } from './once.ts'
import { createdText, ok, type Route, route, routeWithBody } from './router.ts'

const [MAX_QUESTION, MAX_OPTION] = [500, 200]
const Ask = Compile({
  type: 'object',
  required: ['question', 'options'],
  properties: {
    question: { type: 'string' },
    options: { type: 'array', minItems: 2, maxItems: 10, items: { type: 'string' } },
  },
})
const Vote = Compile({ type: 'object', required: ['option_id'], properties: { option_id: word(ID) } })

function check(name: string, given: string, most: number): string {
  const text = given.trim()
  if (text !== '' && isWithin(text, most) && isClean(text)) return text
  throw new Refusal('INVALID', `${name} is well-formed text of 1 to ${most} characters`)
}

/** Space around is left out, and does not make one option other than the next. */
function toDraft(question: string, given: readonly string[]): PollDraft {
  const options = given.map((option) => check('An option', option, MAX_OPTION))
  if (new Set(options).size < options.length) throw new Refusal('INVALID', 'An option is there twice')
  return { question: check('question', question, MAX_QUESTION), options }
}

export const pollRoutes = (world: World): Route[] => [
  routeWithBody('POST /channels/:id/polls', 'user', Ask, (call) => {
    const poll = toDraft(call.body.question, call.body.options)
    return once(world, call, () => createdText(messageText(world.messages.ask(userOf(call), idOf(call), poll))))
  }),
  route('GET /polls/:id', 'user', (call) => ok(world.polls.get(userOf(call), idOf(call)))),
  routeWithBody('POST /polls/:id/vote', 'user', Vote, async (call) => {
    const option = toId(call.body.option_id)
    return ok(await world.changes.run(() => world.polls.vote(userOf(call), idOf(call), option)))
  }),
]
