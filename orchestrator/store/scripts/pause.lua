#!lua
-- Pause dispatching of an agent name, or end that.
--
-- KEYS  pauses
-- ARGV  TTL (s), agent name, the pause, or nothing to end it

if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], ARGV[2])
else
  redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 'stored'
