export const WHAT_BOTS_SEE = `
ALTER TABLE messages ADD COLUMN segments TEXT;
ALTER TABLE dm_messages ADD COLUMN segments TEXT;
CREATE INDEX messages_author ON messages (channel_id, author_id, id);

ALTER TABLE server_members ADD COLUMN title TEXT;
ALTER TABLE server_members ADD COLUMN title_expires_at TEXT;

ALTER TABLE roles ADD COLUMN managed TEXT CHECK (managed IN ('group_admin'));
CREATE UNIQUE INDEX roles_managed ON roles (server_id) WHERE managed IS NOT NULL;

ALTER TABLE channels ADD COLUMN shut INTEGER NOT NULL DEFAULT 0 CHECK (shut IN (0, 1));
ALTER TABLE channels ADD COLUMN shut_prev_deny INTEGER NOT NULL DEFAULT 0 CHECK (shut_prev_deny IN (0, 1));

CREATE TABLE remarks (
  owner_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('user', 'channel')),
  target_id TEXT NOT NULL,
  remark TEXT NOT NULL,
  PRIMARY KEY (owner_id, kind, target_id)
) WITHOUT ROWID;

CREATE TABLE likes (
  from_user TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  to_user TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  day TEXT NOT NULL,
  times INTEGER NOT NULL CHECK (times BETWEEN 1 AND 10),
  last_at TEXT NOT NULL,
  PRIMARY KEY (from_user, to_user, day)
) WITHOUT ROWID;
CREATE INDEX likes_to ON likes (to_user);

CREATE TABLE forwards (
  id TEXT PRIMARY KEY,
  created_by TEXT REFERENCES users (id) ON DELETE SET NULL,
  created_at TEXT NOT NULL
);

CREATE TABLE forward_nodes (
  forward_id TEXT NOT NULL REFERENCES forwards (id) ON DELETE CASCADE,
  idx INTEGER NOT NULL,
  user_num INTEGER NOT NULL,
  nickname TEXT NOT NULL,
  sent_at INTEGER NOT NULL,
  segments TEXT NOT NULL,
  PRIMARY KEY (forward_id, idx)
) WITHOUT ROWID;
`
