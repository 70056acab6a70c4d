import type { Mutation } from './mutations.ts'
import { rowOf } from './row.ts'

const BACKLOG = 'test/onebot/backlog.test.ts'
const REPLAY = 'test/onebot/transport/replay.test.ts'
const FRAME = 'test/onebot/frame.test.ts'
const DIGITS = 'test/onebot/media/digits.test.ts'
const COLLECTOR = 'test/websock/collector.test.ts'
const FETCH = 'test/onebot/media/fetch.test.ts'
const SOURCE = 'test/onebot/media/source.test.ts'
const SPEECH = 'test/onebot/media/speech.test.ts'
const STREAMS = 'test/onebot/actions/streams.test.ts'
const UPLOADS = 'test/onebot/media/uploads.test.ts'
const DOWNLOADS = 'test/onebot/actions/downloads.test.ts'
const SENDING = 'test/onebot/actions/sending-files.test.ts'
const BUNDLES = 'test/onebot/actions/bundles.test.ts'
const CONTACTS = 'test/onebot/actions/contacts.test.ts'
const PROFILE = 'test/onebot/actions/profile.test.ts'
const MARKS = 'test/onebot/actions/marks.test.ts'
const GROUP_FILES = 'test/onebot/actions/group-files.test.ts'
const NAPCAT = 'test/onebot/actions/napcat.test.ts'
const ANNOUNCED = 'test/onebot/actions/notices.test.ts'
const EXTRAS = 'test/onebot/message/extras.test.ts'
const INPUT = 'test/onebot/message/input.test.ts'
const CONFIG = 'test/web/config/onebot.test.ts'
const HOSTILE = 'test/onebot/actions/hostile-input.test.ts'
const METERS = 'test/onebot/meters.test.ts'

const of = rowOf('onebot 2')

/** OneBot: what is kept for who is away, files, and what NapCat and go-cqhttp have beside the standard. */
export const onebotMoreMutations: readonly Mutation[] = [
  of(BACKLOG, 'the oldest fall out', 'onebot/backlog.ts', 'this.#kept.length <= events && ', ''),
  of(BACKLOG, 'bytes are counted', 'onebot/backlog.ts', ' && this.#bytes <= bytes', ''),
  of(BACKLOG, 'what is old is gone', 'onebot/backlog.ts', ' && first.at >= before', ''),
  of(BACKLOG, 'bytes of what has gone are free', 'onebot/backlog.ts', 'this.#bytes -= kept?.bytes ?? 0', ''),
  of(BACKLOG, 'what falls out is counted', 'onebot/backlog.ts', 'this.#lose(first.number)', ''),
  of(
    REPLAY,
    'trap 32, nothing is kept unless that is said',
    'onebot/transport/link.ts',
    "return role !== 'API' && (this.#ws !== null || replay !== null)",
    "return role !== 'API'",
  ),
  of(REPLAY, 'what has no Pong comes again', 'onebot/transport/link.ts', 'this.#sent = this.#heard\n', ''),
  of(
    REPLAY,
    'what comes again says so',
    'onebot/transport/link.ts',
    'number > this.#told ? text : toRetry(text)',
    'text',
  ),
  of(REPLAY, 'what has come is let go of', 'onebot/transport/link.ts', 'this.#backlog.drop(this.#heard)', ''),
  of(
    REPLAY,
    'a Pong of an old connection says nothing',
    'onebot/transport/link.ts',
    'this.#pinged = 0\n    this.account.disconnects++',
    'this.account.disconnects++',
  ),
  of(
    REPLAY,
    'a stream goes on behind the last id',
    'onebot/transport/streams.ts',
    'epoch === EPOCH ? Number(number) : 0',
    '0',
  ),
  of(
    REPLAY,
    'ids of another process are not those of this one',
    'onebot/transport/streams.ts',
    'epoch === EPOCH ? Number(number) : 0',
    'Number(number)',
  ),
  of(
    REPLAY,
    'a webhook is asked again behind 5xx',
    'onebot/transport/webhook.ts',
    '(status >= 500 || LATER.has(status))',
    'LATER.has(status)',
  ),
  of(
    REPLAY,
    'a webhook is asked again behind 429',
    'onebot/transport/webhook.ts',
    '(status >= 500 || LATER.has(status))',
    'status >= 500',
  ),
  of(
    REPLAY,
    'a post says how often it was tried',
    'onebot/transport/webhook.ts',
    "...(attempt > 0 ? { 'X-Retry-Count': String(attempt) } : {}),",
    '',
  ),
  of(FRAME, 'a part that is elsewhere stays', 'onebot/frame.ts', " || asked.params['chunk_data'] !== MARK", ''),
  of(FRAME, 'escapes are read', 'onebot/frame.ts', ' || digits.includes(BACKSLASH)', ''),
  of(FRAME, 'a short part stays', 'onebot/frame.ts', 'to - from < LONG || ', ''),
  of(DIGITS, 'a digit too much', 'onebot/media/digits.ts', ' || digits % 4 === 1', ''),
  of(
    DIGITS,
    'what is no digit',
    'onebot/media/digits.ts',
    'length === size ? into.subarray(0, length) : null',
    'into.subarray(0, length)',
  ),
  of(DIGITS, 'pieces are of whole bytes', 'onebot/media/digits.ts', 'const PIECE = 49_152', 'const PIECE = 49_153'),
  of(
    COLLECTOR,
    'memory is given back once',
    'websock/collector.ts',
    '  spare = null\n  return taken',
    '  return taken',
  ),
  of(
    COLLECTOR,
    'memory that others have is not taken',
    'websock/collector.ts',
    'byteOffset !== 0 || byteLength < ADVANCE || ',
    '',
  ),
  of(
    COLLECTOR,
    'memory of what waits is not taken',
    'websock/receive.ts',
    '(view && !waits)) giveBack',
    'view) giveBack',
  ),
  of(
    COLLECTOR,
    'memory of what was not asked for as a view is not taken',
    'websock/receive.ts',
    '(view && !waits)) giveBack',
    '!waits) giveBack',
  ),
  of(
    FETCH,
    'a redirect is looked at',
    'onebot/media/fetch.ts',
    'await within(find(at, options), signal)',
    'await within(redirects === 0 ? find(at, options) : options.resolve(at.hostname), signal)',
  ),
  of(
    FETCH,
    'each address of a name is looked at',
    'onebot/media/fetch.ts',
    '!found.every(({ address })',
    '!found.some(({ address })',
  ),
  of(
    FETCH,
    'what was looked at is connected to',
    'onebot/media/fetch.ts',
    '  agent: false,\n  lookup:',
    '  agent: false,\n  family: 4,\n  localAddress: undefined,\n  noLookup:',
  ),
  of(DOWNLOADS, 'headers are for one host', 'onebot/media/fetch.ts', 'next.origin === at.origin ? given : {}', 'given'),
  of(
    FETCH,
    'what is too long ends',
    'onebot/media/fetch.ts',
    'if (size > maxBytes) throw',
    'if (size > 2 * maxBytes) throw',
  ),
  of(
    SOURCE,
    'links out of a folder lead nowhere',
    'onebot/media/source.ts',
    'return realpathSync(path)',
    'return path',
  ),
  of(
    SOURCE,
    'a folder beside one is another',
    'onebot/media/source.ts',
    'folder.endsWith(sep) ? folder : folder + sep',
    'folder',
  ),
  of(
    SPEECH,
    'a program that says too much is ended',
    'onebot/media/speech.ts',
    'else end(`it has said more than ${maxBytes} bytes`)',
    '',
  ),
  of(
    SPEECH,
    'what a program has started ends with it',
    'onebot/media/speech.ts',
    'process.kill(-pid',
    'process.kill(pid',
  ),
  of(SPEECH, 'so many programs at once', 'onebot/media/speech.ts', ' || speaking >= MAX_SPEAKERS', ''),
  of(
    STREAMS,
    'a part that is there is not taken again',
    'onebot/media/uploads.ts',
    'if (part < this.#next || this.#aside.has(part)) return\n',
    '',
  ),
  of(
    STREAMS,
    'the hash is compared',
    'onebot/media/uploads.ts',
    'wanted !== null && wanted.toLowerCase() !== sha256',
    'false',
  ),
  of(STREAMS, 'what is not whole is not complete', 'onebot/media/uploads.ts', '    upload.check()\n', ''),
  of(
    UPLOADS,
    'an upload that stands still is given up',
    'onebot/media/uploads.ts',
    '() => this.reset(id), false)',
    '() => {}, false)',
  ),
  of(STREAMS, 'names have no path', 'onebot/media/spool.ts', 'const name = toLastPart(given)', 'const name = given'),
  of(
    HOSTILE,
    'nodes are counted, however deep',
    'onebot/message/nodes.ts',
    'sum.nodes += segments.length',
    'sum.nodes = segments.length',
  ),
  of(
    HOSTILE,
    'bundles in segments are bundles',
    'onebot/message/nodes.ts',
    'inside: readAll(inside, depth + 1, sum)',
    'inside: readAll(inside, inside === said ? depth + 1 : depth, sum)',
  ),
  of(
    HOSTILE,
    'what is too long is not made first',
    'onebot/world/writing.ts',
    'sum + sizeOf(segments), 0) > MAX_BUNDLE',
    'sum + sizeOf(segments), 0) < 0',
  ),
  of(
    HOSTILE,
    'files are counted before the first is got',
    'onebot/media/intake.ts',
    'if (files > MAX_FILES) throw',
    'if (files < 0) throw',
  ),
  of(HOSTILE, 'milliseconds are whole', 'onebot/media/intake.ts', 'Math.ceil(seconds * 1000)', 'seconds * 1000'),
  of(HOSTILE, 'names of folders are not read backwards', 'chat/group-files.ts', ' || !isLastPart(name)', ''),
  of(
    HOSTILE,
    'names that others are told are those that are kept',
    'onebot/media/intake.ts',
    "kind === 'file' || 'name' in segment.data",
    "kind === 'file'",
  ),
  of(
    'test/onebot/message/outgoing.test.ts',
    'a bundle that is there is named',
    'onebot/message/outgoing.ts',
    'segments.push(toNamed(segment))',
    'segments.push(segment)',
  ),
  of(UPLOADS, 'what is not sent goes', 'onebot/media/spool.ts', '() => this.#remove(path), false)', '() => {}, false)'),
  of(UPLOADS, 'what was there before is gone', 'onebot/media/spool.ts', '    this.clean()\n', ''),
  of(
    SENDING,
    'bytes are what they should be',
    'onebot/world/keeping.ts',
    'if (!FITS[kind].includes(content.kind)) throw',
    "if (kind === 'file' && content.kind === kind) content.size.toFixed()\n      else if (false) throw",
  ),
  of(BUNDLES, 'of a page the newest', 'onebot/actions/history.ts', '.slice(-MAX_EXPANDED)', '.slice(0, MAX_EXPANDED)'),
  of(
    BUNDLES,
    'text has no bundle in it',
    'onebot/message/cq.ts',
    "if (key === 'content' && typeof value === 'object' && 'id' in data) continue\n",
    '',
  ),
  of(
    INPUT,
    'many are counted first',
    'onebot/message/input.ts',
    'notMany<unknown>(message).map(toSegment)',
    'notMany(message.map(toSegment))',
  ),
  of(EXTRAS, 'who has gone is no error', 'onebot/after.ts', 'if (isTold(error)) return null', ''),
  of(EXTRAS, 'who is slow and has gone is no error', 'onebot/after.ts', 'value.catch(toNone)', 'value'),
  of(
    EXTRAS,
    'right behind the reply',
    'onebot/message/extras.ts',
    'segments[place + 1]',
    "segments.find(({ type }) => type === 'at')",
  ),
  of(EXTRAS, 'of whom it answers', 'onebot/message/extras.ts', " && numberOf(next, 'qq') === answered.sender.id", ''),
  of(EXTRAS, 'only where that is not wanted', 'onebot/message/extras.ts', 'extras.withoutReplyAt && calls', 'calls'),
  of(
    EXTRAS,
    'what was there stays',
    'onebot/message/extras.ts',
    '{ ...reply.data, ...toData(answered) }',
    'toData(answered)',
  ),
  of(
    EXTRAS,
    'history has them, too',
    'onebot/actions/history.ts',
    '{ ...extras, bundles: bundles.has(message) }',
    '{ replies: false, withoutReplyAt: false, bundles: bundles.has(message) }',
  ),
  of(
    CONFIG,
    'what is disabled is not there',
    'web/config/to-cqhttp.ts',
    'entry !== undefined && entry.disabled !== true',
    'entry !== undefined',
  ),
  of(CONFIG, 'what is disabled lets nobody in', 'web/config/onebot-conflicts.ts', " || entry['disabled'] === true", ''),
  of(CONTACTS, 'the newest chat comes first', 'onebot/world/contacts.ts', 'other.num - one.num', 'one.num - other.num'),
  of(
    CONTACTS,
    'requests are for who may decide',
    'onebot/world/contacts.ts',
    'servers.filter((id) => arrivals.mayDecide(bot, id))',
    'servers',
  ),
  of(
    CONTACTS,
    'who likes others is nobody’s business',
    'onebot/world/contacts.ts',
    'id === bot ? likes.likers',
    'id !== null ? likes.likers',
  ),
  of(
    PROFILE,
    'a status stays over a connection',
    'onebot/world/attendance.ts',
    '      this.#link.declare(this.#declared)\n',
    '',
  ),
  of(
    PROFILE,
    'an image that is of nobody is not shown',
    'chat/portraits.ts',
    'this.#isShown({ file: id }) === undefined ? null : ',
    '',
  ),
  of(
    PROFILE,
    'an image is one',
    'chat/portraits.ts',
    "if (content.kind !== 'image') throw",
    'if (content.size < 0) throw',
  ),
  of(
    MARKS,
    'direct ones are not marked',
    'onebot/world/marks.ts',
    "throw new PlatformError('PERMISSION_DENIED', 'only messages of groups can be marked')",
    "throw new PlatformError('MESSAGE_NOT_FOUND')",
  ),
  of(MARKS, 'below 5000 it is QQ’s', 'onebot/world/emoji.ts', 'if (number < FACES) return', 'if (number <= 1) return'),
  of(
    GROUP_FILES,
    'a folder has to be there',
    'onebot/world/group-files.ts',
    "    if (folder !== '') this.list(group, folder, 0)\n",
    '',
  ),
  of(
    GROUP_FILES,
    'downloads are counted',
    'onebot/world/group-files.ts',
    'await this.#change(() => this.#world.groupFiles.count(id))',
    '',
  ),
  of(
    NAPCAT,
    'what a forwarded message answers stays behind',
    'onebot/actions/napcat.ts',
    "segments.filter(({ type }) => type !== 'reply')",
    'segments',
  ),
  of(
    NAPCAT,
    'only who may not speak is in the list',
    'onebot/actions/napcat.ts',
    'members.filter(({ mutedUntil }) => mutedUntil * 1000 > Date.now()).map(toMember)',
    'members.map(toMember)',
  ),
  of(
    ANNOUNCED,
    'an image of an announcement is of its channel',
    'onebot/world/announcements.ts',
    'if (file !== null) files.place(bot, channelId, [file])\n',
    '',
  ),
  of(METERS, 'what waits is there', 'onebot/transport/link.ts', 'return this.#backlog.size', 'return 0'),
  of(
    METERS,
    'each bot once',
    'onebot/meters.ts',
    '[...new Set(ways().map(({ account }) => account))]',
    'ways().map(({ account }) => account)',
  ),
]
