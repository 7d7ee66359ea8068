#!lua
-- A sink has accepted an alert and is to be sent it again: it is kept anew, and the tries are counted anew.
-- Not when somebody has taken it out meanwhile.
--
-- KEYS  alert, what is due to the sink, what is to be sent to it again
-- ARGV  id, sink, at (s), for how long (s)

local id, sink, at, ttl = unpack(ARGV)
local known = redis.call('ZREM', KEYS[2], id) == 1 or redis.call('ZSCORE', KEYS[3], id)
if known and redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('ZADD', KEYS[3], at, id)
  redis.call('HDEL', KEYS[1], 'tries:' .. sink)
  redis.call('EXPIRE', KEYS[1], ttl)
  redis.call('EXPIRE', KEYS[3], ttl)
end
