#!lua
-- Lend what is due to one sink, or due to it again: it is due again when the lease ends, unless it is done or put off before.
-- What a silence has kept from the sink, and is to be looked at again, is due.
--
-- KEYS  what is due to the sink, or is to be sent to it again; of the first kind also what is held
-- ARGV  sink, now (s), until (s), at most how many, prefix of the alerts' keys (of this key's slot), for how long (s)
-- Answers {body, number of this try} for each.

local due, held = unpack(KEYS)
local sink, now, until_, most, alerts, ttl = unpack(ARGV)
if held then
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', held, '-inf', now, 'LIMIT', 0, most)) do
    redis.call('ZREM', held, id)
    redis.call('ZADD', due, now, id)
    redis.call('EXPIRE', due, ttl)
  end
end
local claimed = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, most)) do
  local alert = alerts .. id
  local body = redis.call('HGET', alert, 'body')
  if body then
    redis.call('ZADD', due, until_, id)
    table.insert(claimed, {body, redis.call('HINCRBY', alert, 'tries:' .. sink, 1)})
  else
    redis.call('ZREM', due, id) -- nobody took it in all the time for which it is kept
  end
end
return claimed
