#!lua
-- Store what a replica counts of its sessions, and forget those that have not counted for long.
--
-- KEYS  tallies, tallied
-- ARGV  replica, tallies (JSON), ms for which they stand

local tallies, tallied = unpack(KEYS)
local STANDS = tonumber(ARGV[3])
local KEPT = 60 -- s

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

for _, gone in ipairs(redis.call('ZRANGEBYSCORE', tallied, '-inf', '(' .. now - STANDS)) do
  redis.call('ZREM', tallied, gone)
  redis.call('HDEL', tallies, gone)
end
redis.call('HSET', tallies, ARGV[1], ARGV[2])
redis.call('ZADD', tallied, now, ARGV[1])
redis.call('EXPIRE', tallies, KEPT)
redis.call('EXPIRE', tallied, KEPT)
