import type { ExpressionBuilder } from 'kysely'
import type { Database, Param } from './database.ts'
import type { Flag } from './flag.ts'
import type { Tables } from './tables.ts'

const COLUMNS = [
  's.id',
  's.name',
  's.owner_id',
  's.icon_url',
  's.is_public',
  's.require_invite',
  's.created_at',
  's.updated_at',
] as const
/** Servers that are shown to who looks around. */
const BROWSED = 50

const countMembers = (eb: ExpressionBuilder<Tables & { s: Tables['servers'] }, 's'>) =>
  eb
    .selectFrom('server_members as of')
    .whereRef('of.server_id', '=', 's.id')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .$asScalar()
    .$notNull()
    .as('member_count')

/** What is asked of, and done to, servers and who is in them. */
export const prepareServers = (db: Database) => ({
  byId: db.first((q, p: Param<{ id: string }>) =>
    q
      .selectFrom('servers as s')
      .where('s.id', '=', p('id'))
      .select(COLUMNS)
      .select((eb) => countMembers(eb)),
  ),
  named: db.first((q, p: Param<{ name: string }>) =>
    q
      .selectFrom('servers')
      .select('id')
      .where((eb) => eb.or([eb('name', '=', p('name')), eb('id', '=', p('name'))]))
      .orderBy('id'),
  ),
  ofUser: db.all((q, p: Param<{ user: string }>) =>
    q
      .selectFrom('server_members as m')
      .innerJoin('servers as s', 's.id', 'm.server_id')
      .where('m.user_id', '=', p('user'))
      .select(COLUMNS)
      .orderBy('s.created_at')
      .orderBy('s.id'),
  ),
  countedOf: db.all((q, p: Param<{ user: string }>) =>
    q
      .selectFrom('server_members as m')
      .innerJoin('servers as s', 's.id', 'm.server_id')
      .where('m.user_id', '=', p('user'))
      .select(COLUMNS)
      .select((eb) => countMembers(eb))
      .orderBy('s.created_at')
      .orderBy('s.id'),
  ),
  public: db.all((q) =>
    q
      .selectFrom('servers as s')
      .where('s.is_public', '=', 1)
      .select(COLUMNS)
      .select((eb) => countMembers(eb))
      .orderBy('member_count', 'desc')
      .orderBy('s.id')
      .limit(BROWSED),
  ),
  countOf: db.first((q, p: Param<{ user: string }>) =>
    q
      .selectFrom('server_members')
      .where('user_id', '=', p('user'))
      .select(({ fn }) => fn.countAll<number>().as('count')),
  ),
  banned: db.first((q, p: Param<{ server: string; user: string }>) =>
    q
      .selectFrom('server_bans')
      .where('server_id', '=', p('server'))
      .where('user_id', '=', p('user'))
      .select('created_at'),
  ),
  insert: db.run(
    (
      q,
      p: Param<{
        id: string
        name: string
        owner: string
        icon_url: string | null
        is_public: Flag
        require_invite: Flag
        at: string
      }>,
    ) =>
      q.insertInto('servers').values({
        id: p('id'),
        name: p('name'),
        owner_id: p('owner'),
        icon_url: p('icon_url'),
        is_public: p('is_public'),
        require_invite: p('require_invite'),
        created_at: p('at'),
        updated_at: p('at'),
      }),
  ),
  update: db.run(
    (
      q,
      p: Param<{
        id: string
        name: string
        icon_url: string | null
        is_public: Flag
        require_invite: Flag
        at: string
      }>,
    ) =>
      q
        .updateTable('servers')
        .set({
          name: p('name'),
          icon_url: p('icon_url'),
          is_public: p('is_public'),
          require_invite: p('require_invite'),
          updated_at: p('at'),
        })
        .where('id', '=', p('id')),
  ),
  delete: db.run((q, p: Param<{ id: string }>) => q.deleteFrom('servers').where('id', '=', p('id'))),
  join: db.run((q, p: Param<{ server: string; user: string; at: string; marker: string }>) =>
    q.insertInto('server_members').values({
      server_id: p('server'),
      user_id: p('user'),
      joined_at: p('at'),
      join_marker: p('marker'),
      server_mute: 0,
      server_deaf: 0,
    }),
  ),
  // Its roles go with it.
  leave: db.run((q, p: Param<{ server: string; user: string }>) =>
    q.deleteFrom('server_members').where('server_id', '=', p('server')).where('user_id', '=', p('user')),
  ),
  overridden: db.all((q, p: Param<{ server: string; user: string }>) =>
    q
      .selectFrom('channel_overrides as o')
      .innerJoin('channels as c', 'c.id', 'o.channel_id')
      .where('o.user_id', '=', p('user'))
      .where('c.server_id', '=', p('server'))
      .select('o.channel_id'),
  ),
  dropOverrides: db.run((q, p: Param<{ server: string; user: string }>) =>
    q
      .deleteFrom('channel_overrides')
      .where('user_id', '=', p('user'))
      .where('channel_id', 'in', (eb) => eb.selectFrom('channels').select('id').where('server_id', '=', p('server'))),
  ),
  doorOf: db.first((q, p: Param<{ id: string }>) =>
    q.selectFrom('servers').select(['owner_id', 'is_public', 'require_invite']).where('id', '=', p('id')),
  ),
})
