import type { OneBotMessage, OneBotPlatform, OneBotSegment } from '../../../include-types/onebot.ts'
import type { OneBotExtras } from '../../web/config/onebot-settings.ts'
import { after } from '../after.ts'
import { isTold } from '../failure.ts'
import { expandBundles, hasBundle } from './bundles.ts'
import { printCq } from './cq.ts'
import { numberOf } from './input.ts'

/* What messages come with that is not in them: the platform is asked for it. */

type Awaitable<T> = T | Promise<T>

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
  return after(answered(platform, id), (original) => {
    // One that is gone.
    if (original === null) return message
    const next = segments[place + 1]
    const calls = next?.type === 'at' && numberOf(next, 'qq') === original.sender.id
    const rest = segments.slice(place + (extras.withoutReplyAt && calls ? 2 : 1))
    const told = extras.replies ? { ...reply, data: { ...reply.data, ...toData(original) } } : reply
    return { ...message, segments: [...segments.slice(0, place), told, ...rest] }
  })
}

const toData = ({ seq, sender, time, segments }: OneBotMessage): OneBotSegment['data'] => ({
  seq: String(seq),
  qq: String(sender.id),
  time: String(time),
  text: printCq(segments),
})

/** Null: it is gone, or was never there. */
function answered(platform: OneBotPlatform, id: number): Awaitable<OneBotMessage | null> {
  try {
    const message = platform.message(id)
    return message instanceof Promise ? message.catch(whereGone) : message
  } catch (error) {
    return whereGone(error)
  }
}

const whereGone = (error: unknown): null => {
  if (isTold(error)) return null
  throw error
}
