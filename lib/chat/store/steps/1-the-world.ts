/*
 * Messages have no index by their author: each author's entries lie elsewhere, so that a commit of fifty messages wrote fifty pages
 * more, a quarter of what a post costs.
 */

export const THE_WORLD = `
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);

CREATE TABLE users (
  num INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  username TEXT NOT NULL,
  username_lc TEXT NOT NULL UNIQUE,
  email TEXT,
  email_lc TEXT,
  password_hash TEXT,
  avatar_url TEXT,
  bio TEXT,
  pronouns TEXT,
  status_sticky TEXT CHECK (status_sticky IN ('dnd', 'offline')),
  custom_status TEXT,
  activity TEXT,
  is_admin INTEGER NOT NULL DEFAULT 0 CHECK (is_admin IN (0, 1)),
  is_bot INTEGER NOT NULL DEFAULT 0 CHECK (is_bot IN (0, 1)),
  disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
  disabled_at TEXT,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
);
CREATE UNIQUE INDEX users_email ON users (email_lc) WHERE email_lc IS NOT NULL;

CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_at TEXT NOT NULL,
  last_used_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  revoked_at TEXT,
  revoke_reason TEXT
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE refresh_tokens (
  token_hash TEXT PRIMARY KEY,
  session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  issued_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  used_at TEXT,
  used_from TEXT
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);
CREATE UNIQUE INDEX refresh_tokens_fresh ON refresh_tokens (session_id) WHERE used_at IS NULL;

CREATE TABLE bots (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL UNIQUE REFERENCES users (id) ON DELETE CASCADE,
  handle TEXT,
  name TEXT NOT NULL,
  description TEXT,
  token_hash TEXT NOT NULL UNIQUE,
  token_gen INTEGER NOT NULL,
  created_by TEXT REFERENCES users (id) ON DELETE SET NULL,
  revoked_at TEXT,
  created_at TEXT NOT NULL
);
CREATE UNIQUE INDEX bots_handle ON bots (handle) WHERE handle IS NOT NULL;
CREATE INDEX bots_creator ON bots (created_by);

CREATE TABLE servers (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  owner_id TEXT NOT NULL REFERENCES users (id) ON DELETE RESTRICT,
  icon_url TEXT,
  is_public INTEGER NOT NULL CHECK (is_public IN (0, 1)),
  require_invite INTEGER NOT NULL CHECK (require_invite IN (0, 1)),
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
);
CREATE INDEX servers_owner ON servers (owner_id);
CREATE INDEX servers_public ON servers (is_public) WHERE is_public = 1;

CREATE TABLE server_members (
  server_id TEXT NOT NULL REFERENCES servers (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  nickname TEXT,
  joined_at TEXT NOT NULL,
  join_marker TEXT NOT NULL,
  server_mute INTEGER NOT NULL DEFAULT 0 CHECK (server_mute IN (0, 1)),
  server_deaf INTEGER NOT NULL DEFAULT 0 CHECK (server_deaf IN (0, 1)),
  PRIMARY KEY (server_id, user_id)
) WITHOUT ROWID;
CREATE INDEX server_members_user ON server_members (user_id);

CREATE TABLE roles (
  id TEXT PRIMARY KEY,
  server_id TEXT NOT NULL REFERENCES servers (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  permissions INTEGER NOT NULL CHECK (permissions BETWEEN 0 AND 32767),
  color TEXT,
  position INTEGER NOT NULL,
  created_at TEXT NOT NULL
);
CREATE INDEX roles_server ON roles (server_id, position);

CREATE TABLE member_roles (
  server_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  role_id TEXT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
  PRIMARY KEY (server_id, user_id, role_id),
  FOREIGN KEY (server_id, user_id) REFERENCES server_members (server_id, user_id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX member_roles_role ON member_roles (role_id);

CREATE TABLE channels (
  num INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  server_id TEXT NOT NULL REFERENCES servers (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  type TEXT NOT NULL CHECK (type IN ('text', 'voice')),
  position INTEGER NOT NULL,
  category TEXT,
  topic TEXT,
  last_seq INTEGER NOT NULL DEFAULT 0,
  last_message_id TEXT,
  created_at TEXT NOT NULL
);
CREATE INDEX channels_server ON channels (server_id, position);

CREATE TABLE channel_overrides (
  id TEXT PRIMARY KEY,
  channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
  role_id TEXT REFERENCES roles (id) ON DELETE CASCADE,
  user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
  everyone INTEGER NOT NULL CHECK (everyone IN (0, 1)),
  allow INTEGER NOT NULL CHECK (allow BETWEEN 0 AND 32767),
  deny INTEGER NOT NULL CHECK (deny BETWEEN 0 AND 32767),
  CHECK ((role_id IS NOT NULL) + (user_id IS NOT NULL) + everyone = 1),
  CHECK ((allow & deny) = 0)
);
CREATE UNIQUE INDEX channel_overrides_role ON channel_overrides (channel_id, role_id) WHERE role_id IS NOT NULL;
CREATE UNIQUE INDEX channel_overrides_user ON channel_overrides (channel_id, user_id) WHERE user_id IS NOT NULL;
CREATE UNIQUE INDEX channel_overrides_everyone ON channel_overrides (channel_id) WHERE everyone = 1;
CREATE INDEX channel_overrides_channel ON channel_overrides (channel_id);
CREATE INDEX channel_overrides_of_role ON channel_overrides (role_id) WHERE role_id IS NOT NULL;
CREATE INDEX channel_overrides_of_user ON channel_overrides (user_id) WHERE user_id IS NOT NULL;

CREATE TABLE messages (
  num INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  author_id TEXT REFERENCES users (id) ON DELETE SET NULL,
  content TEXT NOT NULL,
  reply_to TEXT,
  thread_id TEXT REFERENCES messages (id) ON DELETE CASCADE,
  mention_everyone INTEGER NOT NULL CHECK (mention_everyone IN (0, 1)),
  pinned INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1)),
  pinned_by TEXT,
  pinned_at TEXT,
  edited_at TEXT,
  deleted INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1)),
  draft INTEGER NOT NULL DEFAULT 0 CHECK (draft IN (0, 1)),
  created_at TEXT NOT NULL,
  UNIQUE (channel_id, seq)
);
CREATE INDEX messages_channel ON messages (channel_id, id) WHERE thread_id IS NULL AND deleted = 0;
CREATE INDEX messages_thread ON messages (thread_id, id) WHERE thread_id IS NOT NULL;
CREATE INDEX messages_pins ON messages (channel_id, pinned_at) WHERE pinned = 1;
CREATE INDEX messages_everyone ON messages (channel_id, id) WHERE mention_everyone = 1;

CREATE TABLE message_mentions (
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
  message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  PRIMARY KEY (user_id, channel_id, message_id)
) WITHOUT ROWID;
CREATE INDEX message_mentions_message ON message_mentions (message_id);
CREATE INDEX message_mentions_channel ON message_mentions (channel_id);

CREATE TABLE dm_channels (
  id TEXT PRIMARY KEY,
  user_lo TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  user_hi TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  last_seq INTEGER NOT NULL DEFAULT 0,
  last_message_id TEXT,
  last_message_at TEXT,
  created_at TEXT NOT NULL,
  UNIQUE (user_lo, user_hi),
  CHECK (user_lo < user_hi)
);
CREATE INDEX dm_channels_hi ON dm_channels (user_hi);

CREATE TABLE dm_messages (
  num INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  channel_id TEXT NOT NULL REFERENCES dm_channels (id) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  author_id TEXT REFERENCES users (id) ON DELETE SET NULL,
  content TEXT NOT NULL,
  reply_to TEXT,
  edited_at TEXT,
  deleted INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1)),
  draft INTEGER NOT NULL DEFAULT 0 CHECK (draft IN (0, 1)),
  created_at TEXT NOT NULL,
  UNIQUE (channel_id, seq)
);
CREATE INDEX dm_messages_channel ON dm_messages (channel_id, id);

CREATE TABLE read_states (
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  channel_id TEXT NOT NULL,
  last_read_id TEXT NOT NULL,
  PRIMARY KEY (user_id, channel_id)
) WITHOUT ROWID;

CREATE TABLE idempotency_keys (
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  route TEXT NOT NULL,
  key TEXT NOT NULL,
  status INTEGER NOT NULL,
  body TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  PRIMARY KEY (user_id, route, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);

CREATE TABLE server_bans (
  server_id TEXT NOT NULL REFERENCES servers (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  banned_by TEXT REFERENCES users (id) ON DELETE SET NULL,
  reason TEXT,
  created_at TEXT NOT NULL,
  PRIMARY KEY (server_id, user_id)
) WITHOUT ROWID;

CREATE TABLE member_timeouts (
  server_id TEXT NOT NULL REFERENCES servers (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  expires_at TEXT NOT NULL,
  reason TEXT,
  created_by TEXT REFERENCES users (id) ON DELETE SET NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (server_id, user_id)
) WITHOUT ROWID;
`
