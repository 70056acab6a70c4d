import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Outcome } from '../../../lib/chat/changes.ts'
import type { Content } from '../../../lib/chat/media.ts'
import { SEND_MESSAGES, VIEW_CHANNEL } from '../../../lib/chat/permissions.ts'
import type { World } from '../../../lib/chat/world.ts'
import { must } from '../target.ts'

/** Makes things in a world, at once. */

/** Of emoji: its bytes are in the store. */
export const IMAGE = Buffer.from('GIF89a')
export const GIF: Content = {
  mime: 'image/gif',
  kind: 'image',
  size: IMAGE.length,
  sha256: createHash('sha256').update(IMAGE).digest('hex'),
}

/** Worlds in which a change runs. */
const changing = new WeakSet<World>()

/** A change, done when this returns: throws what it throws. Inside of another it is a part of that. */
export function change<T>(world: World, work: () => T): T {
  if (changing.has(world)) return work()
  const told: Outcome<T>[] = []
  const run = (): T => {
    changing.add(world)
    try {
      return work()
    } finally {
      changing.delete(world)
    }
  }
  world.changes.submit(run, (outcome) => void told.push(outcome))
  flush(world)
  const [outcome] = told
  must(outcome !== undefined && told.length === 1, () => `a change was told of ${told.length} times`)
  if (!outcome.ok) throw outcome.error
  return outcome.value
}

/** Runs all that waits. */
export function flush(world: World): void {
  while (world.changes.waiting > 0) world.changes.flush()
}

export interface TemporaryFolder {
  readonly path: string
  remove(): void
}

export function makeFolder(): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), 'fiberws-fuzz-world-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

export const addUser = (world: World, username: string, email: string | null = null): string =>
  change(world, () => world.users.create({ username, email, passwordHash: null, bot: false })).id

export function addServer(world: World, owner: string, isPublic: boolean, ...others: readonly string[]): string {
  const draft = { name: 'Harbour', icon_url: null, is_public: isPublic ? 1 : 0, require_invite: 0 } as const
  const { id } = change(world, () => world.servers.create(owner, draft))
  // Into one that is not public nobody comes by themselves.
  for (const other of others) change(world, () => world.servers.admit(other, id))
  return id
}

export function addChannel(world: World, owner: string, server: string, type: 'text' | 'voice' = 'text'): string {
  const draft = { name: 'pier', type, topic: null, category: null } as const
  return change(world, () => world.channels.create(owner, server, draft)).id
}

/** What everyone, or one member, may and may not do in a channel. */
const override = (world: World, by: string, channel: string, userId: string | null, allow: number, deny: number) =>
  change(world, () => world.overrides.set(by, channel, { roleId: null, userId }, allow, deny)).id

/** Nobody but the owner sees it, and those who are named. */
export function hide(world: World, owner: string, channel: string, ...from: readonly string[]): string {
  for (const user of from) override(world, owner, channel, user, VIEW_CHANNEL, 0)
  return override(world, owner, channel, null, 0, VIEW_CHANNEL)
}

/** Members read it, and do not write. */
export const silence = (world: World, owner: string, channel: string): string =>
  override(world, owner, channel, null, 0, SEND_MESSAGES)

export const addDirect = (world: World, one: string, other: string): string =>
  change(world, () => world.directs.open(one, other)).direct.id

/** Three people, two servers, channels of each kind: who may write where is said here, and nowhere computed. */
export class Town {
  readonly people: readonly [string, string, string]
  /** Channels that there are. */
  readonly channels: readonly [string, ...string[]]
  /** Channels in which each may write. */
  readonly writes: ReadonlyMap<string, ReadonlySet<string>>

  constructor(world: World) {
    const ada = addUser(world, 'ada', 'ada@harbour.test')
    const brin = addUser(world, 'brin')
    const cleo = addUser(world, 'cleo')
    const harbour = addServer(world, ada, true, brin, cleo)
    const island = addServer(world, cleo, false, brin)
    const [pier, cabin, board] = [0, 1, 2].map(() => addChannel(world, ada, harbour))
    must(pier !== undefined && cabin !== undefined && board !== undefined, 'there are three')
    const radio = addChannel(world, ada, harbour, 'voice')
    const cove = addChannel(world, cleo, island)
    const [first, second] = [addDirect(world, ada, brin), addDirect(world, brin, cleo)]
    hide(world, ada, cabin, brin)
    silence(world, ada, board)
    this.people = [ada, brin, cleo]
    this.channels = [pier, cabin, board, radio, cove, first, second]
    this.writes = new Map([
      [ada, new Set([pier, cabin, board, radio, first])],
      [brin, new Set([pier, cabin, radio, cove, first, second])],
      [cleo, new Set([pier, radio, cove, second])],
    ])
  }
}
