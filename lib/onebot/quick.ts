import { Compile } from 'typebox/schema'
import type { OneBotSegment } from '../../include-types/onebot.ts'
import { rError, rFailure } from '../websock/log.ts'
import type { Call } from './actions/action.ts'
import { send, toTarget } from './actions/messages.ts'
import { ANY, FLAG, ID, NUMBER, readParams, TEXT } from './actions/params.ts'
import { badRequest, Failure, isTold } from './failure.ts'
import { toSegments } from './message/input.ts'

/*
 * What a client has done about an event, said in the answer to it, or with `.handle_quick_operation`. What is not there is not
 * done; of events others than messages and requests nothing is.
 */

const Context = Compile({
  type: 'object',
  required: ['post_type'],
  properties: {
    post_type: TEXT,
    message_type: TEXT,
    request_type: TEXT,
    sub_type: TEXT,
    flag: TEXT,
    user_id: ID,
    group_id: ID,
    message_id: ID,
    anonymous: ANY,
  },
})
const Operation = Compile({
  type: 'object',
  required: [],
  properties: {
    reply: ANY,
    auto_escape: FLAG,
    at_sender: FLAG,
    delete: FLAG,
    kick: FLAG,
    reject_add_request: FLAG,
    ban: FLAG,
    ban_duration: NUMBER,
    approve: FLAG,
    remark: TEXT,
    reason: TEXT,
  },
})
type About = ReturnType<typeof Context.Parse>
type Wanted = ReturnType<typeof Operation.Parse>

/** Of `ban` that does not say how long: half an hour. Seconds. */
const BAN = 1800

/** Begins to do it. What fails is logged: nobody waits for it. Throws 1400 for what cannot be read. */
export function quickOperation(call: Call, context: unknown, operation: unknown): void {
  const about = readParams<About>(context, Context.Schema(), Context)
  const wanted = readParams<Wanted>(operation, Operation.Schema(), Operation)
  for (const step of stepsOf(call, about, wanted)) {
    void step().catch((error: unknown) => {
      if (isTold(error) || error instanceof Failure) rError('onebot', 'a quick operation failed: %s', error.message)
      else rFailure('onebot', 'A quick operation failed', error)
    })
  }
}

type Step = () => Promise<unknown>

function stepsOf(call: Call, about: About, wanted: Wanted): Step[] {
  if (about.post_type === 'message') return stepsOfMessage(call, about, wanted)
  if (about.post_type === 'request' && wanted.approve !== undefined)
    return [stepOfRequest(call, about, wanted.approve, wanted)]
  return []
}

function stepsOfMessage(call: Call, about: About, wanted: Wanted): Step[] {
  const { platform } = call
  const { group_id: group, user_id: user, message_id: message } = about
  const steps: Step[] = []
  const { reply } = wanted
  if (reply !== undefined && reply !== null && reply !== '') {
    steps.push(async () => send(call, toTarget(about), toReply(about, reply, wanted)))
  }
  if (about.message_type !== 'group' || group === undefined) return steps
  if (wanted.delete === true && message !== undefined) steps.push(async () => platform.recall(message))
  if (user === undefined) return steps
  if (wanted.kick === true) {
    steps.push(async () => platform.kick(group, user, wanted.reject_add_request === true))
  }
  if (wanted.ban === true) steps.push(async () => platform.mute(group, user, wanted.ban_duration ?? BAN))
  return steps
}

/** In a group an answer says to what it is one, and calls whoever has asked where that is wanted. */
function toReply({ message_type, message_id, user_id, anonymous }: About, reply: unknown, wanted: Wanted) {
  const said = toSegments(reply, typeof reply === 'string' && wanted.auto_escape === true)
  if (message_type !== 'group') return said
  const front: OneBotSegment[] = []
  if (message_id !== undefined) front.push({ type: 'reply', data: { id: String(message_id) } })
  const calls = wanted.at_sender === true && user_id !== undefined && (anonymous ?? null) === null
  if (calls) front.push({ type: 'at', data: { qq: String(user_id) } })
  return [...front, ...said]
}

function stepOfRequest({ platform }: Call, about: About, approve: boolean, { remark, reason }: Wanted): Step {
  const { flag } = about
  if (flag === undefined) throw badRequest('flag: is needed')
  return about.request_type === 'friend'
    ? async () => platform.answerFriend(flag, approve, remark ?? '')
    : async () => platform.answerGroup(flag, approve, reason ?? '')
}
