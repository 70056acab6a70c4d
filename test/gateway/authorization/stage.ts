import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqlite, type Sqlite } from '../../../lib/chat/store/sqlite.ts'
import { Passwords } from '../../../lib/gateway/passwords.ts'
import { type Client, field, Gateway, type Person, type Reply } from '../../support/gateway.ts'
import type { EngineName } from '../../support/server.ts'
import { type Caller, type Mode, overrideIn } from './callers.ts'
import { type Row, thingOf } from './row.ts'
import { type Account, IMAGE, makeScene, PASSWORD, type Scene, type Things } from './scene.ts'

export const UNKNOWN = '01900000-0000-7000-8000-000000000000'
const SECRET = 'a secret of the harbour, which is long enough'
const BOUNDARY = 'a-buoy'

/** Who they are, and what their requests have as Authorization. */
interface Cast {
  readonly people: Readonly<Record<Account, string>>
  readonly credentials: Record<Caller, string | null>
}

/** A gateway with the nine callers, and a connection of the owner that hears what happens. */
export class Stage {
  readonly gateway: Gateway
  readonly people: Cast['people']
  readonly #credentials: Cast['credentials']
  readonly #passwordHash: string
  readonly #sqlite: Sqlite
  #witness: Client
  /** Of scenes before. */
  readonly #servers = new Set<string>()

  private constructor(gateway: Gateway, { people, credentials }: Cast, passwordHash: string, witness: Client) {
    this.gateway = gateway
    this.people = people
    this.#credentials = credentials
    this.#passwordHash = passwordHash
    this.#witness = witness
    this.#sqlite = openSqlite(join(gateway.folder, 'world.db'), 1000)
  }

  static async make(engine: EngineName): Promise<Stage> {
    const folder = mkdtempSync(join(tmpdir(), 'fiberws-stage-'))
    const settings = { jwtSecret: SECRET, wsRate: 0 }
    const gateway = (await Gateway.start(engine, settings, folder)).keep()
    const passwordHash = await new Passwords({ N: 1024, r: 8, p: 1 }).hash(PASSWORD)
    const { world } = gateway
    const add = async (username: string): Promise<Person> => {
      const user = { username, email: null, passwordHash, bot: false }
      return gateway.login((await world.changes.run(() => world.users.create(user))).id)
    }
    // The first is the instance's admin, which is nothing to servers.
    const stranger = await add('stranger')
    const owner = await add('owner')
    const others = {
      admin: await add('admin'),
      moderator: await add('moderator'),
      member: await add('member'),
      banned: await add('banned'),
    }
    await gateway.server(stranger)
    const bot = await gateway.bot(stranger, 'buoy')
    const cast: Cast = {
      people: {
        owner: owner.id,
        admin: others.admin.id,
        moderator: others.moderator.id,
        member: others.member.id,
        bot: bot.userId,
        stranger: stranger.id,
        banned: others.banned.id,
      },
      credentials: {
        owner: bearer(owner),
        admin: bearer(others.admin),
        moderator: bearer(others.moderator),
        member: bearer(others.member),
        bot: `Bot ${bot.token}`,
        stranger: bearer(stranger),
        banned: bearer(others.banned),
        nobody: null,
        expired: `Bearer ${expired(owner.token)}`,
      },
    }
    return new Stage(gateway, cast, passwordHash, await gateway.connect(owner))
  }

  async free(): Promise<void> {
    this.#sqlite.close()
    await this.gateway.free()
    rmSync(this.gateway.folder, { recursive: true })
  }

  /** In one change, in the place of the scene before; what comes last in it says how its channels are. */
  async scene(row: Pick<Row, 'open' | 'before' | 'rule'>, mode: Mode, keepsLast = false): Promise<Scene> {
    const { world } = this.gateway
    const { people } = this
    const scene = await world.files.keep(Buffer.from(IMAGE), (content) => {
      if (!keepsLast) this.#clear()
      const options = { people, passwordHash: this.#passwordHash, content, open: row.open }
      const made = makeScene(world, options)
      const things = { ...made.things, ...row.before(made) }
      this.#set(things, mode, overrideIn(mode, row.rule))
      return { world, things }
    })
    this.#servers.add(scene.things.server)
    await this.heard()
    return scene
  }

  #set({ owner, server, ...things }: Things, mode: Mode, { allow, deny }: ReturnType<typeof overrideIn>): void {
    const { overrides, moderation } = this.gateway.world
    const everyone = { roleId: null, userId: null }
    if ((allow | deny) !== 0) {
      for (const channel of [things.channel, things.voice]) overrides.set(owner, channel, everyone, allow, deny)
    }
    if (mode !== 'silenced') return
    for (const who of [things.admin, things.moderator, things.member, things.bot]) {
      moderation.silence(owner, server, who, 300, null)
    }
  }

  #clear(): void {
    const { access, servers } = this.gateway.world
    for (const id of this.#servers) if (access.isMember(this.people.owner, id)) servers.remove(this.people.owner, id)
    this.#servers.clear()
  }

  /** What the owner has heard since the last time. */
  async heard(): Promise<string[]> {
    return this.#witness.settle()
  }

  /** Grows whenever something was stored. */
  get version(): number {
    return this.#sqlite.prepare<{ data_version: number }>('PRAGMA data_version').all([])[0]?.data_version ?? 0
  }

  async ask(row: Row, things: Things, caller: Caller): Promise<Reply> {
    const [method = '', pattern = ''] = row.spec.split(' ')
    const own = { ...things, me: isAccount(caller) ? this.people[caller] : UNKNOWN }
    const query = row.query === null ? '' : `?${own[row.query]}`
    const path = pattern.replaceAll(/:(\w+)/g, (_, name: string) => own[thingOf(row, name)]) + query
    const credential = this.#credentials[caller]
    if (row.form === null) {
      const body = row.body === null ? undefined : fill(JSON.stringify(row.body), own)
      return this.gateway.request(method, path, credential, body)
    }
    const type = { 'Content-Type': `multipart/form-data; boundary=${BOUNDARY}` }
    return this.gateway.request(method, path, credential, fill(toForm(row.form), own), type)
  }

  /** What the socket is asked with. */
  queryOf(caller: Caller): string {
    const [scheme, token = ''] = (this.#credentials[caller] ?? '').split(' ')
    return token === '' ? '' : `${scheme === 'Bot' ? 'bot_token' : 'token'}=${token}`
  }

  /** Logs somebody in again. */
  async renew(caller: Caller): Promise<void> {
    if (!isAccount(caller) || caller === 'bot') return
    const person = await this.gateway.login(this.people[caller])
    this.#credentials[caller] = bearer(person)
    if (caller !== 'owner') return
    await this.#witness.closed
    this.#witness = await this.gateway.connect(person)
    this.#credentials.expired = `Bearer ${expired(person.token)}`
  }

  /** Has the bot come with a token that ends. */
  async useBotJwt(): Promise<void> {
    const { body } = await this.gateway.request('POST', '/bots/connect', this.#credentials.bot)
    this.#credentials.bot = `Bearer ${String(field(body, 'access_token'))}`
  }
}

const isAccount = (caller: Caller): caller is Account => caller !== 'nobody' && caller !== 'expired'
const bearer = ({ token }: Person): string => `Bearer ${token}`

/** The same token, which ended a second ago. */
function expired(token: string): string {
  const [head = '', body = ''] = token.split('.')
  const claims: unknown = JSON.parse(Buffer.from(body, 'base64url').toString())
  const exp = Math.floor(Date.now() / 1000) - 1
  const content = `${head}.${Buffer.from(JSON.stringify({ ...Object(claims), exp })).toString('base64url')}`
  return `${content}.${createHmac('sha256', SECRET).update(content).digest('base64url')}`
}

/** Names of things in the place of which their ids come. */
const fill = (text: string, things: Things): string =>
  text.replaceAll(/\$(\w+)\$/g, (_, name: string) => String(Reflect.get(things, name)))

const toForm = (fields: Readonly<Record<string, string>>): string =>
  Object.entries(fields)
    .map(([name, value]) => {
      const file = name === 'image' || name === 'file' ? '; filename="x.gif"' : ''
      return `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${value}\r\n`
    })
    .concat(`--${BOUNDARY}--\r\n`)
    .join('')
