-- What the webhook has not taken yet: of each user the newest flip.
CREATE TABLE untold_flips (
    user_id    TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    id         TEXT NOT NULL,
    online     INTEGER NOT NULL,
    flipped_at INTEGER NOT NULL,
    -- When a server last said that it is going to tell it.
    claimed_at INTEGER NOT NULL
) STRICT;
