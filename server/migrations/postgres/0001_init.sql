-- Times are microseconds since 1970 (UTC). Texts are ordered byte by byte, whatever the locale of
-- the database. `custom` is a JSON object. `words` is a JSON object of the same shape that holds
-- only the texts, in the form they are searched in: lower case, one space before each word.
--
-- `json` and not `jsonb`: a value stays as it was written, so that two are equal or in order here
-- exactly when they are in SQLite (`jsonb` takes [1] for [1.0] and orders keys by their length).

CREATE TABLE users (
    id                          text COLLATE "C" PRIMARY KEY,
    name                        text COLLATE "C",
    image                       text COLLATE "C",
    role                        text COLLATE "C" NOT NULL,
    teams                       text[] COLLATE "C" NOT NULL,
    language                    text COLLATE "C" NOT NULL,
    invisible                   boolean NOT NULL,
    banned                      boolean NOT NULL,
    privacy_settings            json,
    created_at                  bigint NOT NULL,
    updated_at                  bigint NOT NULL,
    last_active                 bigint,
    deactivated_at              bigint,
    deleted_at                  bigint,
    revoke_tokens_issued_before bigint,
    custom                      json NOT NULL,
    words                       json NOT NULL,
    -- Whom others were last shown as online. Read once, when a server starts.
    online                      boolean NOT NULL DEFAULT FALSE
);

CREATE INDEX users_created_at ON users (created_at DESC, id);
CREATE INDEX users_updated_at ON users (updated_at);
CREATE INDEX users_last_active ON users (last_active);
CREATE INDEX users_name ON users (name);
CREATE INDEX users_online ON users (id) WHERE online;

CREATE TABLE channels (
    cid             text COLLATE "C" PRIMARY KEY,
    type            text COLLATE "C" NOT NULL,
    id              text COLLATE "C" NOT NULL,
    team            text COLLATE "C" NOT NULL,
    created_by_id   text COLLATE "C" REFERENCES users (id) ON DELETE SET NULL,
    frozen          boolean NOT NULL,
    disabled        boolean NOT NULL,
    created_at      bigint NOT NULL,
    updated_at      bigint NOT NULL,
    last_message_at bigint,
    last_updated    bigint NOT NULL GENERATED ALWAYS AS (coalesce(last_message_at, created_at)) STORED,
    deleted_at      bigint,
    member_count    integer NOT NULL,
    message_count   integer NOT NULL,
    custom          json NOT NULL,
    words           json NOT NULL
);

CREATE INDEX channels_last_updated ON channels (last_updated DESC, cid);
CREATE INDEX channels_last_message_at ON channels (last_message_at);
CREATE INDEX channels_created_at ON channels (created_at);
CREATE INDEX channels_updated_at ON channels (updated_at);
CREATE INDEX channels_created_by_id ON channels (created_by_id);

CREATE TABLE members (
    cid                  text COLLATE "C" NOT NULL REFERENCES channels (cid) ON DELETE CASCADE,
    user_id              text COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    channel_role         text COLLATE "C" NOT NULL,
    invite               text COLLATE "C", -- pending, accepted, rejected
    invited_at           bigint,
    invite_accepted_at   bigint,
    invite_rejected_at   bigint,
    banned               boolean NOT NULL,
    notifications_muted  boolean NOT NULL,
    hidden               boolean NOT NULL,
    hide_messages_before bigint,
    archived_at          bigint,
    pinned_at            bigint,
    last_read            bigint NOT NULL,
    last_read_message_id text COLLATE "C",
    created_at           bigint NOT NULL,
    updated_at           bigint NOT NULL,
    custom               json NOT NULL,
    PRIMARY KEY (cid, user_id)
);

CREATE INDEX members_user_id ON members (user_id, cid);
CREATE INDEX members_joined ON members (cid, created_at, user_id);

CREATE TABLE messages (
    id                text COLLATE "C" PRIMARY KEY,
    cid               text COLLATE "C" NOT NULL REFERENCES channels (cid) ON DELETE CASCADE,
    user_id           text COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    text              text COLLATE "C" NOT NULL,
    parent_id         text COLLATE "C" REFERENCES messages (id) ON DELETE CASCADE,
    created_at        bigint NOT NULL,
    updated_at        bigint NOT NULL,
    deleted_at        bigint,
    deleted_with_user boolean NOT NULL DEFAULT FALSE, -- comes back when its user is reactivated
    custom            json NOT NULL
);

CREATE INDEX messages_channel ON messages (cid, created_at, id) WHERE parent_id IS NULL;
CREATE INDEX messages_parent ON messages (parent_id, created_at, id);
CREATE INDEX messages_user ON messages (user_id);

CREATE TABLE app (
    one                   integer PRIMARY KEY CHECK (one = 1),
    tokens_revoked_before bigint
);

INSERT INTO app (one) VALUES (1);

CREATE TABLE tasks (
    id         text COLLATE "C" PRIMARY KEY,
    status     text COLLATE "C" NOT NULL, -- running, completed, failed
    result     json NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
);

-- What a JSON value is as a text, as a number and as a list: NULL when it is none.

CREATE FUNCTION rollcall_text(value json) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE json_typeof(value) WHEN 'string' THEN value #>> '{}' END
$$;

CREATE FUNCTION rollcall_number(value json) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE json_typeof(value) WHEN 'number' THEN (value #>> '{}')::numeric END
$$;

CREATE FUNCTION rollcall_list(value json) RETURNS json LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE json_typeof(value) WHEN 'array' THEN value END
$$;

-- The same text for equal values, and only for them. Of numbers the value counts: 1.0 equals 1.
CREATE FUNCTION rollcall_key(value json) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE json_typeof(value)
        WHEN 'number' THEN trim_scale((value #>> '{}')::numeric)::text
        ELSE value::text
    END
$$;

-- A value's place in an order: first numbers, with false and true as 0 and 1, then texts, with
-- lists and objects as they are written.

CREATE FUNCTION rollcall_order_number(value json) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE json_typeof(value)
        WHEN 'number' THEN (value #>> '{}')::numeric
        WHEN 'boolean' THEN CASE value::text WHEN 'true' THEN 1 ELSE 0 END
    END
$$;

CREATE FUNCTION rollcall_order_text(value json) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE json_typeof(value)
        WHEN 'string' THEN value #>> '{}'
        WHEN 'array' THEN value::text
        WHEN 'object' THEN value::text
    END
$$;
