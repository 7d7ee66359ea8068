#!lua
-- End a replica's ownership of a session that nobody need drive any more.
--
-- KEYS  session, inbox
-- ARGV  replica
-- Answers the outcome: kept while it owns the session and there is, or may be, something to do.

local session, inbox = unpack(KEYS)
local stored = redis.call('HMGET', session, 'owner', 'state')
if stored[1] ~= ARGV[1] then
  return 'released'
end
if stored[2] ~= 'ended' or redis.call('EXISTS', inbox) == 1 then
  return 'kept'
end
redis.call('HSET', session, 'owner', '')
return 'released'
