export const WHAT_BOTS_SEE = `
ALTER TABLE messages ADD COLUMN segments TEXT;
ALTER TABLE dm_messages ADD COLUMN segments TEXT;

CREATE TABLE channel_activity (
  channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  last_sent_at TEXT NOT NULL,
  PRIMARY KEY (channel_id, user_id)
) WITHOUT ROWID;
CREATE INDEX channel_activity_user ON channel_activity (user_id);
INSERT INTO channel_activity (channel_id, user_id, last_sent_at)
  SELECT channel_id, author_id, MAX(created_at) FROM messages WHERE author_id IS NOT NULL GROUP BY channel_id, author_id;

ALTER TABLE server_members ADD COLUMN title TEXT;
ALTER TABLE server_members ADD COLUMN title_expires_at TEXT;

ALTER TABLE roles ADD COLUMN managed TEXT CHECK (managed IN ('group_admin'));
CREATE UNIQUE INDEX roles_managed ON roles (server_id) WHERE managed IS NOT NULL;

ALTER TABLE channels ADD COLUMN shut INTEGER NOT NULL DEFAULT 0 CHECK (shut IN (0, 1));

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
