-- Begins, renews and ends leases.
--
-- KEYS: leases, by when they end; leases that ended, by when to clear them up.
-- ARGV: what to do; the lease; for how many milliseconds.
--
-- To "renew" it answers with the leases that ended and that the caller has to clear up, if it offers to, or
-- with nothing when its own had ended.

local leases, ended = KEYS[1], KEYS[2]
local what, lease, span = ARGV[1], ARGV[2], tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

if what == 'cleared' then
    redis.call('ZREM', ended, lease)
    return false
end
if what == 'over' then
    -- Whether or not it is known: what was claimed under it may be where it was not forgotten.
    redis.call('ZREM', leases, lease)
    redis.call('ZADD', ended, now, lease)
    return false
end
if what ~= 'begin' and not redis.call('ZSCORE', leases, lease) then
    return false
end
redis.call('ZADD', leases, now + span, lease)
if what == 'renew' then
    return {}
elseif what ~= 'renew and clear' then
    return false
end

for _, over in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now)) do
    redis.call('ZREM', leases, over)
    redis.call('ZADD', ended, now, over)
end
-- Whoever is given one has as long as a lease for it; then another tries.
local due = redis.call('ZRANGEBYSCORE', ended, '-inf', now)
for _, over in ipairs(due) do
    redis.call('ZADD', ended, now + span, over)
end
return due
