#!lua
-- Forget a session, and ignore whatever else comes of it.
--
-- KEYS  session, inbox, people, early, buried
-- ARGV  for how long (s), the channel of changes, sid
-- Answers who owned it ('' for nobody).

local session, inbox, people, early, buried = unpack(KEYS)
local owner = redis.call('HGET', session, 'owner') or ''
redis.call('DEL', session, inbox, people, early)
redis.call('SET', buried, '1', 'EX', ARGV[1])
redis.call('PUBLISH', ARGV[2], ARGV[3])
return owner
