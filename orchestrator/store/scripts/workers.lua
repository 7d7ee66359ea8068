#!lua
-- What the verbs of workers share; it stands in front of each of them.
--
-- KEYS  seen, records, since, by name, with room, names
-- ARGV  worker id, ms for which an announcement stands; the verb's own from 3

local seen, records, since, by_name, with_room, names = unpack(KEYS)
local WORKER, STANDS = ARGV[1], tonumber(ARGV[2])

local AT_ONCE = 1000 -- workers that are forgotten in one go, at the most

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function forget(worker)
  local record = redis.call('HGET', records, worker)
  if record then
    local member = cjson.decode(record).agent_name .. '\0' .. worker
    redis.call('ZREM', by_name, member)
    redis.call('ZREM', with_room, member)
  end
  redis.call('ZREM', seen, worker)
  redis.call('HDEL', records, worker)
  redis.call('HDEL', since, 'worker:' .. worker)
end

-- How many of one agent name are in a set of `<agent name> NUL <worker id>`.
local function count(set, name)
  return redis.call('ZLEXCOUNT', set, '[' .. name .. '\0', '(' .. name .. '\1')
end

for _, lapsed in ipairs(redis.call('ZRANGEBYSCORE', seen, '-inf', '(' .. now - STANDS, 'LIMIT', 0, AT_ONCE)) do
  forget(lapsed)
end
