import { Compile } from 'typebox/schema'
import type { OneBotForwardNode, OneBotSegment, OneBotTarget } from '../../../include-types/onebot.ts'
import { badRequest, PlatformError } from '../failure.ts'
import { countFiles, takeIn } from '../media/intake.ts'
import { toBundled } from '../message/bundles.ts'
import { withExtras } from '../message/extras.ts'
import { printCq } from '../message/cq.ts'
import { type Format, toFoundMessage } from '../message/format.ts'
import { textOf, toSegments } from '../message/input.ts'
import { bundleIn, readNodes } from '../message/nodes.ts'
import { prepare } from '../message/outgoing.ts'
import { after, afterAll } from '../after.ts'
import { type Action, action, type Call } from './action.ts'
import { ANY, FLAG, ID, NUMBER, OfMessage, TEXT } from './params.ts'

/* What is said. */

const SendPrivate = Compile({
  type: 'object',
  required: ['user_id', 'message'],
  properties: { user_id: ID, message: ANY, auto_escape: FLAG, group_id: ID, timeout: NUMBER },
})
const SendGroup = Compile({
  type: 'object',
  required: ['group_id', 'message'],
  properties: { group_id: ID, message: ANY, auto_escape: FLAG, timeout: NUMBER },
})
const Send = Compile({
  type: 'object',
  required: ['message'],
  properties: { message: ANY, message_type: TEXT, user_id: ID, group_id: ID, auto_escape: FLAG, timeout: NUMBER },
})
const ForwardGroup = Compile({
  type: 'object',
  required: ['group_id', 'messages'],
  properties: { group_id: ID, messages: ANY },
})
const ForwardPrivate = Compile({
  type: 'object',
  required: ['user_id', 'messages'],
  properties: { user_id: ID, messages: ANY },
})
const SendForward = Compile({
  type: 'object',
  required: [],
  properties: { messages: ANY, message: ANY, message_type: TEXT, user_id: ID, group_id: ID },
})
const Forward = Compile({ type: 'object', required: [], properties: { id: TEXT, message_id: TEXT } })

/** Says something, and pokes where that is in it. */
export function send(call: Call, target: OneBotTarget, message: unknown, plain = false): unknown {
  const { platform } = call
  const given = toSegments(message, plain)
  const bundle = bundleIn(given)
  if (bundle !== null) return sendNodes(call, target, bundle)
  const { segments, pokes } = prepare(given, call.unknown)
  const poked = pokes.map((user) => platform.poke(target, user))
  return afterAll(poked, () => (segments.length === 0 ? { message_id: 0 } : say(call, target, segments)))
}

/** Has the files of segments kept, and says them. */
export function say(call: Call, target: OneBotTarget, segments: readonly OneBotSegment[]): unknown {
  const { platform, turns } = call
  const post = (said: readonly OneBotSegment[]): unknown =>
    after(platform.send(target, said), (id) => ({ message_id: id }))
  const fetches = countFiles(segments) > 0
  return turns.run(toChat(target), fetches, () => (fetches ? takeIn(call, segments).then(post) : post(segments)))
}

const toChat = (target: OneBotTarget): string => ('group' in target ? `g${target.group}` : `u${target.user}`)

/** Says several messages at once. */
export function sendNodes(call: Call, target: OneBotTarget, messages: unknown): unknown {
  return after(readNodes(call, messages), (nodes) => {
    if (nodes.length === 0) throw new PlatformError('EMPTY_NODES')
    const fetches = countFiles(nodes.flatMap(({ segments }) => segments)) > 0
    const run = (all: readonly OneBotForwardNode[]): unknown =>
      after(call.platform.sendForward(target, all), ({ id, forward }) => ({
        message_id: id,
        forward_id: forward,
        res_id: forward,
      }))
    return call.turns.run(toChat(target), fetches, () => (fetches ? takeInAll(call, nodes).then(run) : run(nodes)))
  })
}

async function takeInAll(call: Call, nodes: readonly OneBotForwardNode[]): Promise<OneBotForwardNode[]> {
  const all: OneBotForwardNode[] = []
  for (const node of nodes) all.push({ ...node, segments: await takeIn(call, node.segments) })
  return all
}

/** Where a message goes that names a group and a user, or says which it means. */
export function toTarget({
  message_type: type,
  group_id: group,
  user_id: user,
}: {
  readonly message_type?: string | undefined
  readonly group_id?: number | undefined
  readonly user_id?: number | undefined
}): OneBotTarget {
  if (type !== undefined && type !== 'group' && type !== 'private') {
    throw badRequest("message_type: must be 'private' or 'group'")
  }
  if (type !== 'private' && group !== undefined) return { group }
  if (type !== 'group' && user !== undefined) return { user }
  throw badRequest(
    `${type === 'private' ? 'user_id' : type === 'group' ? 'group_id' : 'group_id or user_id'}: is needed`,
  )
}

/** As both say it: `messages` for NapCat and go-cqhttp, `message` for the standard. */
function toForward(nodes: readonly OneBotForwardNode[], format: Format) {
  return {
    messages: nodes.map((node) => toBundled(node, format)),
    message: nodes.map(({ userId, nickname, time, segments }) => {
      const content = format === 'string' ? printCq(segments) : segments
      return { type: 'node', data: { user_id: String(userId), nickname, time: String(time), content } }
    }),
  }
}

export const MESSAGE_ACTIONS: readonly Action[] = [
  action('send_private_msg', SendPrivate, ({ user_id, message, auto_escape }, call) =>
    send(call, { user: user_id }, message, auto_escape),
  ),
  action('send_group_msg', SendGroup, ({ group_id, message, auto_escape }, call) =>
    send(call, { group: group_id }, message, auto_escape),
  ),
  action('send_msg', Send, (params, call) => send(call, toTarget(params), params.message, params.auto_escape)),
  action('send_group_forward_msg', ForwardGroup, ({ group_id, messages }, call) =>
    sendNodes(call, { group: group_id }, messages),
  ),
  action('send_private_forward_msg', ForwardPrivate, ({ user_id, messages }, call) =>
    sendNodes(call, { user: user_id }, messages),
  ),
  action('send_forward_msg', SendForward, ({ messages, message = messages, ...target }, call) => {
    if (message === undefined) throw badRequest('messages: is needed')
    return sendNodes(call, toTarget(target), message)
  }),
  action('delete_msg', OfMessage, ({ message_id }, { platform }) => after(platform.recall(message_id), () => null)),
  action('get_msg', OfMessage, ({ message_id }, { platform, format, extras }) =>
    after(platform.message(message_id), (given) =>
      after(withExtras(platform, given, extras), (message) => toFoundMessage(message, format, platform.self().id)),
    ),
  ),
  action('get_forward_msg', Forward, async ({ message_id, id = message_id }, { platform, format }) => {
    if (id === undefined) throw badRequest('message_id or id: is needed')
    return toForward(await findForward(message_id ?? id, platform), format)
  }),
]

/** A bundle by its own id, or by that of the message that it is in. */
async function findForward(id: string, platform: Call['platform']): Promise<readonly OneBotForwardNode[]> {
  const nodes = await platform.forward(id)
  if (nodes.length > 0) return nodes
  if (!/^\d{1,10}$/.test(id)) throw new PlatformError('MESSAGE_NOT_FOUND')
  const { segments } = await platform.message(Number(id))
  const found = segments.find(({ type }) => type === 'forward')
  const inside = found === undefined ? [] : await platform.forward(textOf(found, 'id'))
  if (inside.length === 0) throw new PlatformError('MESSAGE_NOT_FOUND')
  return inside
}
