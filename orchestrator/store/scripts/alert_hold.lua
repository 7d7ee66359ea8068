#!lua
-- Keep an alert from a sink for a while: it is no longer due. Not when somebody has taken it out meanwhile.
--
-- KEYS  alert, what is due to the sink, what is held
-- ARGV  id, sink, until (s), for how long (s)

local id, sink, until_, ttl = unpack(ARGV)
if redis.call('ZREM', KEYS[2], id) == 1 then
  redis.call('ZADD', KEYS[3], until_, id)
  redis.call('EXPIRE', KEYS[3], ttl)
  redis.call('HDEL', KEYS[1], 'tries:' .. sink)
end
