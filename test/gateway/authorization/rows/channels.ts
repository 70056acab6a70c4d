import {
  ADD_REACTIONS,
  ATTACH_FILES,
  authorOr,
  authorWith,
  CONNECT_VOICE,
  inChannel,
  MANAGE_CHANNELS,
  MANAGE_MESSAGES,
  MEMBER,
  MEMBERS,
  MUTE_MEMBERS,
  PUBLIC,
  SEND_MESSAGES,
  VIEWER,
} from '../callers.ts'
import { type Row, row } from '../row.ts'
import { IMAGE, type Scene, type Thing } from '../scene.ts'

/** These join the voice channel; the last shows something, where there is a word for it. */
const inVoice =
  (...who: readonly Thing[]) =>
  ({ world, things }: Scene) => {
    for (const one of who) world.voice.join(things[one], things.voice)
    return {}
  }
const live =
  (who: Thing) =>
  ({ world, things }: Scene) => {
    world.voice.join(things[who], things.voice)
    world.voice.goLive(things[who], things.voice, '720p')
    return {}
  }

const content = { content: 'fog at seven' }
const inVoiceChannel = { ids: { id: 'voice' }, stores: false } as const
const CHANGED = { hears: ['VOICE_STATE_UPDATE'] } as const

const messages: readonly Row[] = [
  row('POST /channels/:id/messages', inChannel(SEND_MESSAGES), 201, { body: content, hears: ['MESSAGE_CREATE'] }),
  row('POST /channels/:id/messages', inChannel(SEND_MESSAGES), 201, {
    note: 'an answer',
    body: { ...content, reply_to: '$message$' },
    hears: ['MESSAGE_CREATE'],
  }),
  row('GET /channels/:id/messages', VIEWER, 200),
  row('GET /channels/:id/messages/:message_id', VIEWER, 200),
  row('PATCH /messages/:id', authorWith(SEND_MESSAGES), 200, { body: content, hears: ['MESSAGE_UPDATE'] }),
  row('DELETE /messages/:id', authorOr(MANAGE_MESSAGES), 204, { hears: ['MESSAGE_DELETE'] }),
  row('GET /channels/:id/messages/:message_id/thread', VIEWER, 200),
  row('POST /channels/:id/messages/:message_id/thread', inChannel(SEND_MESSAGES), 201, {
    body: content,
    hears: ['THREAD_MESSAGE_CREATE'],
  }),
  row('PUT /channels/:id/messages/:message_id/reactions/:emoji', inChannel(ADD_REACTIONS), 204, {
    ids: { emoji: 'other' },
    hears: ['REACTION_ADD'],
  }),
  row('DELETE /channels/:id/messages/:message_id/reactions/:emoji', VIEWER, 204, { hears: ['REACTION_REMOVE'] }),
  row('GET /channels/:id/messages/:message_id/reactions', VIEWER, 200),
  row('POST /channels/:id/messages/:message_id/pin', inChannel(MANAGE_MESSAGES), 204, { hears: ['MESSAGE_PIN'] }),
  row('DELETE /channels/:id/messages/:message_id/pin', inChannel(MANAGE_MESSAGES), 204, {
    ids: { message_id: 'pinned' },
    hears: ['MESSAGE_UNPIN'],
  }),
  row('GET /channels/:id/pinned-messages', VIEWER, 200),
  row('POST /channels/:id/polls', inChannel(SEND_MESSAGES), 201, {
    body: { question: 'Stay?', options: ['yes', 'no'] },
    hears: ['MESSAGE_CREATE'],
  }),
  row('GET /polls/:id', VIEWER, 200),
  row('POST /polls/:id/vote', VIEWER, 200, { body: { option_id: '$option$' }, hears: ['POLL_VOTE'] }),
  row('POST /channels/:id/ack', VIEWER, 204, { body: { message_id: '$message$' } }),
  row('POST /files', inChannel(ATTACH_FILES), 201, { form: { channel_id: '$channel$', file: IMAGE } }),
  row('GET /files/:id', PUBLIC, 200, { query: 'signature' }),
]

const voice: readonly Row[] = [
  row('POST /channels/:id/voice', inChannel(CONNECT_VOICE), 201, { ...inVoiceChannel, ...CHANGED }),
  row('DELETE /channels/:id/voice', MEMBER, 204, { ...inVoiceChannel, ...CHANGED, before: inVoice(...MEMBERS) }),
  row('PATCH /channels/:id/voice', MEMBER, 200, {
    ...inVoiceChannel,
    ...CHANGED,
    before: inVoice(...MEMBERS),
    body: { self_mute: true },
  }),
  row('GET /channels/:id/voice', VIEWER, 200, inVoiceChannel),
  row('PATCH /channels/:id/voice/:user_id', inChannel(MUTE_MEMBERS), 200, {
    ...inVoiceChannel,
    ...CHANGED,
    before: inVoice('target'),
    body: { server_mute: true },
    stores: true,
  }),
  row('DELETE /channels/:id/voice/:user_id', inChannel(MUTE_MEMBERS), 204, {
    ...inVoiceChannel,
    ...CHANGED,
    before: inVoice('target'),
  }),
  row('POST /channels/:id/go-live', VIEWER, 201, {
    ...inVoiceChannel,
    before: inVoice(...MEMBERS),
    body: { quality: '480p' },
    hears: ['GO_LIVE_START'],
  }),
  row('GET /channels/:id/go-live', VIEWER, 200, { ...inVoiceChannel, before: live('target') }),
  row('DELETE /channels/:id/go-live', inChannel(MANAGE_CHANNELS), 204, {
    ...inVoiceChannel,
    before: live('target'),
    hears: ['GO_LIVE_STOP'],
  }),
  row('DELETE /channels/:id/go-live', authorOr(MANAGE_CHANNELS), 204, {
    note: 'their own',
    ...inVoiceChannel,
    before: live('member'),
    hears: ['GO_LIVE_STOP'],
  }),
]

/** Channels, and what is said in them. */
export const ofChannels: readonly Row[] = [
  row('GET /servers/:id/channels/:channel_id', VIEWER, 200),
  row('PATCH /servers/:id/channels/:channel_id', inChannel(MANAGE_CHANNELS), 200, { body: { topic: 'ships' } }),
  row('DELETE /servers/:id/channels/:channel_id', inChannel(MANAGE_CHANNELS), 204),
  row('GET /channels/:id/overrides', VIEWER, 200),
  row('PUT /channels/:id/overrides', inChannel(MANAGE_CHANNELS), 200, {
    body: { user_id: '$target$', allow: 0, deny: 16 },
    hears: ['CHANNEL_OVERRIDE_UPDATE'],
  }),
  row('DELETE /channels/:id/overrides/:override_id', inChannel(MANAGE_CHANNELS), 204, {
    hears: ['CHANNEL_OVERRIDE_DELETE'],
  }),
  ...messages,
  ...voice,
]
