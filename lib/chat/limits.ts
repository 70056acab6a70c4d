/** How much of what there may be. Text is counted in code points. */
export const MAX_CONTENT = 4000
export const MAX_SERVERS = 100
export const MAX_CHANNELS = 500
export const MAX_ROLES = 100
export const MAX_OVERRIDES = 100
/** Different emoji on one message, and bytes of one in UTF-8. */
export const MAX_REACTIONS = 50
export const MAX_EMOJI_BYTES = 64
/** Of a channel. */
export const MAX_PINS = 250
/** Invites of a server. */
export const MAX_INVITES = 1000
export const MAX_EMOJIS = 50
/** Bytes of an image of an emoji. */
export const MAX_EMOJI_IMAGE = 262_144
/** Bytes of an image of somebody, or of a channel. */
export const MAX_PORTRAIT = 8_388_608
/** Bytes of all files of one user. */
export const MAX_STORED = 1_073_741_824
export const MAX_MESSAGE_FILES = 10
export const MAX_FILE_NAME = 200
/** Of a channel. */
export const MAX_FOLDERS = 1000
export const MAX_NOTICES = 250
/** Requests of one user that nobody has decided yet. */
export const MAX_REQUESTS = 100
export const MAX_BOTS = 25
export const MAX_MENTIONS = 50
/** Sessions of one user; one more ends the oldest. */
export const MAX_SESSIONS = 10
/** Direct channels that are listed at once. */
export const MAX_DIRECTS = 1000
/** Overrides that a snapshot has. */
export const MAX_SNAPSHOT_OVERRIDES = 20_000
/** Where counting ends. */
export const MAX_COUNT = 9999
