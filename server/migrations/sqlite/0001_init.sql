-- Times are microseconds since 1970 (UTC). `custom` is a JSON object. `words` is a JSON object of
-- the same shape that holds only the texts, in the form they are searched in: lower case, one
-- space before each word (SQLite's own lower() knows ASCII only).

CREATE TABLE users (
    id                          TEXT PRIMARY KEY NOT NULL,
    name                        TEXT,
    image                       TEXT,
    role                        TEXT NOT NULL,
    teams                       TEXT NOT NULL, -- JSON array of text
    language                    TEXT NOT NULL,
    invisible                   INTEGER NOT NULL,
    banned                      INTEGER NOT NULL,
    privacy_settings            TEXT, -- JSON
    created_at                  INTEGER NOT NULL,
    updated_at                  INTEGER NOT NULL,
    last_active                 INTEGER,
    deactivated_at              INTEGER,
    deleted_at                  INTEGER,
    revoke_tokens_issued_before INTEGER,
    custom                      TEXT NOT NULL,
    words                       TEXT NOT NULL
) STRICT;

CREATE INDEX users_created_at ON users (created_at DESC, id);
CREATE INDEX users_updated_at ON users (updated_at);
CREATE INDEX users_last_active ON users (last_active);
CREATE INDEX users_name ON users (name);

CREATE TABLE channels (
    cid             TEXT PRIMARY KEY NOT NULL,
    type            TEXT NOT NULL,
    id              TEXT NOT NULL,
    team            TEXT NOT NULL,
    created_by_id   TEXT REFERENCES users (id) ON DELETE SET NULL,
    frozen          INTEGER NOT NULL,
    disabled        INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    last_message_at INTEGER,
    last_updated    INTEGER NOT NULL AS (coalesce(last_message_at, created_at)),
    deleted_at      INTEGER,
    member_count    INTEGER NOT NULL,
    message_count   INTEGER NOT NULL,
    custom          TEXT NOT NULL,
    words           TEXT NOT NULL
) STRICT;

CREATE INDEX channels_last_updated ON channels (last_updated DESC, cid);
CREATE INDEX channels_last_message_at ON channels (last_message_at);
CREATE INDEX channels_created_at ON channels (created_at);
CREATE INDEX channels_updated_at ON channels (updated_at);
CREATE INDEX channels_created_by_id ON channels (created_by_id);

CREATE TABLE members (
    cid                  TEXT NOT NULL REFERENCES channels (cid) ON DELETE CASCADE,
    user_id              TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    channel_role         TEXT NOT NULL,
    invite               TEXT, -- pending, accepted, rejected
    invited_at           INTEGER,
    invite_accepted_at   INTEGER,
    invite_rejected_at   INTEGER,
    banned               INTEGER NOT NULL,
    notifications_muted  INTEGER NOT NULL,
    hidden               INTEGER NOT NULL,
    hide_messages_before INTEGER,
    archived_at          INTEGER,
    pinned_at            INTEGER,
    last_read            INTEGER NOT NULL,
    last_read_message_id TEXT,
    created_at           INTEGER NOT NULL,
    updated_at           INTEGER NOT NULL,
    custom               TEXT NOT NULL,
    PRIMARY KEY (cid, user_id)
) STRICT;

CREATE INDEX members_user_id ON members (user_id, cid);
CREATE INDEX members_joined ON members (cid, created_at, user_id);

CREATE TABLE messages (
    id                TEXT PRIMARY KEY NOT NULL,
    cid               TEXT NOT NULL REFERENCES channels (cid) ON DELETE CASCADE,
    user_id           TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    text              TEXT NOT NULL,
    parent_id         TEXT REFERENCES messages (id) ON DELETE CASCADE,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    deleted_at        INTEGER,
    deleted_with_user INTEGER NOT NULL DEFAULT 0, -- comes back when its user is reactivated
    custom            TEXT NOT NULL
) STRICT;

CREATE INDEX messages_channel ON messages (cid, created_at, id) WHERE parent_id IS NULL;
CREATE INDEX messages_parent ON messages (parent_id, created_at, id);
CREATE INDEX messages_user ON messages (user_id);

CREATE TABLE app (
    one                   INTEGER PRIMARY KEY NOT NULL CHECK (one = 1),
    tokens_revoked_before INTEGER
) STRICT;

INSERT INTO app (one) VALUES (1);

CREATE TABLE tasks (
    id         TEXT PRIMARY KEY NOT NULL,
    status     TEXT NOT NULL, -- running, completed, failed
    result     TEXT NOT NULL, -- JSON
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
