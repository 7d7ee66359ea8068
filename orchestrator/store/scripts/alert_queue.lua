#!lua
-- Keep an alert until each sink has accepted it; once per id.
--
-- KEYS  alert; then for each sink what is due to it
-- ARGV  id, body, for how long (s), for how long a queue is kept (s)

local id, body, ttl, queue_ttl = unpack(ARGV)
if redis.call('EXISTS', KEYS[1]) == 1 then
  return
end
redis.call('HSET', KEYS[1], 'body', body)
redis.call('EXPIRE', KEYS[1], ttl)
local now = redis.call('TIME')[1]
for i = 2, #KEYS do
  redis.call('ZADD', KEYS[i], now, id)
  redis.call('EXPIRE', KEYS[i], queue_ttl)
end
