#!lua
-- Lend what is due to one sink, or due to it again: it is due again when the lease ends, unless it is done or put off before.
-- What a silence has kept from the sink, and is to be looked at again, is due. So is, where the sink groups no more, what was
-- gathered for a page: one by one.
--
-- KEYS  what is due to the sink, or is to be sent to it again; of the first kind also what is held, and, where the sink does
--       not group, what is gathered and how much of each group is held
-- ARGV  sink, now (s), until (s), at most how many, prefix of the alerts' keys (of this key's slot), for how long (s);
--       with what is gathered the prefixes of what is fresh, what was told and the pages
-- Answers {body, number of this try} for each.

local due, held, gathered, gathered_held = unpack(KEYS)
local sink, now, until_, most, alerts, ttl, fresh, told, pages = unpack(ARGV)
if gathered then
  for _, group in ipairs(redis.call('ZRANGE', gathered, 0, -1)) do
    for _, incident in ipairs(redis.call('HKEYS', fresh .. group)) do
      redis.call('ZADD', due, now, incident .. '/firing')
      redis.call('EXPIRE', due, ttl)
    end
    redis.call('DEL', fresh .. group, told .. group, pages .. group)
  end
  redis.call('DEL', gathered, gathered_held)
end
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
