import { once } from 'node:events'
import JSON5 from 'json5'
import { Compile } from 'typebox/schema'
import { WebSocketServer } from 'ws'
import { FIRST_MEMBER, GROUP, MEMBERS } from './group.ts'

/*
 * A server with as little as NapCat needs: the `ws` package, JSON5 for each frame, a schema, and members in a map. NapCat itself
 * compiles its schema in each call, and asks another process; both are left out here.
 */

const Params = Compile({
  type: 'object',
  required: ['group_id', 'user_id'],
  properties: {
    group_id: { anyOf: [{ type: 'number' }, { type: 'string' }] },
    user_id: { anyOf: [{ type: 'number' }, { type: 'string' }] },
    no_cache: { anyOf: [{ type: 'boolean' }, { type: 'string' }] },
  },
})

const members = new Map(
  Array.from({ length: MEMBERS }, (_, n) => [
    String(FIRST_MEMBER + n),
    {
      group_id: GROUP,
      user_id: FIRST_MEMBER + n,
      nickname: `person-${n}`,
      card: '',
      sex: 'unknown',
      age: 0,
      area: '',
      level: '0',
      qq_level: 0,
      join_time: 1_770_000_000,
      last_sent_time: 1_770_000_000,
      title_expire_time: 0,
      unfriendly: false,
      card_changeable: true,
      is_robot: false,
      shut_up_timestamp: 0,
      role: n === 0 ? 'owner' : 'member',
      title: '',
    },
  ]),
)
const groups = new Map([[String(GROUP), members]])

const isAsked = (
  value: unknown,
): value is { readonly action: unknown; readonly params: unknown; readonly echo: unknown } =>
  typeof value === 'object' && value !== null && 'action' in value && 'params' in value && 'echo' in value

function answer(text: string): object {
  const asked: unknown = JSON5.parse(text)
  if (!isAsked(asked) || asked.action !== 'get_group_member_info' || !Params.Check(asked.params)) {
    return { status: 'failed', retcode: 1400, data: null, message: '', wording: '', echo: null }
  }
  const { group_id, user_id } = asked.params
  const data = groups.get(String(group_id))?.get(String(user_id)) ?? null
  return {
    status: 'ok',
    retcode: 0,
    data: { ...data },
    message: '',
    wording: '',
    echo: asked.echo,
    stream: 'normal-action',
  }
}

export async function startNapcat(): Promise<number> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', maxPayload: 50 * 1024 * 1024 })
  server.on('connection', (ws) => {
    // oxlint-disable-next-line no-base-to-string
    ws.on('message', (data) => ws.send(JSON.stringify(answer(data.toString()))))
  })
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
