-- A node says that a user begins or ends to watch a channel there. When it is the first or the last node,
-- those who listen are told, with the number of watchers.
--
-- KEYS: the channel, which is also the topic; who is said to watch what under the lease; whether the lease
-- was cleared up.
-- ARGV: begins or ends; the lease; the user's id; the channel's; what to tell: its header up to the number,
-- and the event.
--
-- Answers 0, or -1 when the lease has ended.

local channel, watched, swept = KEYS[1], KEYS[2], KEYS[3]
local what, lease, user, cid, header, event = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]

local before = redis.call('HGET', channel, user) or ''
local nodes = {}
for node in string.gmatch(before, '%S+') do
    if node ~= lease then
        nodes[#nodes + 1] = node
    end
end
if what == 'ends' then
    redis.call('SREM', watched, user .. ' ' .. cid)
elseif redis.call('EXISTS', swept) == 1 then
    return -1
else
    nodes[#nodes + 1] = lease
    redis.call('SADD', watched, user .. ' ' .. cid)
end
local after = table.concat(nodes, ' ')
if after == '' then
    redis.call('HDEL', channel, user)
else
    redis.call('HSET', channel, user, after)
end
if (before == '') ~= (after == '') and event ~= '' then
    local count = redis.call('HLEN', channel)
    redis.call('SPUBLISH', channel, header .. count .. '}}\n' .. event)
end
return 0
