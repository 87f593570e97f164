-- A node says how a user stands with it. When everybody's view of the user changes with that, those who
-- listen are told, in the order of the flips.
--
-- KEYS: the user, which is also the topic; of whom something is claimed under the lease; whether the
-- lease was cleared up.
-- ARGV: the claim: here, hiding, waiting, hidden or gone; the lease; the user's id; what to tell: its header up to
-- the sequence number, and the event.
--
-- Answers 1 for a flip, 0 for none, -1 when the lease has ended.

local user, claimed, swept = KEYS[1], KEYS[2], KEYS[3]
local claim, lease, id, header, event = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
-- For so many seconds what was last said of a user who is gone is kept.
local MEMORY = 3600

if claim == 'gone' then
    redis.call('HDEL', user, lease)
    redis.call('SREM', claimed, id)
elseif redis.call('EXISTS', swept) == 1 then
    return -1
else
    redis.call('HSET', user, lease, claim)
    redis.call('SADD', claimed, id)
end

local fields = redis.call('HGETALL', user)
local claims, online, was_online, seq = 0, false, false, 0
for i = 1, #fields, 2 do
    local name, value = fields[i], fields[i + 1]
    if name == 'online' then
        was_online = value == '1'
    elseif name == 'seq' then
        seq = tonumber(value)
    elseif value == 'waiting' and claim == 'here' then
        -- Who came back takes the place of the one who was waited for.
        redis.call('HDEL', user, name)
    else
        claims = claims + 1
        online = online or value ~= 'hidden'
    end
end
local flips = online ~= was_online
if flips then
    local time = redis.call('TIME')
    seq = string.format('%.0f', math.max(seq + 1, time[1] * 1000000 + time[2]))
    redis.call('HSET', user, 'online', online and '1' or '0', 'seq', seq)
end
if claims > 0 then
    redis.call('PERSIST', user)
else
    redis.call('EXPIRE', user, MEMORY)
end
if flips and event ~= '' then
    redis.call('SPUBLISH', user, header .. seq .. '}}\n' .. event)
end
return flips and 1 or 0
