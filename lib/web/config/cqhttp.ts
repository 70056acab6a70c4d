import { flag, range } from './fields.ts'
import { allowUnauthenticated, ms, rateLimit, secret } from './onebot-fields.ts'

/* go-cqhttp's own servers, and what it says of all of them, by the names that it has for that. */

const middlewares = {
  type: 'object',
  description: 'As in go-cqhttp.',
  properties: {
    'access-token': secret('A credential.'),
    'filter': { type: 'string', default: '', description: 'File with an event filter, relative to the config file.' },
    'rate-limit': rateLimit,
  },
} as const

const address = {
  type: 'string',
  reads: 'cqAddress',
  description: 'host:port, `tcp4://` and `tcp6://` in front or not.',
} as const

const disabled = flag(false, 'In older files: as if it were not there.')

/** go-cqhttp's `servers[]`: each has one of these. */
export const server = {
  type: 'object',
  properties: {
    'http': {
      type: 'object',
      description: 'Actions by HTTP, and events that are posted.',
      properties: {
        address,
        host: { type: 'string', reads: 'address', description: 'In older files, with `port`.' },
        port: range(0, 65_535, 5700, 'In older files.'),
        disabled,
        timeout: range(0, 86_400, 5, 'Seconds for an answer to what is posted, 5 at least.'),
        allowUnauthenticated,
        middlewares,
        post: {
          type: ['array', 'null'],
          description: 'Where events are posted to.',
          items: {
            type: 'object',
            required: ['url'],
            properties: {
              'url': { type: 'string', reads: 'http', secret: true, description: 'Where to.' },
              'secret': secret('Signs bodies.'),
              'max-retries': range(0, 1000, 3, 'Further tries where there was no answer at all.'),
              'retries-interval': ms(1500, 'Milliseconds between them.'),
            },
          },
        },
      },
    },
    'ws': {
      type: 'object',
      description: 'Clients connect to the bot.',
      properties: {
        address,
        host: { type: 'string', reads: 'address', description: 'In older files, with `port`.' },
        port: range(0, 65_535, 8080, 'In older files.'),
        disabled,
        allowUnauthenticated,
        middlewares,
      },
    },
    'ws-reverse': {
      type: 'object',
      description: 'The bot connects to its client: to one URL for both, or to one for each.',
      properties: {
        'universal': { type: 'string', reads: 'wsOrNone', secret: true, description: 'For both.' },
        'api': { type: 'string', reads: 'wsOrNone', secret: true, description: 'Where it is asked.' },
        'event': { type: 'string', reads: 'wsOrNone', secret: true, description: 'Where it is told.' },
        'reconnect-interval': ms(3000, 'Milliseconds to the next attempt; 0 is 5000.'),
        disabled,
        middlewares,
      },
    },
  },
} as const

export const heartbeat = {
  type: 'object',
  description: 'Of `servers`, as in go-cqhttp.',
  properties: {
    interval: { type: 'integer', minimum: -1, maximum: 86_400, default: 5, description: 'Seconds; −1: none.' },
    disabled: flag(false, 'None.'),
  },
} as const

export const message = {
  type: 'object',
  description: 'Of `servers`, as in go-cqhttp.',
  properties: {
    'post-format': { enum: ['string', 'array'], default: 'string', description: 'How messages are told.' },
    'report-self-message': flag(false, 'Whether what the bot says itself is told, too.'),
    'ignore-invalid-cqcode': flag(false, 'Codes of types that nobody knows are dropped.'),
    'extra-reply-data': flag(
      false,
      'Replies that any entry is told, or asks for, have `seq`, `qq`, `time` and `text` of what they answer.',
    ),
    'remove-reply-at': flag(false, 'Whom a reply answers is not called right behind it, too.'),
    'http-timeout': range(0, 86_400, 0, 'Seconds for a file that is fetched; `media.timeout` counts more. 0: as that.'),
    'proxy-rewrite': {
      type: 'string',
      reads: 'httpOrNone',
      secret: true,
      default: '',
      description: 'As `imageDownloadProxy`.',
    },
  },
} as const
