export const WHAT_PEOPLE_DO = `
CREATE TABLE message_reactions (
  message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  emoji TEXT NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (message_id, user_id, emoji)
);
CREATE INDEX message_reactions_user ON message_reactions (user_id);

CREATE TABLE polls (
  id TEXT PRIMARY KEY,
  message_id TEXT NOT NULL UNIQUE REFERENCES messages (id) ON DELETE CASCADE,
  question TEXT NOT NULL,
  created_by TEXT REFERENCES users (id) ON DELETE SET NULL,
  created_at TEXT NOT NULL
);

CREATE TABLE poll_options (
  id TEXT PRIMARY KEY,
  poll_id TEXT NOT NULL REFERENCES polls (id) ON DELETE CASCADE,
  idx INTEGER NOT NULL,
  text TEXT NOT NULL,
  UNIQUE (poll_id, idx)
);

CREATE TABLE poll_votes (
  poll_id TEXT NOT NULL REFERENCES polls (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  option_id TEXT NOT NULL REFERENCES poll_options (id) ON DELETE CASCADE,
  voted_at TEXT NOT NULL,
  PRIMARY KEY (poll_id, user_id)
) WITHOUT ROWID;
CREATE INDEX poll_votes_option ON poll_votes (option_id);
CREATE INDEX poll_votes_user ON poll_votes (user_id);

CREATE TABLE server_invites (
  id TEXT PRIMARY KEY,
  server_id TEXT NOT NULL REFERENCES servers (id) ON DELETE CASCADE,
  code TEXT NOT NULL UNIQUE,
  created_by TEXT REFERENCES users (id) ON DELETE SET NULL,
  max_uses INTEGER,
  uses INTEGER NOT NULL DEFAULT 0,
  expires_at TEXT,
  created_at TEXT NOT NULL,
  CHECK (max_uses IS NULL OR uses <= max_uses)
);
CREATE INDEX server_invites_server ON server_invites (server_id, id);

CREATE TABLE blobs (
  sha256 TEXT PRIMARY KEY,
  size INTEGER NOT NULL,
  mime TEXT NOT NULL,
  created_at TEXT NOT NULL
);

CREATE TABLE files (
  id TEXT PRIMARY KEY,
  sha256 TEXT NOT NULL REFERENCES blobs (sha256) ON DELETE RESTRICT,
  name TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('image', 'record', 'video', 'file')),
  owner_id TEXT REFERENCES users (id) ON DELETE SET NULL,
  channel_id TEXT,
  created_at TEXT NOT NULL
);
CREATE INDEX files_blob ON files (sha256);
CREATE INDEX files_channel ON files (channel_id);
CREATE INDEX files_owner ON files (owner_id);

CREATE TABLE message_files (
  message_num INTEGER NOT NULL,
  file_id TEXT NOT NULL REFERENCES files (id) ON DELETE CASCADE,
  PRIMARY KEY (message_num, file_id)
) WITHOUT ROWID;
CREATE INDEX message_files_file ON message_files (file_id);

CREATE TABLE custom_emojis (
  id TEXT PRIMARY KEY,
  server_id TEXT NOT NULL REFERENCES servers (id) ON DELETE CASCADE,
  created_by TEXT REFERENCES users (id) ON DELETE SET NULL,
  name TEXT NOT NULL,
  file_id TEXT NOT NULL REFERENCES files (id) ON DELETE RESTRICT,
  created_at TEXT NOT NULL,
  UNIQUE (server_id, name)
);
CREATE INDEX custom_emojis_file ON custom_emojis (file_id);

CREATE TABLE friends (
  user_lo TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  user_hi TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  source TEXT NOT NULL CHECK (source IN ('dm', 'request')),
  created_at TEXT NOT NULL,
  PRIMARY KEY (user_lo, user_hi),
  CHECK (user_lo < user_hi)
) WITHOUT ROWID;
CREATE INDEX friends_hi ON friends (user_hi);
INSERT INTO friends (user_lo, user_hi, source, created_at) SELECT user_lo, user_hi, 'dm', created_at FROM dm_channels;

CREATE TABLE requests (
  id TEXT PRIMARY KEY,
  flag TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('friend', 'join', 'invite')),
  from_user TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  to_user TEXT REFERENCES users (id) ON DELETE CASCADE,
  server_id TEXT REFERENCES servers (id) ON DELETE CASCADE,
  comment TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'rejected')),
  reason TEXT,
  decided_by TEXT REFERENCES users (id) ON DELETE SET NULL,
  created_at TEXT NOT NULL,
  decided_at TEXT
);
CREATE UNIQUE INDEX requests_friend ON requests (from_user, to_user) WHERE kind = 'friend' AND state = 'pending';
CREATE UNIQUE INDEX requests_join ON requests (from_user, server_id) WHERE kind = 'join' AND state = 'pending';
CREATE UNIQUE INDEX requests_invite ON requests (to_user, server_id) WHERE kind = 'invite' AND state = 'pending';
CREATE INDEX requests_from ON requests (from_user);
CREATE INDEX requests_to ON requests (to_user);
CREATE INDEX requests_server ON requests (server_id);

CREATE TABLE audit_logs (
  id TEXT PRIMARY KEY,
  server_id TEXT REFERENCES servers (id) ON DELETE SET NULL,
  actor_id TEXT,
  action TEXT NOT NULL,
  target_type TEXT,
  target_id TEXT,
  details TEXT NOT NULL,
  created_at TEXT NOT NULL
);
CREATE INDEX audit_logs_server ON audit_logs (server_id, id);
`
