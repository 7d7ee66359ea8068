#!lua
-- Say something of a group to a sink, or look at it again later: unless anything of it has changed since it was read.
--
-- KEYS  page, what is fresh, what was told, what is gathered for the sink, how much of each group is held, what is due to the
--       sink, what a silence holds from it, the message, the message before
-- ARGV  version that was read, group, when to look again (s) or nothing, how much is held, for how long (s),
--       the page or nothing (it is over), id of the message or nothing, its body or nothing (it is kept already),
--       id of the message before or nothing, 1: its body is of no more use; then the incidents that it tells of first
-- Answers whether it was so (1 or 0).

local page, fresh, told, gathered, held, due, silenced, message, before = unpack(KEYS)
local version, group, look, count, ttl, record, id, body, last, superseded = unpack(ARGV, 1, 10) -- all would not fit the stack
if (redis.call('HGET', page, 'version') or '0') ~= version then
  return 0
end
for i = 11, #ARGV do
  local since = string.match(redis.call('HGET', fresh, ARGV[i]), '^%S+')
  redis.call('HDEL', fresh, ARGV[i])
  redis.call('ZADD', told, since, ARGV[i])
end
if id ~= '' then
  if body ~= '' then
    redis.call('HSET', message, 'body', body)
    redis.call('EXPIRE', message, ttl)
  end
  redis.call('ZADD', due, redis.call('TIME')[1], id)
  redis.call('HINCRBY', page, 'version', 1)
  if record == '' then
    redis.call('HDEL', page, 'record')
  else
    redis.call('HSET', page, 'record', record)
    if last ~= '' then -- a silence kept it back, and now its room has been told of: later it would have no end
      redis.call('ZREM', silenced, last)
      redis.call('ZREM', due, last)
    end
  end
  if superseded == '1' then
    redis.call('DEL', before)
  end
end
if look == '' then
  redis.call('ZREM', gathered, group)
else
  redis.call('ZADD', gathered, look, group)
end
if count == '0' then
  redis.call('HDEL', held, group)
else
  redis.call('HSET', held, group, count)
end
for _, key in ipairs({page, fresh, told, gathered, held, due}) do
  redis.call('EXPIRE', key, ttl)
end
return 1
