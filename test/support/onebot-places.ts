import type { OneBotMessage, OneBotNewFile, OneBotSegment } from '../../include-types/onebot.ts'
import type { OneBotFolder, OneBotGroupFiles, OneBotNotices } from '../../include-types/onebot-parts.ts'
import { FakePlatform, WholePlatform } from './onebot-platform.ts'

/* Every place where a client of OneBot says where something is that the server reads. */

const FOLDER: OneBotFolder = { id: 'f', name: 'menus', files: 0, createdAt: 0, creator: { id: 1, name: 'ada' } }

/** The message that is sent on. */
export const KEPT = 7

/** One that keeps whatever it is given, once it has read all of it. */
export class KeepingPlatform extends WholePlatform {
  readonly kept: string[] = []
  /** What the message that is sent on is made of. */
  said: readonly OneBotSegment[] = []

  readonly #keep = async ({ name, kind, bytes }: OneBotNewFile): Promise<string> => {
    const chunks: Uint8Array[] = []
    if (bytes instanceof Uint8Array) chunks.push(bytes)
    else for await (const chunk of bytes) chunks.push(chunk)
    this.kept.push(Buffer.concat(chunks).toString())
    return `${kind} ${name}`
  }

  readonly store = async (file: OneBotNewFile) => {
    const id = await this.#keep(file)
    return { id, name: file.name, size: 0, kind: file.kind, mime: '', path: '', url: '' }
  }

  readonly groupFiles: OneBotGroupFiles = {
    list: () => ({ files: [], folders: [] }),
    usage: () => ({ count: 0, bytes: 0 }),
    upload: (_group, file) => this.#keep(file),
    link: () => '',
    move: () => {},
    rename: () => {},
    remove: () => {},
    makeFolder: () => FOLDER,
    removeFolder: () => {},
  }

  readonly notices: OneBotNotices = {
    list: () => [],
    add: async (_group, _content, image) => (image === null ? '' : this.#keep(image)),
    remove: () => {},
  }

  override readonly profile = {
    set: () => {},
    setAvatar: async (image: OneBotNewFile) => void (await this.#keep(image)),
    setStatus: () => {},
    setWords: () => {},
    setGroupImage: async (_group: number, image: OneBotNewFile) => void (await this.#keep(image)),
  }

  override message(id: number): OneBotMessage {
    if (id !== KEPT) throw new Error('only one is kept')
    const platform = new FakePlatform()
    const found = platform.message(platform.keep({ text: '' }))
    if (found instanceof Promise) throw new Error('not at once')
    return { ...found, segments: this.said }
  }
}

export interface Place {
  readonly action: string
  readonly params: (given: string) => object
  /** What is in the message that is sent on. */
  readonly said?: (given: string) => OneBotSegment[]
  /** It is done later, and nobody hears of it. */
  readonly later?: boolean
  /** What is given is a URL, or nothing. */
  readonly onlyUrls?: boolean
}

const TO = { group_id: 40_001 }
const WHO = { user_id: 30_001 }

const segment = (type: string, data: object): OneBotSegment => ({ type, data: { ...data } })
const image = (file: string): OneBotSegment[] => [segment('text', { text: 'look' }), segment('image', { file })]
const node = (content: unknown): OneBotSegment => segment('node', { content })
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('[', '&#91;').replaceAll(']', '&#93;').replaceAll(',', '&#44;')
const code = (given: string): string => `look[CQ:image,file=${escaped(given)}]`
const nodes = (given: string): OneBotSegment[] => [node('see'), node(image(given))]

/** Types of segments that have a file, and the fields that say where it is. */
export const FILE_TYPES = ['image', 'record', 'video', 'file', 'cardimage']
const FILE_FIELDS = ['file', 'url', 'path']

const inSegments = FILE_TYPES.flatMap((type) =>
  FILE_FIELDS.map((field): [string, Place] => [
    `${field} of ${type}`,
    { action: 'send_group_msg', params: (given) => ({ ...TO, message: [segment(type, { [field]: given })] }) },
  ]),
)

const inMessages: Readonly<Record<string, Place>> = {
  'a file behind one that is there': {
    action: 'send_group_msg',
    params: (given) => ({ ...TO, message: [...image('base64://Zm9n'), ...image(given)] }),
  },
  'a URL in front of bytes': {
    action: 'send_group_msg',
    params: (url) => ({ ...TO, message: [segment('image', { url, file: 'base64://Zm9n' })] }),
  },
  'a CQ code': { action: 'send_group_msg', params: (given) => ({ ...TO, message: code(given) }) },
  'one segment': {
    action: 'send_group_msg_async',
    params: (file) => ({ ...TO, message: segment('image', { file }) }),
  },
  'a message to one': { action: 'send_private_msg', params: (given) => ({ ...WHO, message: image(given) }) },
  'a message to any': { action: 'send_msg', params: (given) => ({ ...WHO, message: image(given) }) },
  'nodes in a message': { action: 'send_msg', params: (given) => ({ ...TO, message: nodes(given) }) },
  'a bundle in a message': {
    action: 'send_group_msg',
    params: (given) => ({ ...TO, message: [segment('forward', { content: nodes(given) })] }),
  },
  'nodes for a group': {
    action: 'send_group_forward_msg',
    params: (given) => ({ ...TO, messages: nodes(given) }),
  },
  'nodes for one': {
    action: 'send_private_forward_msg',
    params: (given) => ({ ...WHO, messages: nodes(given) }),
  },
  'nodes for any': { action: 'send_forward_msg', params: (given) => ({ ...TO, message: nodes(given) }) },
  'nodes in nodes': {
    action: 'send_forward_msg',
    params: (given) => ({ ...TO, messages: [node([node([node(code(given))])])] }),
  },
  'a node that names a message': {
    action: 'send_group_forward_msg',
    params: () => ({ ...TO, messages: [segment('node', { id: KEPT })] }),
    said: image,
  },
  'a message that is sent on to a group': {
    action: 'forward_group_single_msg',
    params: () => ({ ...TO, message_id: KEPT }),
    said: image,
  },
  'a message that is sent on to one': {
    action: 'forward_friend_single_msg',
    params: () => ({ ...WHO, message_id: KEPT }),
    said: image,
  },
  'an answer to an event': {
    action: '.handle_quick_operation',
    params: (given) => ({
      context: { post_type: 'message', message_type: 'group', ...TO },
      operation: { reply: image(given) },
    }),
    later: true,
  },
  'an answer in CQ text': {
    action: '.handle_quick_operation',
    params: (given) => ({
      context: { post_type: 'message', message_type: 'private', ...WHO },
      operation: { reply: code(given) },
    }),
    later: true,
  },
}

const inActions: Readonly<Record<string, Place>> = {
  'a file for a group': { action: 'upload_group_file', params: (file) => ({ ...TO, file, name: 'a' }) },
  'a file for one': { action: 'upload_private_file', params: (file) => ({ ...WHO, file, name: 'a' }) },
  'the image of a notice': { action: '_send_group_notice', params: (file) => ({ ...TO, content: 'a', image: file }) },
  'an avatar': { action: 'set_qq_avatar', params: (file) => ({ file }) },
  'an image of a group': { action: 'set_group_portrait', params: (file) => ({ ...TO, file }) },
  'a download': { action: 'download_file', params: (url) => ({ url }), onlyUrls: true },
}

export const PLACES: readonly (readonly [name: string, place: Place])[] = [
  ...inSegments,
  ...Object.entries(inMessages),
  ...Object.entries(inActions),
]

/** Actions that are told the name of a file that is there: it is looked up, and nothing else. */
export const LOOKUPS: readonly (readonly [action: string, param: string])[] = [
  ['get_file', 'file'],
  ['get_file', 'file_id'],
  ['get_image', 'file'],
  ['get_image', 'file_id'],
  ['get_record', 'file'],
  ['get_record', 'file_id'],
  ['get_private_file_url', 'file_id'],
  ['download_file_stream', 'file'],
  ['download_file_stream', 'file_id'],
  ['download_file_image_stream', 'file'],
  ['download_file_image_stream', 'file_id'],
  ['download_file_record_stream', 'file'],
  ['download_file_record_stream', 'file_id'],
]
