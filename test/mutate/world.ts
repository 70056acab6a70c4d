import type { Mutation } from './mutations.ts'

const CHANGES = 'test/chat/changes.test.ts'
const PERMISSIONS = 'test/chat/permissions.test.ts'
const UNREAD = 'test/chat/unread.test.ts'
const SESSIONS = 'test/gateway/sessions.test.ts'
const VISIBILITY = 'test/gateway/visibility.test.ts'

/** Of the world, and of the protocols that stand on it. */
export const worldMutations: readonly Mutation[] = [
  {
    trap: 'gateway trap T44: an administrator passes in spite of any deny',
    file: 'lib/chat/permissions.ts',
    from: 'if (has(base, ADMINISTRATOR)) return ALL_PERMISSIONS',
    to: '',
    test: PERMISSIONS,
  },
  {
    trap: 'gateway trap T45: server bits in an override give nothing',
    file: 'lib/chat/permissions.ts',
    from: 'override.allow, 0) & CHANNEL_PERMISSIONS',
    to: 'override.allow, 0)',
    test: PERMISSIONS,
  },
  {
    trap: 'a change that fails in a batch undoes itself',
    file: 'lib/chat/changes.ts',
    from: 'if (saves) this.#undo()',
    to: '',
    test: CHANGES,
  },
  {
    trap: 'a change that has written and fails makes its batch run again',
    file: 'lib/chat/changes.ts',
    from: 'this.#db.written !== written && ',
    to: 'this.#db.written < 0 && ',
    test: CHANGES,
  },
  {
    trap: 'a change that fails gives its numbers back',
    file: 'lib/chat/changes.ts',
    from: 'this.#numbers.mark = mark\n        if',
    to: 'if',
    test: CHANGES,
  },
  {
    trap: 'ids only grow, also when the clock is set back',
    file: 'lib/chat/ids.ts',
    from: 'if (now > this.#last) {',
    to: 'if (now !== this.#last) {',
    test: 'test/chat/ids.test.ts',
  },
  {
    trap: 'gateway trap T49: a name in the middle of a word mentions nobody',
    file: 'lib/chat/mentions.ts',
    from: ".filter((word) => word.startsWith('@'))\n    .map((word) => trimEnd(word.slice(1)))",
    to: ".filter((word) => word.includes('@'))\n    .map((word) => trimEnd(word.slice(word.indexOf('@') + 1)))",
    test: 'test/chat/mentions.test.ts',
  },
  {
    trap: 'gateway trap T50: messages of nobody are unread',
    file: 'lib/chat/unread.ts',
    from: 'AND x.thread_id IS NULL AND x.deleted = 0 AND x.author_id IS NOT m.user_id',
    to: 'AND x.thread_id IS NULL AND x.deleted = 0 AND x.author_id <> m.user_id',
    test: UNREAD,
  },
  {
    trap: 'a mark never goes back behind joining',
    file: 'lib/chat/unread.ts',
    from: 'id: id > least ? id : least',
    to: 'id',
    test: UNREAD,
  },
  {
    trap: 'a token is good as its own kind only',
    file: 'lib/gateway/tokens.ts',
    from: 'const key = `${kind} ${hash}`',
    to: 'const key = hash',
    test: 'test/gateway/bots.test.ts',
  },
  {
    trap: 'who is remembered is forgotten when something about them changes',
    file: 'lib/gateway/tokens.ts',
    from: 'for (const hash of hashes ?? []) this.#known.delete(hash)',
    to: '',
    test: SESSIONS,
  },
  {
    trap: 'gateway trap T51: a token that comes back was stolen',
    file: 'lib/gateway/accounts.ts',
    from: "sessions.end(known.session_id, user.id, 'reuse')",
    to: 'return null',
    test: SESSIONS,
  },
  {
    trap: 'gateway trap T12: twenty pass in a burst',
    file: 'lib/gateway/rate.ts',
    from: 'this.#next = (this.#next + 1) % this.#most',
    to: '',
    test: 'test/gateway/pipeline.test.ts',
  },
  {
    trap: 'gateway trap T22: the typist hears nothing',
    file: 'lib/gateway/fanout.ts',
    from: 'this.#without(typist === null ? [] : [typist], topic, frame)',
    to: 'this.#without([], topic, frame)',
    test: 'test/gateway/typing.test.ts',
  },
  {
    trap: 'gateway trap T54: when all go, nobody is told of each',
    file: 'lib/gateway/sockets.ts',
    from: 'if (!this.#host.ready) return',
    to: '',
    test: 'test/gateway/shutdown.test.ts',
  },
  {
    trap: 'gateway trap T25: who loses sight of a channel hears nothing more',
    file: 'lib/gateway/audience.ts',
    from: 'if (!seeing.includes(attendee)) this.#see(attendee, channel, false)',
    to: '{ }',
    test: VISIBILITY,
  },
  {
    trap: 'gateway trap T8: what others see of somebody has no address',
    file: 'lib/gateway/wire.ts',
    from: 'withSecrets(user, world.presence.seen(user), null, false)',
    to: 'withSecrets(user, world.presence.seen(user), user.email, false)',
    test: 'test/gateway/ready.test.ts',
  },
  {
    trap: 'the engine keeps no more of a message than the gateway takes',
    file: 'lib/engine/uws/app.ts',
    from: 'this.native.ws(path, this.#createBehavior(native, longest(maxMessage)))',
    to: '{ }',
    test: 'test/gateway/native-limit.test.ts',
  },
  {
    trap: 'another spelling of the path is another path',
    file: 'lib/gateway/gateway.ts',
    from: "if (request.url.split('?', 1)[0] !== request.path) return NOT_FOUND",
    to: '',
    test: 'test/gateway/native-limit.test.ts',
  },
]
