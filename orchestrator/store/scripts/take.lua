#!lua
-- Claim a session for a replica and load it, in one step: nothing can come between its record and its inbox.
--
-- KEYS  session, inbox
-- ARGV  replica, the owner to take it over from (or ''), the highest epoch that the caller knows of (or 0)
-- Answers {epoch, the epoch that was stored, record or nil, inbox}; nil when there is no such session, or it is another
-- replica's.

local session, inbox = unpack(KEYS)
local replica, from_owner, known = unpack(ARGV)

local stored = redis.call('HMGET', session, 'owner', 'epoch', 'record')
local owner, before = stored[1], stored[2] or '0'
if not owner then
  return false
end
-- To take over what one owns already is no contradiction: the reply of the first time was lost.
local expected = owner == replica or (from_owner == '' and owner == '') or (from_owner ~= '' and owner == from_owner)
if not expected then
  return false
end

local time = redis.call('TIME')
local epoch = math.max(tonumber(before) + 1, tonumber(known) + 1, time[1] * 1000 + math.floor(time[2] / 1000))
epoch = string.format('%.0f', epoch)
redis.call('HSET', session, 'owner', replica, 'epoch', epoch)
return {epoch, before, stored[3], redis.call('LRANGE', inbox, 0, -1)}
