import type { EngineName } from './server.ts'

/**
 * The one table of what differs between the engines: a row is what a user may notice, as the README tells it. Tests that
 * expect different things of the engines name the row; a difference without a row is a bug, and so is a row without a test.
 */
export const differences = {
  // Spec §4.5
  'wire close on violation': { node: 'Close 1002, 1007 or 1009', uws: 'the end of TCP, or an empty Close' },
  'unmasked client frame': { node: 'Close 1002', uws: 'misread: 4 bytes of it are taken for the mask' },
  'BINARY inside an unfinished TEXT': { node: 'Close 1002', uws: 'one BINARY message' },
  'length that is not minimal': { node: 'Close 1002', uws: 'accepted' },
  'peer Close 1012-1014 and 3000-3999': { node: 'accepted', uws: 'a bad Close: empty Close, -1002' },
  'invalid UTF-8 before the last fragment': { node: 'noticed at once', uws: 'noticed at FIN' },
  'peer Close of one byte': { node: 'Close 1002', uws: 'a Close without status' },
  'peer Close with a reason that is no text': { node: 'Close 1007', uws: 'empty Close, -1002' },
  'local Close': { node: "the peer's answer is awaited and reported", uws: 'TCP ends behind it, own status reported' },
  'peer that has closed and does not read on': {
    node: 'dropped after 5 s',
    uws: "after 12 to 16 s, or 16 min if it had begun; with inactivity 'never' after 4 s at most, or not at all",
  },
  'peer that is silent for 16 min': {
    node: 'that is no matter of its own',
    uws: "a ping; dropped 16 s later without an answer; not with inactivity 'never'",
  },
  'frames in the segment of the handshake': { node: 'delivered', uws: 'lost; 505 where an upgrade comes later' },
  'HTTP/1.0': { node: 'served', uws: '505' },
  'receive overflow': { node: 'the peer waits', uws: 'Close 1008' },
  'validateUTF: false': { node: 'text is not checked', uws: 'ignored, with a warning' },
  'maxMessage of one connection': { node: 'any', uws: "up to a quarter, and 64 KB, above its host's" },
  'message longer than maxFrame without room for its frames': { node: 'in frames', uws: 'in one frame' },
  'parts': { node: 'as they come', uws: 'slices of a message that is there' },
  // Design, "What uws cannot do"
  'header that is not finished, or has no field': {
    node: '408 after timeouts.parse, 400',
    uws: 'closed after about 12 seconds',
  },
  // Found while building
  'answers to what came in the segment of a violation': { node: 'arrive', uws: 'are lost' },
  'text of a protocol error': { node: 'names the rule', uws: '"Protocol error"' },
  'requests on a connection': { node: 'limits.requests', uws: 'any number' },
  'refused upgrade': { node: 'ends the connection', uws: 'leaves it open for the next request' },
  'headers of an answer': { node: 'as the handler gave them', uws: 'also Date and uWebSockets' },
  'pings of a peer that does not read': {
    node: 'the latest is answered',
    uws: 'each is, up to a backlog that closes it with 1013',
  },
  'fields in a header block': { node: 'any number within limits.header', uws: '98, more are answered with 431' },
  'bytes beyond ASCII in a header': { node: 'as they are', uws: 'lost at its ends, U+FFFD where they are not UTF-8' },
  'compressed message that is malformed': {
    node: 'Close 1007',
    uws: '-1009, "Message too large"; one that is cut off is taken as far as it goes',
  },
  'compressed message with a last block of its own': { node: 'inflated', uws: '-1009' },
  'RSV1 where no message begins': {
    node: 'Close 1002',
    uws: 'with compression a ping passes, a continuation is a compressed message',
  },
  'parameters of a compression offer': {
    node: 'followed, or the offer is declined',
    uws: 'declined with server_max_window_bits, and in takeover mode with server_no_context_takeover',
  },
  'request that can be read in two ways': { node: '400, and the end', uws: 'the end of TCP' },
  'absolute URL in a request line': { node: 'served', uws: '505' },
  'request before the last was answered': { node: 'answered in turn', uws: 'ends the connection, both unanswered' },
  'backpressure of a route, pause': { node: 'the peer is not read from', uws: 'a config error; auto takes node' },
  'memory of a connection that has read everything': {
    node: 'that of one which was sent nothing',
    uws: 'the longest message above 16 KB that it was sent while subscribed, or over TLS',
  },
  'longer maxMessage by a reload': { node: 'counts at once', uws: 'counts after a restart, with a warning' },
} as const satisfies Record<string, Record<EngineName, string>>

export type Difference = keyof typeof differences

/** What a test expects of an engine where the table allows a difference. */
export const byEngine = <T>(engine: EngineName, _row: Difference, expected: Record<EngineName, T>): T =>
  expected[engine]
