#!lua
-- Write the record and drop what was folded into it from the inbox, if the epoch is still the session's.
--
-- KEYS  session, inbox, people, early, buried
-- ARGV  epoch, record, how many facts to drop, TTL (s), state, the channel of changes, sid
-- Answers {outcome, the epoch that is stored}.

local session, inbox, people, early, buried = unpack(KEYS)
local epoch, record, trim, ttl, state, changes, sid = unpack(ARGV)

local stored = redis.call('HGET', session, 'epoch') or '0'
if stored ~= epoch then
  -- Epochs only grow, and only what was buried goes while somebody drives it: the data must have been lost.
  if tonumber(stored) < tonumber(epoch) and redis.call('EXISTS', buried) == 0 then
    return {'rolled_back', stored}
  end
  return {'superseded', stored}
end

local time = redis.call('TIME')
local now = string.format('%d%03d', time[1], math.floor(time[2] / 1000))
redis.call('HSET', session, 'record', record, 'ttl', ttl, 'state', state, 'touched_at', now)
-- By number, from the front: what was appended since the inbox was read stands behind, and stays.
redis.call('LTRIM', inbox, trim, -1)
for _, key in ipairs({session, inbox, people, early}) do
  redis.call('EXPIRE', key, ttl)
end
redis.call('PUBLISH', changes, sid)
return {'committed', stored}
