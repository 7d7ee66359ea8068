#!lua
-- Keep a silence, unless there are too many.
--
-- KEYS  silences
-- ARGV  TTL (s), at most how many, id, the silence

local ttl, most, id, silence = unpack(ARGV)
if redis.call('HLEN', KEYS[1]) >= tonumber(most) then
  return 'full'
end
redis.call('HSET', KEYS[1], id, silence)
redis.call('EXPIRE', KEYS[1], ttl)
return 'stored'
