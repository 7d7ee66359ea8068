#!lua
-- Open an incident, unless one of its kind is open.
--
-- KEYS  incident
-- ARGV  kind, TTL (s)
-- Answers the id of the one that is open.

local kind, ttl = unpack(ARGV)
local time = redis.call('TIME')
local id = string.format('%s/%d%03d', kind, time[1], math.floor(time[2] / 1000))
redis.call('SET', KEYS[1], id, 'NX')
redis.call('EXPIRE', KEYS[1], ttl)
return redis.call('GET', KEYS[1])
