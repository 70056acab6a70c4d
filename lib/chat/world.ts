import { sql } from 'kysely'
import { Access } from './access.ts'
import { Arrivals } from './arrivals.ts'
import { Audit } from './audit.ts'
import { Bots } from './bots.ts'
import { Changes } from './changes.ts'
import { Channels } from './channels.ts'
import type { Core } from './core.ts'
import { Directs } from './directs.ts'
import { Emojis } from './emojis.ts'
import { dispatch, Events, type Failed } from './events.ts'
import { Files } from './files.ts'
import { Forwards } from './forwards.ts'
import { Friends } from './friends.ts'
import { GroupFiles } from './group-files.ts'
import { History } from './history.ts'
import { Ids } from './ids.ts'
import { Invites } from './invites.ts'
import { Likes } from './likes.ts'
import { Links } from './links.ts'
import { Members } from './members.ts'
import { Messages } from './messages.ts'
import { Moderation } from './moderation.ts'
import { Notices } from './notices.ts'
import { Numbers } from './numbers.ts'
import { Overrides } from './overrides.ts'
import { Pokes } from './pokes.ts'
import { Polls } from './polls.ts'
import { Portraits } from './portraits.ts'
import { Presence } from './presence.ts'
import { Reactions } from './reactions.ts'
import { Remarks } from './remarks.ts'
import { Replies } from './replies.ts'
import { Requests } from './requests.ts'
import { Roles } from './roles.ts'
import { Servers } from './servers.ts'
import { Sessions } from './sessions.ts'
import { Blobs } from './store/blobs.ts'
import { Database } from './store/database.ts'
import { migrate } from './store/migrations.ts'
import { Unreads } from './unread.ts'
import { Uploads } from './uploads.ts'
import { Users } from './users.ts'
import { Voice } from './voice.ts'

export interface WorldOptions {
  /** Where files are kept. */
  readonly folder: string
  /** Of the database. */
  readonly file: string
  /** Signs links to files. */
  readonly linkKey: string
  /** What was answered survives also a loss of power. */
  readonly full: boolean
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly failed: Failed
}

/**
 * People, servers, channels, and what is said in them. Its parts are asked at any time; what changes something is called inside
 * `changes`, and refuses what its rules do not allow by throwing a `Refusal`. Knows no protocol.
 */
export class World {
  readonly #core: Core
  readonly access: Access
  readonly users: Users
  readonly sessions: Sessions
  readonly bots: Bots
  readonly servers: Servers
  readonly members: Members
  readonly moderation: Moderation
  readonly roles: Roles
  readonly channels: Channels
  readonly overrides: Overrides
  readonly friends: Friends
  readonly arrivals: Arrivals
  readonly invites: Invites
  readonly emojis: Emojis
  readonly files: Files
  readonly uploads: Uploads
  readonly groupFiles: GroupFiles
  readonly notices: Notices
  readonly polls: Polls
  readonly portraits: Portraits
  readonly messages: Messages
  readonly reactions: Reactions
  readonly directs: Directs
  readonly unreads: Unreads
  readonly presence: Presence
  readonly voice: Voice
  readonly replies: Replies
  readonly remarks: Remarks
  readonly likes: Likes
  readonly forwards: Forwards
  readonly history: History
  readonly pokes: Pokes

  /** Opens it, or makes it. Throws where it cannot be used. */
  constructor({ folder, file, linkKey, full, now, failed }: WorldOptions) {
    const db = new Database(file, full)
    try {
      migrate(db)
      this.#core = createCore(db, now, failed)
    } catch (error) {
      db.close()
      throw error
    }
    const core = this.#core
    this.access = new Access(core)
    this.users = new Users(core)
    this.sessions = new Sessions(core)
    this.bots = new Bots(core, this.users)
    this.presence = new Presence(core, this.users)
    this.servers = new Servers(core, this.access)
    this.members = new Members(core, this.access, this.presence)
    this.moderation = new Moderation(core, this.access, this.servers, this.users)
    this.roles = new Roles(core, this.access)
    this.channels = new Channels(core, this.access)
    this.overrides = new Overrides(core, this.access, this.roles)
    const requests = new Requests(core)
    this.friends = new Friends(core, this.users, requests)
    this.arrivals = new Arrivals(core, this.access, this.servers, this.users, requests)
    this.invites = new Invites(core, this.access, this.servers)
    this.files = new Files(core, new Blobs(folder, full), new Links(linkKey, now))
    this.emojis = new Emojis(core, this.access, this.files)
    this.portraits = new Portraits(core, this.users, this.channels, this.files)
    this.polls = new Polls(core, this.access)
    this.groupFiles = new GroupFiles(core, this.access, this.files)
    this.notices = new Notices(core, this.access, this.files)
    this.messages = new Messages(core, this.access, this.users, this.polls, this.groupFiles)
    this.reactions = new Reactions(core, this.messages)
    this.directs = new Directs(core, this.users, this.friends, this.files)
    this.uploads = new Uploads(this.access, this.directs, this.files)
    this.replies = new Replies(core)
    this.remarks = new Remarks(core)
    this.likes = new Likes(core, this.users)
    this.forwards = new Forwards(core)
    this.history = new History(core)
    this.pokes = new Pokes(core, this.access, this.users, this.directs)
    this.unreads = new Unreads(core, this.access, this.directs)
    this.voice = new Voice(core, this.access, this.users, this.presence)
    // Before doors are told.
    core.events.on((event) => dispatch(this.presence.events, event))
    core.events.on((event) => dispatch(this.voice.events, event))
  }

  get changes(): Changes {
    return this.#core.changes
  }

  get audit(): Audit {
    return this.#core.audit
  }

  get events(): Events {
    return this.#core.events
  }

  get ids(): Ids {
    return this.#core.ids
  }

  /** Grows with whatever is written: what was read is good as long as it does not. */
  get version(): number {
    return this.#core.db.written
  }

  /** Milliseconds since 1970. */
  get now(): () => number {
    return this.#core.now
  }

  /** `PRAGMA synchronous` of the connection that writes: 2 is FULL. */
  get synchronous(): number {
    return Number(this.#core.db.pragma('synchronous'))
  }

  /** Writes what still waits, and lets go of the files. */
  close(): void {
    this.voice.close()
    this.files.close()
    while (this.changes.waiting > 0) this.changes.flush()
    this.#core.db.close()
  }
}

function createCore(db: Database, now: () => number, failed: Failed): Core {
  const newest = db.first((q) => ({
    compile: () =>
      sql<{ id: string | null }>`
        SELECT MAX(id) AS id FROM (
          SELECT MAX(id) AS id FROM messages UNION ALL SELECT MAX(id) FROM dm_messages UNION ALL
          SELECT MAX(id) FROM users UNION ALL SELECT MAX(id) FROM channels UNION ALL SELECT MAX(id) FROM servers UNION ALL
          SELECT MAX(id) FROM sessions UNION ALL SELECT MAX(id) FROM roles UNION ALL SELECT MAX(id) FROM dm_channels UNION ALL
          SELECT MAX(id) FROM polls UNION ALL SELECT MAX(id) FROM poll_options UNION ALL
          SELECT MAX(id) FROM server_invites UNION ALL SELECT MAX(id) FROM files UNION ALL
          SELECT MAX(id) FROM custom_emojis UNION ALL SELECT MAX(id) FROM requests UNION ALL
          SELECT MAX(id) FROM audit_logs UNION ALL SELECT MAX(id) FROM forwards UNION ALL
          SELECT MAX(id) FROM bots UNION ALL SELECT MAX(id) FROM channel_overrides UNION ALL
          SELECT MAX(id) FROM group_folders UNION ALL SELECT MAX(id) FROM notices UNION ALL
          SELECT MAX(join_marker) FROM server_members UNION ALL SELECT MAX(last_read_id) FROM read_states)
      `.compile(q),
  }))
  // What somebody did when the last process ended, nobody does now.
  db.exec('UPDATE users SET activity = NULL WHERE activity IS NOT NULL')
  // And what was growing then, does so no more.
  db.exec('UPDATE messages SET draft = 0 WHERE draft = 1')
  const numbers = new Numbers(db)
  const events = new Events(failed)
  const changes = new Changes(db, numbers, events)
  const ids = new Ids(now, newest({})?.id ?? '')
  return { db, numbers, events, changes, now, ids, audit: new Audit(db, ids, now) }
}
