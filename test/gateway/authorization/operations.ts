import { type Client, knock, pinged } from '../../support/gateway.ts'
import {
  type Caller,
  CALLERS,
  inChannel,
  MEMBER,
  MEMBERS,
  type Mode,
  refusalOf,
  type Rule,
  SEND_MESSAGES,
  USER,
} from './callers.ts'
import type { Cells } from './matrix.ts'
import type { Scene, Things } from './scene.ts'
import type { Stage } from './stage.ts'

/** An operation of the socket, and of whom the target hears it. */
export interface OperationRow {
  readonly op: string
  readonly rule: Rule
  readonly d: (things: Things, turn: number) => object
  /** What the target gets; null: nothing. */
  readonly event: string | null
  /** What comes back. */
  readonly own: string
}

const NOTHING = 'nothing'

export const OPERATION_ROWS: readonly OperationRow[] = [
  { op: 'HEARTBEAT', rule: USER, d: () => ({}), event: null, own: 'HEARTBEAT_ACK' },
  {
    op: 'PRESENCE_UPDATE',
    rule: MEMBER,
    d: ({ name }, turn) => ({ status: 'online', custom_status: `${name} ${turn}` }),
    event: 'PRESENCE_UPDATE',
    own: 'PRESENCE_UPDATE',
  },
  {
    op: 'TYPING_START',
    rule: inChannel(SEND_MESSAGES),
    d: ({ channel }) => ({ channel_id: channel }),
    event: 'TYPING_START',
    own: NOTHING,
  },
  {
    op: 'VOICE_SIGNAL',
    rule: MEMBER,
    d: ({ target }) => ({ to_user_id: target, type: 'offer', sdp: 'v=0' }),
    event: 'VOICE_SIGNAL',
    own: NOTHING,
  },
]

/** The target sees the channel whatever happens, and all who can are in voice with them. */
function before({ world, things }: Scene): Partial<Things> {
  const { owner, channel, voice, target } = things
  world.overrides.set(owner, channel, { roleId: null, userId: target }, 1, 0)
  for (const who of [...MEMBERS, 'target'] as const) world.voice.join(things[who], voice)
  return {}
}

const toCell = (events: readonly string[]): string => (events.length === 0 ? NOTHING : events.join())

/** What the target is to hear of each who does it; those who are not let in are answered for that. */
export const heardBy = ({ rule, event }: OperationRow, mode: Mode): Cells =>
  Object.fromEntries(
    CALLERS.map((caller) => {
      if (caller === 'nobody' || caller === 'expired') return [caller, '401']
      return [caller, toCell(refusalOf(rule, caller, mode) === null && event !== null ? [event] : [])]
    }),
  )

/** Has each caller do it, and listens with the target, and with a stranger, who hears nothing of others. */
export async function listenTo(stage: Stage, row: OperationRow, mode: Mode): Promise<Cells> {
  const { gateway } = stage
  const { things } = await stage.scene({ open: false, before, rule: row.rule }, mode)
  const target = await gateway.connect(await gateway.login(things.target))
  const others = new Map<Caller, Client>()
  const cells: Cells = {}
  for (const caller of CALLERS) {
    const query = stage.queryOf(caller)
    if (caller === 'nobody' || caller === 'expired') cells[caller] = String((await knock(gateway, query)).status)
    else others.set(caller, await gateway.connect(query))
  }
  const stranger = others.get('stranger')
  let turn = 0
  for (const [caller, client] of others) {
    await gateway.got(target, ...others.values())
    const from = client.frames.length
    client.send({ op: row.op, d: row.d(things, ++turn) })
    await pinged(client)
    // What it changes is written later in the turn.
    await gateway.world.changes.run(() => {})
    cells[caller] = toCell(await target.settle())
    const aside = client === stranger ? NOTHING : toCell((await stranger?.settle()) ?? ['no stranger'])
    if (aside !== NOTHING) cells[caller] += `, and the stranger ${aside}`
    await pinged(client)
    const back = toCell(client.frames.slice(from).map(({ t, op }) => t ?? op))
    if (back !== row.own) cells[caller] += `, and ${back} comes back`
    if (row.op === 'HEARTBEAT') await client.next('HEARTBEAT_ACK')
  }
  for (const client of [target, ...others.values()]) await client.close()
  return cells
}
