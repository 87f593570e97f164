-- What the webhook has not taken yet: of each user the newest flip.
CREATE TABLE untold_flips (
    user_id    text COLLATE "C" PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    id         text COLLATE "C" NOT NULL,
    online     boolean NOT NULL,
    flipped_at bigint NOT NULL,
    -- When a server last said that it is going to tell it.
    claimed_at bigint NOT NULL
);
