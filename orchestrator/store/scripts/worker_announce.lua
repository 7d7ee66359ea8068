-- Store what a worker says of itself, and tell every replica when it is one that somebody may wait for.
--
-- ARGV  agent name, record (JSON), whether it has room (1 or 0), channel, ms for which a name is remembered,
--       most workers of a name, most workers, most names
-- Answers known, arrived, too_many_workers or too_many_names.

local name, record, has_room, CHANNEL = ARGV[3], ARGV[4], ARGV[5] == '1', ARGV[6]
local REMEMBERED, MOST_OF_NAME, MOST, MOST_NAMES = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local BEYOND = 3600 -- s for which the keys outlive what they hold

local before = redis.call('HGET', records, WORKER)
if before and cjson.decode(before).agent_name ~= name then
  forget(WORKER)
  before = false
end
for _, forgotten in ipairs(redis.call('ZRANGEBYSCORE', names, '-inf', '(' .. now - REMEMBERED)) do
  redis.call('ZREM', names, forgotten)
  redis.call('HDEL', since, 'name:' .. forgotten)
end

local of_name = count(by_name, name)
if not before and (of_name >= MOST_OF_NAME or redis.call('ZCARD', seen) >= MOST) then
  return 'too_many_workers'
end
if not redis.call('ZSCORE', names, name) and redis.call('ZCARD', names) >= MOST_NAMES then
  return 'too_many_names'
end

local arrived = has_room and (not before or count(with_room, name) == 0)
local member = name .. '\0' .. WORKER
redis.call('ZADD', seen, now, WORKER)
redis.call('HSET', records, WORKER, record)
redis.call('HSETNX', since, 'worker:' .. WORKER, now)
if of_name == 0 then
  redis.call('HSET', since, 'name:' .. name, now)
end
redis.call('ZADD', by_name, 0, member)
if has_room then
  redis.call('ZADD', with_room, 0, member)
else
  redis.call('ZREM', with_room, member)
end
redis.call('ZADD', names, now, name)
for _, key in ipairs(KEYS) do
  redis.call('EXPIRE', key, math.ceil(REMEMBERED / 1000) + BEYOND)
end
if arrived then
  redis.call('PUBLISH', CHANNEL, name)
  return 'arrived'
end
return 'known'
