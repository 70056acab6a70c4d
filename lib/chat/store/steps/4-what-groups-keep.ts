export const WHAT_GROUPS_KEEP = `
ALTER TABLE users ADD COLUMN avatar_file TEXT REFERENCES files (id) ON DELETE SET NULL;
ALTER TABLE channels ADD COLUMN icon_file TEXT REFERENCES files (id) ON DELETE SET NULL;
CREATE INDEX users_avatar ON users (avatar_file) WHERE avatar_file IS NOT NULL;
CREATE INDEX channels_icon ON channels (icon_file) WHERE icon_file IS NOT NULL;

CREATE TABLE group_folders (
  id TEXT PRIMARY KEY,
  channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
  parent_id TEXT NOT NULL DEFAULT '',
  name TEXT NOT NULL,
  creator_id TEXT REFERENCES users (id) ON DELETE SET NULL,
  created_at TEXT NOT NULL,
  UNIQUE (channel_id, parent_id, name)
);

CREATE TABLE group_files (
  file_id TEXT PRIMARY KEY REFERENCES files (id) ON DELETE CASCADE,
  channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
  folder_id TEXT NOT NULL DEFAULT '',
  name TEXT NOT NULL,
  uploader_id TEXT REFERENCES users (id) ON DELETE SET NULL,
  downloads INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL,
  modified_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX group_files_place ON group_files (channel_id, folder_id, file_id);
INSERT INTO group_files (file_id, channel_id, name, uploader_id, created_at, modified_at)
  SELECT f.id, m.channel_id, f.name, f.owner_id, f.created_at, f.created_at
    FROM files f JOIN message_files a ON a.file_id = f.id JOIN messages m ON m.num = a.message_num
    WHERE f.kind = 'file' AND m.deleted = 0 GROUP BY f.id;

CREATE TABLE notices (
  id TEXT PRIMARY KEY,
  channel_id TEXT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
  author_id TEXT REFERENCES users (id) ON DELETE SET NULL,
  content TEXT NOT NULL,
  file_id TEXT REFERENCES files (id) ON DELETE SET NULL,
  pinned INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1)),
  created_at TEXT NOT NULL
);
CREATE INDEX notices_channel ON notices (channel_id, id);
`
