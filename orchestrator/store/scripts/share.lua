#!lua
-- Tell how many calls per second a replica wants, and learn which part of all calls is its own.
--
-- KEYS  demands, grants, askers
-- ARGV  replica, demand
-- Answers the part, as text: a number would be cut to an integer.

local demands, grants, askers = unpack(KEYS)
local replica, demand = ARGV[1], ARGV[2]

local FORGOTTEN = 10 -- s without a word: three or four missed words
local LEAST = 0.05 -- of an even split: with what a replica that wanted nothing begins

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

for _, gone in ipairs(redis.call('ZRANGEBYSCORE', askers, '-inf', now - FORGOTTEN * 1000)) do
  redis.call('HDEL', demands, gone)
  redis.call('HDEL', grants, gone)
  redis.call('ZREM', askers, gone)
end
redis.call('ZADD', askers, now, replica)
redis.call('HSET', demands, replica, demand)

local total = 0
for _, wanted in ipairs(redis.call('HVALS', demands)) do
  total = total + tonumber(wanted)
end
local count = redis.call('HLEN', demands)
local least = LEAST / count
local fair = least + (1 - LEAST) * (total > 0 and demand / total or 1 / count)

-- Of what the others hold nothing can be taken back before they ask again: until then there is what they left, and no
-- replica waits for longer than that. Only the little that one begins with is given at once, so that it can begin.
local left = 1
local granted = redis.call('HGETALL', grants)
for i = 1, #granted, 2 do
  if granted[i] ~= replica then
    left = left - tonumber(granted[i + 1])
  end
end
local part = string.format('%.17g', math.max(least, math.min(fair, left)))
redis.call('HSET', grants, replica, part)

for _, key in ipairs(KEYS) do
  redis.call('EXPIRE', key, FORGOTTEN)
end
return part
