import type { Reply } from '../../support/gateway.ts'
import { field } from '../../support/gateway.ts'
import { type Caller, CALLERS, matters, type Mode, NOT_FOUND, refusalOf } from './callers.ts'
import { type Row, thingsOf } from './row.ts'
import { ofChannels } from './rows/channels.ts'
import { ofPeople } from './rows/people.ts'
import { ofServers } from './rows/servers.ts'
import type { Scene, Thing } from './scene.ts'
import { type Stage, UNKNOWN } from './stage.ts'

export const ROWS: readonly Row[] = [...ofPeople, ...ofServers, ...ofChannels]

/** What each caller is told. */
export type Cells = Record<string, string>

export const told = ({ status, body }: Reply): string =>
  status < 400 ? String(status) : [status, field(body, 'code')].join(' ')

/** An answer in all its bytes but for the time of day. */
const bytesOf = ({ status, headers, text }: Reply): string =>
  JSON.stringify([status, { ...headers, date: undefined }, text])

/** The answers that the rule of a row asks for. */
export const expectedOf = (row: Row, mode: Mode): Cells =>
  Object.fromEntries(
    CALLERS.map((caller) => [caller, row.but[caller] ?? refusalOf(row.rule, caller, mode) ?? String(row.success)]),
  )

/** Rows for which a mode makes a difference; who is in a voice channel can leave it also when they see it no more. */
export const rowsIn = (mode: Mode): readonly Row[] =>
  ROWS.filter((row) => matters(mode, row.rule) || (mode === 'hidden' && thingsOf(row).path.includes('voice')))

const isRefused = (row: Row, caller: Caller, mode: Mode): boolean =>
  expectedOf(row, mode)[caller] !== String(row.success)

/**
 * Has each caller ask. Whoever is to be refused has the same scene, and must leave it as it is; of those who are not, each who
 * changes something has one of their own. What is wrong besides stands behind the answer.
 */
export async function answersOf(stage: Stage, row: Row, mode: Mode): Promise<Cells> {
  const refused = CALLERS.filter((caller) => isRefused(row, caller, mode))
  const letIn = CALLERS.filter((caller) => !isRefused(row, caller, mode))
  const scene = await stage.scene(row, mode)
  const cells: Cells = {}
  const bytes = new Map<Caller, string>()
  for (const caller of refused) {
    const { version } = stage
    const reply = await stage.ask(row, scene.things, caller)
    bytes.set(caller, bytesOf(reply))
    cells[caller] = told(reply)
    if (stage.version !== version) cells[caller] += ', and something has changed'
    if (cells[caller] === NOT_FOUND) cells[caller] += await besideNothing(stage, row, scene, caller, bytesOf(reply))
  }
  if (bytes.get('nobody') !== bytes.get('expired')) cells['expired'] += ', other than nobody'
  const heard = await stage.heard()
  if (heard.length > 0) cells['nobody'] += `, and somebody else has caused ${heard.join()}`

  for (const caller of letIn) {
    const { things } = row.stores === false && row.hears?.length === 0 ? scene : await stage.scene(row, mode)
    const { version } = stage
    cells[caller] = told(await stage.ask(row, things, caller))
    const stored = stage.version !== version
    if (row.stores === !stored) cells[caller] += `, and something was ${stored ? '' : 'not '}stored`
    if (row.ends) await stage.renew(caller)
    const events = await stage.heard()
    if (row.hears !== null && events.join() !== row.hears.join()) cells[caller] += `, with ${events.join()}`
  }
  return cells
}

/** '' where what cannot be seen is answered for as what is not there, in each place of the path. */
async function besideNothing(
  stage: Stage,
  row: Row,
  { things }: Scene,
  caller: Caller,
  bytes: string,
): Promise<string> {
  const { path, sent } = thingsOf(row)
  const hides: readonly (Thing | 'channel')[] = path.length > 0 ? path : sent.includes('channel') ? ['channel'] : []
  for (const thing of hides) {
    const reply = await stage.ask(row, { ...things, [thing]: UNKNOWN }, caller)
    if (bytesOf(reply) !== bytes) return `, other than without ${thing}: ${told(reply)}`
  }
  return ''
}

/** Things that are of one server: one of another has no business in a request. */
const OF_SERVER: ReadonlySet<string> = new Set<Thing>([
  'channel',
  'message',
  'pinned',
  'option',
  'role',
  'held',
  'override',
  'invite',
  'emoji',
  'joinRequest',
  'invitation',
  'target',
])

/** Behind the first thing of a path, which says in which server all others are. Whoever is somewhere can be banned. */
export const foreignOf = (row: Row): readonly string[] => {
  const { path, sent } = thingsOf(row)
  if (path.length === 0 || /\/bans?\b/.test(row.spec)) return []
  return [...path.slice(1), ...sent].filter((thing) => OF_SERVER.has(thing))
}

/** What is answered where one thing of a request is of another server, in which the caller may do the same. */
export async function foreignAnswersOf(stage: Stage, row: Row): Promise<Cells> {
  const caller = CALLERS.find((one) => !isRefused(row, one, 'plain'))
  if (caller === undefined) throw new Error(`${row.title}: for nobody`)
  const other = await stage.scene(row, 'plain')
  const { things } = await stage.scene(row, 'plain', true)
  const { version } = stage
  const cells: Cells = {}
  for (const thing of foreignOf(row)) {
    const foreign: unknown = Reflect.get(other.things, thing)
    const reply = await stage.ask(row, { ...things, [thing]: String(foreign) }, caller)
    const nothing = await stage.ask(row, { ...things, [thing]: UNKNOWN }, caller)
    cells[thing] = told(reply)
    if (bytesOf(reply) !== bytesOf(nothing)) cells[thing] += `, other than of nothing: ${told(nothing)}`
  }
  if (stage.version !== version) cells['afterwards'] = 'something has changed'
  const heard = await stage.heard()
  if (heard.length > 0) cells['heard'] = heard.join()
  return cells
}
