/**
 * The numbers of the C header, under its names. Values are part of the public contract.
 * Sources: the webSocketRun C header for names and values, RFC 6455 §7.4.1 and IANA for status codes.
 */

// Events given to a WebSocketProc
export const WS_EVENT_OPEN = 0
/** A complete message or, in partial mode, the last part of one */
export const WS_EVENT_MESSAGE = 1
/** Partial mode only: a part of a message, with more to come */
export const WS_EVENT_PARTIAL_MESSAGE = 2
/** Something went wrong; CLOSE follows */
export const WS_EVENT_ERROR = 3
/** The last event of every connection */
export const WS_EVENT_CLOSE = 4

// Connection states
export const WS_STATE_CONNECTING = 0
export const WS_STATE_OPEN = 1
export const WS_STATE_CLOSING = 2
export const WS_STATE_CLOSED = 3

// Message types: RFC 6455 §5.2 opcodes, plus the flag "more parts of this message follow"
export const WS_MSG_CONT = 0x0
export const WS_MSG_TEXT = 0x1
export const WS_MSG_BINARY = 0x2
export const WS_MSG_CONTROL = 0x8
export const WS_MSG_CLOSE = 0x8
export const WS_MSG_PING = 0x9
export const WS_MSG_PONG = 0xa
export const WS_MSG_MAX = 0xb
export const WS_MSG_MORE = 0x10
/** The web module's spelling of WS_MSG_MORE; both are accepted */
export const WEB_MORE = 0x1000

// Roles
export const WS_SERVER = 0
export const WS_CLIENT = 1

// Limits in bytes, and protocol constants
export const WS_MAX_CONTROL = 125
export const WS_MAX_FRAME = 131072
export const WS_MAX_MESSAGE = 1048576
export { MAGIC as WS_MAGIC, VERSION as WS_VERSION } from '../rfc6455.ts'

// Close status codes, RFC 6455 §7.4.1
export const WS_STATUS_OK = 1000
export const WS_STATUS_GOING_AWAY = 1001
export const WS_STATUS_PROTOCOL_ERROR = 1002
export const WS_STATUS_UNSUPPORTED_TYPE = 1003
/** Reserved, never sent */
export const WS_STATUS_FRAME_TOO_LARGE = 1004
/** The peer's Close had no status; never sent */
export const WS_STATUS_NO_STATUS = 1005
/** The connection ended without a Close frame; never sent */
export const WS_STATUS_COMMS_ERROR = 1006
export const WS_STATUS_INVALID_UTF8 = 1007
export const WS_STATUS_POLICY_VIOLATION = 1008
export const WS_STATUS_MESSAGE_TOO_LARGE = 1009
export const WS_STATUS_MISSING_EXTENSION = 1010
export const WS_STATUS_INTERNAL_ERROR = 1011
/** IANA "Try Again Later": a peer that reads too slowly. Not in the C header */
export const WS_STATUS_TRY_AGAIN_LATER = 1013
export const WS_STATUS_TLS_ERROR = 1015
export const WS_STATUS_MAX = 5000

// Runtime codes: what the functions return when they refuse
export const R_ERR_BAD_ARGS = -6
export const R_ERR_BAD_RESPONSE = -12
export const R_ERR_BAD_STATE = -14
export const R_ERR_BUSY = -18
export const R_ERR_CANT_COMPLETE = -21
export const R_ERR_CANT_CONNECT = -22
export const R_ERR_CANT_OPEN = -28
export const R_ERR_CANT_READ = -29
export const R_ERR_CANT_WRITE = -30
export const R_ERR_MEMORY = -32
export const R_ERR_TIMEOUT = -38
export const R_ERR_TOO_MANY = -39
export const R_ERR_WONT_FIT = -40
export const R_ERR_WOULD_BLOCK = -41
