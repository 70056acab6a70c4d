import type { Mutation } from './mutations.ts'
import { rowOf } from './row.ts'

const FORWARD = 'test/onebot/transport/forward.test.ts'
const HTTP = 'test/onebot/transport/http.test.ts'
const SSE = 'test/onebot/transport/sse.test.ts'
const STREAMS = 'test/onebot/transport/streams.test.ts'
const LINK = 'test/onebot/transport/link.test.ts'
const WEBHOOK = 'test/onebot/transport/webhook.test.ts'
const CQ = 'test/onebot/message/cq.test.ts'
const OUTGOING = 'test/onebot/message/outgoing.test.ts'
const ENVELOPE = 'test/onebot/envelope.test.ts'
const EVENTS = 'test/onebot/events.test.ts'
const GROUPS = 'test/onebot/actions/groups.test.ts'
const MESSAGES = 'test/onebot/actions/messages.test.ts'
const TOLD = 'test/onebot/world/messages.test.ts'
const NOTICES = 'test/onebot/world/notices.test.ts'
const CONFIG = 'test/web/config/onebot.test.ts'

const of = rowOf('onebot')

/** OneBot: who is let in, what is asked and told, and on which connection. */
export const onebotMutations: readonly Mutation[] = [
  of(
    FORWARD,
    'trap 1, /api is asked only',
    'onebot/transport/server.ts',
    "new Set(['/api', '/api/'])",
    "new Set(['/api'])",
    'trap 1: are told',
  ),
  of(
    FORWARD,
    'trap 3, an empty token in the query is none',
    'onebot/transport/token.ts',
    "if (asked !== null && asked !== '') return asked",
    'if (asked !== null) return asked',
    'trap 3:',
  ),
  of(FORWARD, 'trap 4, schemes in any case', 'onebot/transport/token.ts', '(.*)$/i', '(.*)$/', 'trap 4:'),
  of(
    FORWARD,
    'trap 5, a wrong token ends without a code',
    'onebot/transport/server.ts',
    'webSocketSendClose(ws, WS_STATUS_NO_STATUS)',
    'webSocketSendClose(ws)',
    'trap 5:',
  ),
  of(
    ENVELOPE,
    'trap 7, no echo is an empty one',
    'onebot/envelope.ts',
    'const NO_ECHO = \'""\'',
    "const NO_ECHO = 'null'",
  ),
  of(
    FORWARD,
    'trap 20, the answer comes before what it causes',
    'onebot/account.ts',
    'this.#clock.defer(() => this.flush())',
    'this.flush()',
    '(trap 20:|are answered before)',
  ),
  of(
    CQ,
    'trap 16, &amp; is decoded last',
    'onebot/message/cq.ts',
    "text.replaceAll('&#91;', '[')",
    "text.replaceAll('&amp;', '&').replaceAll('&#91;', '[')",
  ),
  of(
    CQ,
    'trap 17, a comma in text stays',
    'onebot/message/cq.ts',
    'escape(text, /[&[\\]]/g)',
    'escape(text, /[&[\\],]/g)',
  ),
  of(OUTGOING, 'a reply goes first', 'onebot/message/outgoing.ts', '[reply, ...segments]', '[...segments, reply]'),
  of(EVENTS, 'an event is made into text once', 'onebot/events.ts', 'if (known !== undefined) return known', ''),
  of(GROUPS, 'trap 13, half an hour', 'onebot/actions/groups.ts', 'duration = HALF_AN_HOUR', 'duration = 0'),
  of(
    GROUPS,
    'trap 13, an admin is made',
    'onebot/actions/groups.ts',
    'setAdmin(group_id, user_id, enable)',
    'setAdmin(group_id, user_id, false)',
  ),
  of(
    MESSAGES,
    'trap 14, the group wins',
    'onebot/actions/messages.ts',
    "if (type !== 'private' && group !== undefined) return { group }",
    "if (type !== 'private' && group !== undefined && user === undefined) return { group }",
  ),
  of(
    MESSAGES,
    'a text that is only that is kept as it is',
    'onebot/world/writing.ts',
    "!content.includes('@')",
    'true',
  ),
  of(
    TOLD,
    'what grows is told when it is complete',
    'onebot/world/hub.ts',
    'if (completed) this.#message(message)',
    'this.#message(message)',
  ),
  of(NOTICES, 'trap 23, a whole channel has no end', 'onebot/world/notices.ts', 'shut ? -1 : 0)', 'shut ? 0 : -1)'),
  of(
    NOTICES,
    'a bot that is sent away is told so',
    'onebot/world/hub.ts',
    "const sub_type = sentBy === null ? 'leave' : 'kick_me'",
    "const sub_type = 'leave'",
  ),
  of(
    WEBHOOK,
    'trap 36, no call unless it is wanted',
    'onebot/quick.ts',
    'const calls = wanted.at_sender === true &&',
    'const calls = wanted.at_sender !== false &&',
  ),
  of(
    WEBHOOK,
    'trap 26, the bot is in a header',
    'onebot/transport/webhook.ts',
    "      'X-Self-ID': String(this.account.id),\n",
    '',
  ),
  of(
    WEBHOOK,
    'an answer that is no is not asked for again',
    'onebot/transport/webhook.ts',
    'if (status < 200 || status > 299) rError(',
    "if (status < 200 || status > 299) throw new Error('no')\n        else if (status === -1) rError(",
  ),
  of(
    LINK,
    'trap 30, waits do not grow',
    'onebot/transport/link.ts',
    'max: Math.min(MAX_WAIT, min * SPREAD), factor: SPREAD,',
    'max: min * 64, factor: 2,',
  ),
  of(
    LINK,
    'a peer that is gone without a word is noticed',
    'onebot/transport/link.ts',
    'timeout: pings ? pingInterval + pingTimeout : 0,',
    'timeout: 3_600_000,',
  ),
  of(
    HTTP,
    'trap 29, lists come as JSON in a form',
    'onebot/transport/http.ts',
    'return toFormParams(new URLSearchParams(text))',
    'return toParams(new URLSearchParams(text))',
  ),
  of(
    HTTP,
    'a page of another site does nothing without a token',
    'web/dispatch.ts',
    'return found.serving.checksOrigin === true ? admission.checkPage(exchange, found) : null',
    'return null',
  ),
  of(
    STREAMS,
    'events of a stream stay in order',
    'onebot/transport/streams.ts',
    'if (client.isBehind)',
    'if (response.waits)',
  ),
  of(
    SSE,
    'an answer in chunks ends as one at a stop',
    'engine/uws/exchange.ts',
    'const closes = !this.#headWritten &&',
    'const closes =',
    'end by themselves',
  ),
  of(
    SSE,
    'a stream ends when the host stops',
    'web/host.ts',
    '    endHandlers(this.#running.site.routes, [])\n',
    '',
    'end by themselves',
  ),
  of(
    CONFIG,
    'an open door does not start',
    'web/config/onebot-conflicts.ts',
    'if (!entry.open || far === undefined || meansIt(value, entry)) return []',
    'if (far !== undefined) return []\n    if (far === undefined) return []',
  ),
]
