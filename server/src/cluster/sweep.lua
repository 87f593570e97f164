-- From now on nothing can be claimed under a lease in one part; answers what is.
--
-- KEYS: of whom something is claimed; who is said to watch what; whether the lease was cleared up.

-- Longer than any process is stopped and goes on.
redis.call('SET', KEYS[3], '1', 'EX', 86400)
return { redis.call('SMEMBERS', KEYS[1]), redis.call('SMEMBERS', KEYS[2]) }
