import { TIME } from './time.ts'

/** The voice of somebody of whom nothing else is said; in no channel: they have gone. */
export const voiceOf = (who: { id: string; username: string }, channel: string | null, rest: object = {}) => ({
  user_id: who.id,
  channel_id: channel,
  self_mute: false,
  self_deaf: false,
  self_video: false,
  self_screen: false,
  server_mute: false,
  server_deaf: false,
  joined_at: channel === null ? null : TIME,
  username: who.username,
  ...rest,
})
