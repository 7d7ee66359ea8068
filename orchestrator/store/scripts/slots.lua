#!lua
-- What the verbs of slots share; it stands in front of each of them.
--
-- KEYS  held, queue, asked, pace
-- ARGV  limit at the start, floor, ceiling, channel of freed slots, agent name; the verb's own from 6

local held, queue, asked, pace = unpack(KEYS)
local START, FLOOR, CEILING = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local CHANNEL, AGENT_NAME = ARGV[4], ARGV[5]

local PATIENCE = 5000 -- ms after which a waiter that has not asked again is taken for dead
local WINDOW = 60000 -- ms for which a join counts as recent
local SEVERAL = 3 -- losses that open the breaker when nothing joined within the window
local IDLE = 3600 -- s without use after which everything starts anew

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Holders and waiters that died give nothing back: they lapse.
redis.call('ZREMRANGEBYSCORE', held, '-inf', now)
for _, waiter in ipairs(redis.call('ZRANGEBYSCORE', asked, '-inf', now - PATIENCE)) do
  redis.call('ZREM', queue, waiter)
  redis.call('ZREM', asked, waiter)
end

local function number(field)
  return tonumber(redis.call('HGET', pace, field) or 0)
end

local function breaker_open()
  return redis.call('HEXISTS', pace, 'breaker') == 1
end

-- The limit that burst and loss have led to, whatever the breaker says.
local function pace_limit()
  local limit = number('limit')
  return limit > 0 and limit or START
end

local function limit()
  return breaker_open() and 1 or pace_limit()
end

local function keep(hold)
  for _, key in ipairs(KEYS) do
    redis.call('EXPIRE', key, IDLE + math.ceil(hold / 1000))
  end
end
