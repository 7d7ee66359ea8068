#!lua
-- Enter a session in the indexes, in the place of its present state, and sweep out a few that have expired.
--
-- KEYS  sessions, due, names, the sids of its room's name; then the sids of each state
-- ARGV  sid, room, started_at, which of the states (from 1), how long its keys live (s), TTL of the indexes (s),
--       only if it is in none yet (1 or 0)
-- Answers whether it was entered (1 or 0).

local sessions, due, names, name = unpack(KEYS)
local sid, room, started_at, state, keep, ttl, only_new = unpack(ARGV)
local STATES = 5 -- where they begin
local NAMES_KEPT = 2000 -- what a search for similar names can look through in 0.1 s
local SIDS_KEPT = 50 -- of one name
local SWEPT = 20 -- at a time: more than one for each that comes, so that a backlog shrinks

if only_new == '1' and redis.call('ZSCORE', sessions, sid) then
  return 0
end

local function remove(gone)
  for i, key in ipairs(KEYS) do
    if i <= 2 or i >= STATES then
      redis.call('ZREM', key, gone)
    end
  end
end

local now = redis.call('TIME')[1]
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, SWEPT)) do
  remove(gone)
end
remove(sid)
redis.call('ZADD', sessions, started_at, sid)
redis.call('ZADD', KEYS[STATES + state - 1], started_at, sid)
redis.call('ZADD', due, now + keep, sid)

redis.call('ZADD', name, started_at, sid)
redis.call('ZREMRANGEBYRANK', name, 0, -SIDS_KEPT - 1)
redis.call('ZADD', names, 'GT', started_at, room)
redis.call('ZREMRANGEBYRANK', names, 0, -NAMES_KEPT - 1)

for _, key in ipairs(KEYS) do
  redis.call('EXPIRE', key, ttl)
end
return 1
