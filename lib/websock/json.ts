import type { Json, JsonObject, JsonValue } from '../../include-types/websock.ts'
import { R_ERR_BAD_ARGS } from './constants.ts'

/** What an index may skip in an array: the gap is filled with nulls, so this bounds what one step can allocate. */
export const MAX_ARRAY_GAP = 1024
/** Levels below the root, and steps of one key: the gaps of nested arrays add up. */
export const MAX_DEPTH = 64

/** Of 'a[0].b[$]': 'a', 0, 'b', null */
type Step = string | number | null
const STEP = /(?:^|(?!^)\.)([^.[\]]+)|\[(\d+|\$)\]/gy

function toSteps(key: string): Step[] | undefined {
  const found = Array.from(key.matchAll(STEP))
  const length = found.reduce((sum, [text]) => sum + text.length, 0)
  if (length === 0 || length < key.length || found.length > MAX_DEPTH) return undefined
  return found.map(([, name, index]) => name ?? (index === '$' ? null : Number(index)))
}

const isHolder = (value: unknown): value is object => typeof value === 'object' && value !== null

/** Own enumerable properties only: `__proto__`, `constructor` and `length` are no part of the JSON text. */
function childOf(holder: unknown, step: Step): unknown {
  if (!isHolder(holder) || step === null || (typeof step === 'number' && !Array.isArray(holder))) return undefined
  return Object.prototype.propertyIsEnumerable.call(holder, step) ? Reflect.get(holder, step) : undefined
}

/** False: a name in an array, an index elsewhere, or one that skips too much. */
function put(holder: unknown, name: Step, value: unknown): boolean {
  if (!isHolder(holder) || name === null || Array.isArray(holder) !== (typeof name === 'number')) return false
  if (Array.isArray(holder)) {
    if (Number(name) - holder.length > MAX_ARRAY_GAP) return false
    while (holder.length < Number(name)) holder.push(null)
  }
  // Not an assignment: `root` may hold objects of the application, where '__proto__' has a setter
  return Reflect.defineProperty(holder, name, { value, writable: true, enumerable: true, configurable: true })
}

/** All or nothing: what is missing is made complete before it is hung into the tree. Returns the steps without '[$]'. */
function write(holder: unknown, [step = null, ...rest]: Step[], leaf: JsonValue): Step[] | undefined {
  const name = step ?? (Array.isArray(holder) ? holder.length : null)
  if (rest.length === 0) return put(holder, name, leaf) ? [name] : undefined
  const old = childOf(holder, name) ?? null
  const child = old ?? (typeof rest[0] === 'string' ? { __proto__: null } : [])
  const names = write(child, rest, leaf)
  return names && (old !== null || put(holder, name, child)) ? [name, ...names] : undefined
}

class JsonTree implements Json {
  readonly root: JsonObject = { __proto__: null }
  /** By node id. An id names a place, so it stays right when the value there is replaced. */
  readonly #paths: (readonly Step[])[] = [[]]
  readonly #ids = new Map([['[]', 0]])

  static is(value: unknown): value is JsonTree {
    return isHolder(value) && #paths in value
  }

  valueAt(nid: number): unknown {
    return this.#paths[nid]?.reduce<unknown>(childOf, this.root)
  }

  idOf(nid: number, steps: readonly Step[]): number {
    const path = [...(this.#paths[nid] ?? []), ...steps]
    const text = JSON.stringify(path)
    const id = this.#ids.get(text) ?? this.#paths.push(path) - 1
    this.#ids.set(text, id)
    return id
  }

  set(nid: number, steps: Step[], leaf: JsonValue): number {
    const depth = (this.#paths[nid]?.length ?? 0) + steps.length
    const path = depth > MAX_DEPTH ? undefined : write(this.valueAt(nid), steps, leaf)
    return path ? this.idOf(nid, path) : R_ERR_BAD_ARGS
  }
}

function setter<T extends JsonValue>(isValid: (value: T) => boolean) {
  return (json: Json, nid: number, key: string, value: T): number => {
    try {
      const steps = toSteps(key)
      return JsonTree.is(json) && steps && isValid(value) ? json.set(nid, steps, value) : R_ERR_BAD_ARGS
    } catch {
      // What the application put below `root` may be frozen, or throw
      return R_ERR_BAD_ARGS
    }
  }
}

/** True for what jsonAlloc made. */
export const isJson = (value: unknown): value is Json => JsonTree.is(value)

/** An empty tree. Node 0 is its root, an object. */
export const jsonAlloc = (): Json => new JsonTree()

/** Does nothing: the tree goes when nobody refers to it. */
export function jsonFree(_json: Json): void {}

/**
 * Sets a string below node `nid`. `key` is a path like 'a.b[0].c' or 'list[$]' (append); what is missing is made.
 * Returns the node id of the value, or -6: bad node, key or value, or a value that is no container is in the way.
 */
export const jsonSetString = setter<string>((value) => typeof value === 'string')
/** Like jsonSetString, for a finite number. */
export const jsonSetNumber = setter<number>(Number.isFinite)
export const jsonSetNum = jsonSetNumber
/** Like jsonSetString, for a boolean. */
export const jsonSetBool = setter<boolean>((value) => typeof value === 'boolean')

/** The node id of what is at `key` below node `nid`; -1: nothing. */
export function jsonGetId(json: Json, nid: number, key: string): number {
  try {
    const steps = toSteps(key)
    if (!JsonTree.is(json) || !steps) return -1
    return steps.reduce(childOf, json.valueAt(nid)) === undefined ? -1 : json.idOf(nid, steps)
  } catch {
    return -1
  }
}

/**
 * The strict JSON text that webSocketSendJson sends: of node `nid` of a tree or of any plain value (`nid` is ignored), or
 * of what is at `key` below it. Null for everything without JSON text: missing, undefined, function, cyclic, bigint, …
 */
export function jsonText(json: unknown, nid: number, key: string | null): string | null {
  try {
    const top = JsonTree.is(json) ? json.valueAt(nid) : json
    const value = key === null ? top : toSteps(key)?.reduce(childOf, top)
    return JSON.stringify(value) ?? null
  } catch {
    return null
  }
}
