#!lua
-- Store the facts of one event at the end of the inbox, once per event id, and wake the owner.
--
-- KEYS  session, inbox, people, early, buried[, seen]
-- ARGV  replica, may claim (1 or 0), sid, prefix of the wake channels, TTL of a live session (s), TTL of an event id (s),
--       the opening fact; then for each fact: its effect on the people ('+', '-' or ''), the participant sid, the fact
-- Answers {outcome, owner, epoch, inbox}; the last two are empty unless this call opened the session and claimed it.

local session, inbox, people, early, buried, seen = unpack(KEYS)
local replica, may_claim, sid, channels, live_ttl, seen_ttl, opening = unpack(ARGV, 1, 7)
local FACTS = 8 -- where they begin

-- Markers of participants whose `left` came first. More than this many are a defect of the sender, not a room.
local EARLY_KEPT = 200

if redis.call('EXISTS', buried) == 1 then
  return {'ignored', '', '', {}}
end

local stored = redis.call('HMGET', session, 'owner', 'epoch', 'ttl', 'opened_at')
local owner = stored[1] or ''
if seen and redis.call('EXISTS', seen) == 1 then
  return {'duplicate', owner, '', {}}
end

local time = redis.call('TIME')
local now = string.format('%d%03d', time[1], math.floor(time[2] / 1000))

-- What the reconciler compares with LiveKit's listing without reading the record: written in one step at the end.
local fields = {'touched_at', now}
local function note(field, value)
  fields[#fields + 1] = field
  fields[#fields + 1] = value
end

local claimed = ''
if owner == '' then
  -- Only a caller that has entered the session in its replica's set may claim it: should it die at this very moment,
  -- that set is how the others find the session.
  if may_claim == '0' then
    return {'unclaimed', '', '', {}}
  end
  owner = replica
  -- Time in ms lifts the epoch above any that a lost tail of the data may have held.
  local epoch = math.max(tonumber(stored[2] or 0) + 1, tonumber(now))
  claimed = string.format('%.0f', epoch)
  note('owner', owner)
  note('epoch', claimed)
end
if not stored[4] then
  note('opened_at', now)
end
if seen then
  redis.call('SET', seen, '1', 'EX', seen_ttl)
  note('heard_at', now)
end

local function arrive(participant)
  -- Its `left` was here before: it has come and gone.
  if redis.call('SREM', early, participant) == 0 then
    redis.call('SADD', people, participant)
  end
end

local function leave(participant)
  if redis.call('SREM', people, participant) == 0 and redis.call('SCARD', early) < EARLY_KEPT then
    redis.call('SADD', early, participant)
  end
end

local entries = {}
local function push(count, fact)
  entries[#entries + 1] = now .. ' ' .. count .. ' ' .. fact
  redis.call('RPUSH', inbox, entries[#entries])
end

local pushed = #ARGV >= FACTS
if redis.call('EXISTS', inbox) == 0 and redis.call('HEXISTS', session, 'record') == 0 then
  push('', opening)
  pushed = true
else
  claimed = '' -- there is more to it than this event: its owner loads it
end
local counted
for i = FACTS, #ARGV, 3 do
  local effect, participant, fact = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local count = ''
  if effect ~= '' then
    if effect == '+' then arrive(participant) else leave(participant) end
    count = redis.call('SCARD', people)
    counted = count
  end
  push(count, fact)
end
if counted then
  note('people', counted)
end
redis.call('HSET', session, unpack(fields))

local ttl = stored[3] or live_ttl
for i = 1, 4 do
  redis.call('EXPIRE', KEYS[i], ttl)
end
if pushed and owner ~= replica then
  redis.call('PUBLISH', channels .. owner, sid)
end
if claimed == '' then
  entries = {}
end
return {'stored', owner, claimed, entries}
