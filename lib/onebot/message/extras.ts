import type { OneBotMessage, OneBotPlatform, OneBotSegment } from '../../../include-types/onebot.ts'
import type { OneBotExtras } from '../../web/config/onebot-settings.ts'
import { after, type Awaitable, ifThere } from '../after.ts'
import { expandBundles, hasBundle } from './bundles.ts'
import { printCq } from './cq.ts'
import { numberOf } from './input.ts'

/* What messages come with that is not in them: the platform is asked for it. */

const isReply = ({ type }: OneBotSegment): boolean => type === 'reply'

/** Whether there is anything to be asked of the platform. */
export const hasExtras = (message: OneBotMessage, { bundles, replies, withoutReplyAt }: OneBotExtras): boolean =>
  (bundles && hasBundle(message)) || ((replies || withoutReplyAt) && message.segments.some(isReply))

/** The same message with those. */
export const withExtras = (
  platform: OneBotPlatform,
  message: OneBotMessage,
  extras: OneBotExtras,
): Awaitable<OneBotMessage> =>
  after(extras.bundles ? expandBundles(platform, message) : message, (expanded) =>
    extras.replies || extras.withoutReplyAt ? withReply(platform, expanded, extras) : expanded,
  )

/** The first counts: platforms have one. */
function withReply(platform: OneBotPlatform, message: OneBotMessage, extras: OneBotExtras): Awaitable<OneBotMessage> {
  const { segments } = message
  const place = segments.findIndex(isReply)
  const reply = segments[place]
  const id = reply === undefined ? null : numberOf(reply, 'id')
  if (reply === undefined || id === null) return message
  const original = ifThere(() => platform.message(id))
  return after(original, (answered) => {
    // It is gone, or was never there.
    if (answered === null) return message
    const next = segments[place + 1]
    const calls = next?.type === 'at' && numberOf(next, 'qq') === answered.sender.id
    const rest = segments.slice(place + (extras.withoutReplyAt && calls ? 2 : 1))
    const told = extras.replies ? { ...reply, data: { ...reply.data, ...toData(answered) } } : reply
    return { ...message, segments: [...segments.slice(0, place), told, ...rest] }
  })
}

const toData = ({ seq, sender, time, segments }: OneBotMessage): OneBotSegment['data'] => ({
  seq: String(seq),
  qq: String(sender.id),
  time: String(time),
  text: printCq(segments),
})
