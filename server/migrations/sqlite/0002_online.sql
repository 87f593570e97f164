-- Whom others were last shown as online. Read once, when the server starts.
ALTER TABLE users ADD COLUMN online INTEGER NOT NULL DEFAULT 0;

CREATE INDEX users_online ON users (id) WHERE online = 1;
