import type { StoredFile } from '../../chat/store/files.ts'
import { Refusal } from '../../chat/refusal.ts'
import type { Answer } from '../../web/answer.ts'
import type { Caller } from '../tokens.ts'
import { checkBody, type Validator } from './body.ts'
import { Form } from './form.ts'

/** Who may call a route: nobody in particular, anybody who is known, people, bots. */
export type Who = 'public' | 'user' | 'human' | 'bot'

/** What a route is given: what was asked, checked. */
export interface Call<B> {
  /** Null on public routes without a credential. */
  readonly caller: Caller | null
  /** Variable parts of the path by their names; ids in lower case. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly body: B
  /** The client's address, of routes below /auth. */
  readonly remote: string
  /** Under which a request that makes something is answered once; null: each time. */
  readonly key: string | null
  /** Method and path. */
  readonly target: string
}

/** What a route answers. */
export interface Reply {
  readonly status: number
  /** JSON, unless its headers say otherwise; '' for none. */
  readonly body: string | Uint8Array
  readonly headers?: Answer['headers']
}

/** A file of the world, for who asks for it. */
export interface FileReply {
  readonly file: StoredFile
}

type Result = Reply | FileReply

export interface Route {
  readonly method: string
  /** Parts with a ':' in front may be anything; those called id, or something_id, are ids. */
  readonly pattern: string
  readonly who: Who
  /** What body it reads. */
  readonly reads: 'nothing' | 'json' | 'form'
  /** Bytes of it; null: as many as of most. */
  readonly maxBody: number | null
  run(call: Call<unknown>): Result | Promise<Result>
}

type Spec = `${'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'} /${string}`
type Run<B> = (call: Call<B>) => Result | Promise<Result>

const parse = (spec: Spec): Pick<Route, 'method' | 'pattern'> => {
  const [method = '', pattern = ''] = spec.split(' ')
  return { method, pattern }
}

/** Whether a route is for such as them; who has no account at all was sent away before. */
function checkKind(who: Who, caller: Caller | null): void {
  const bot = caller?.bot ?? null
  const fits = who === 'bot' ? bot !== null : who !== 'human' || bot === null
  if (!fits) throw new Refusal('FORBIDDEN', 'Not for this kind of account')
}

/** A route without a body. Who may call it is always said: there is no default. */
export const route = (spec: Spec, who: Who, run: Run<unknown>): Route => ({
  ...parse(spec),
  who,
  reads: 'nothing',
  maxBody: null,
  run: (call) => {
    checkKind(who, call.caller)
    return run(call)
  },
})

/** One with a body, which is what the validator says when `run` gets it. */
export const routeWithBody = <B>(spec: Spec, who: Who, validator: Validator<B>, run: Run<B>): Route => ({
  ...parse(spec),
  who,
  reads: 'json',
  maxBody: null,
  run: (call) => {
    const body = checkBody(call.body, validator)
    checkKind(who, call.caller)
    return run({ ...call, body })
  },
})

/** One that takes files, of so many bytes in all. */
export const routeWithForm = (spec: Spec, who: Who, maxBody: number, run: Run<Form>): Route => ({
  ...parse(spec),
  who,
  reads: 'form',
  maxBody,
  run: (call) => {
    const { body } = call
    if (!(body instanceof Form)) throw new Error('There is no form')
    checkKind(who, call.caller)
    return run({ ...call, body })
  },
})

export const ok = (value: unknown): Reply => okText(JSON.stringify(value))
export const created = (value: unknown): Reply => createdText(JSON.stringify(value))
/** The same, of what is JSON already. */
export const okText = (body: string): Reply => ({ status: 200, body })
export const createdText = (body: string): Reply => ({ status: 201, body })
export const NO_CONTENT: Reply = { status: 204, body: '' }

interface Node {
  readonly children: Map<string, Node>
  /** The part that may be anything, and its name. */
  any: { readonly name: string; readonly node: Node } | null
  readonly routes: Map<string, Route>
}

/** A route for a path, with what its variable parts are. */
export interface Found {
  readonly routes: ReadonlyMap<string, Route>
  readonly params: Readonly<Record<string, string>>
}

const createNode = (): Node => ({ children: new Map(), any: null, routes: new Map() })

/** Routes by their paths; a part that is written out comes before one that may be anything. */
export class Router {
  readonly #root = createNode()
  readonly all: readonly Route[]

  constructor(routes: readonly Route[]) {
    this.all = routes
    for (const one of routes) this.#add(one)
  }

  #add(one: Route): void {
    const { method, pattern } = one
    const parts = pattern.split('/').slice(1)
    const node = parts.reduce((above, part) => descend(above, part), this.#root)
    if (node.routes.has(method)) throw new Error(`${method} ${pattern} is there twice`)
    node.routes.set(method, one)
  }

  find(path: string): Found | null {
    const params: Record<string, string> = {}
    const node = search(this.#root, path.split('/').slice(1), params)
    return node === null || node.routes.size === 0 ? null : { routes: node.routes, params }
  }
}

function descend(node: Node, part: string): Node {
  if (part.startsWith(':')) {
    const name = part.slice(1)
    node.any ??= { name, node: createNode() }
    if (node.any.name !== name) throw new Error(`:${name} is called :${node.any.name} elsewhere`)
    return node.any.node
  }
  const child = node.children.get(part) ?? createNode()
  node.children.set(part, child)
  return child
}

function search(node: Node, [part, ...rest]: readonly string[], params: Record<string, string>): Node | null {
  if (part === undefined) return node
  const child = node.children.get(part)
  const found = child === undefined ? null : search(child, rest, params)
  if (found !== null && found.routes.size > 0) return found
  if (node.any === null) return null
  params[node.any.name] = part
  return search(node.any.node, rest, params)
}
