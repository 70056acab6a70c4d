import type { Caller, Rule } from './callers.ts'
import type { Scene, Thing, Things } from './scene.ts'

/** A route, and who may call it. */
export interface Row {
  /** What it is called: its route, and what is special. */
  readonly title: string
  readonly spec: string
  readonly rule: Rule
  /** What is answered where all is well. */
  readonly success: number
  /** `$thing$` in it is an id of the scene. */
  readonly body: object | null
  /** Fields of a form; the one called file is a file, and so is the image. */
  readonly form: Readonly<Record<string, string>> | null
  /** Which things variable parts of the path are, where that is not what they are elsewhere. */
  readonly ids: Readonly<Record<string, Thing>>
  readonly query: Thing | null
  /** What single callers are told, where the rule does not say it. */
  readonly but: Partial<Readonly<Record<Caller, string>>>
  /** Part of the change that makes the scene: makes what is needed besides, and says what it is. */
  readonly before: (scene: Scene) => Partial<Things>
  /** Events that the owner hears when it goes well; null: that depends. */
  readonly hears: readonly string[] | null
  /** The server needs no invite. */
  readonly open: boolean
  /** The caller is not logged in any more. */
  readonly ends: boolean
  /** Whether something is stored when it goes well; null: that depends. */
  readonly stores: boolean | null
}

type Options = Omit<Row, 'title' | 'spec' | 'rule' | 'success'>

const PLAIN: Options = {
  body: null,
  form: null,
  ids: {},
  query: null,
  but: {},
  before: () => ({}),
  hears: [],
  open: false,
  ends: false,
  stores: true,
}

export const row = (
  spec: string,
  rule: Rule,
  success: number,
  { note = '', ...rest }: Partial<Options> & { readonly note?: string } = {},
): Row => ({
  ...PLAIN,
  stores: !spec.startsWith('GET'),
  title: note === '' ? spec : `${spec}: ${note}`,
  spec,
  rule,
  success,
  ...rest,
})

/** The first variable part of a path is of the kind that it begins with. */
const BY_PATH: Readonly<Record<string, Thing>> = {
  'servers': 'server',
  'channels': 'channel',
  'messages': 'message',
  'polls': 'poll',
  'dm-channels': 'direct',
  'friend-requests': 'friendRequest',
  'bots': 'app',
  'users': 'target',
  'emojis': 'emoji',
  'portraits': 'portrait',
  'files': 'file',
}
const BY_NAME: Readonly<Record<string, Thing>> = {
  user_id: 'target',
  role_id: 'role',
  channel_id: 'channel',
  message_id: 'message',
  override_id: 'override',
  emoji_id: 'emoji',
  invite_id: 'invite',
  code: 'code',
  emoji: 'reaction',
}

/** What a variable part of the path is. */
export function thingOf({ spec, ids }: Row, name: string): Thing {
  const [, first = ''] = spec.split('/')
  const thing = ids[name] ?? (name === 'id' ? BY_PATH[first] : BY_NAME[name])
  if (thing === undefined) throw new Error(`${spec}: what is :${name}?`)
  return thing
}

/** Things that a request names: in its path, in order, and in what it sends. */
export function thingsOf(one: Row): { readonly path: readonly Thing[]; readonly sent: readonly string[] } {
  const names = [...one.spec.matchAll(/:(\w+)/g)]
    .map(([, name = '']) => name)
    .filter((name) => /^(?:.+_)?id$/.test(name))
  const sent = [...JSON.stringify([one.body, one.form]).matchAll(/\$(\w+)\$/g)].map(([, name = '']) => name)
  return { path: names.map((name) => thingOf(one, name)), sent }
}
