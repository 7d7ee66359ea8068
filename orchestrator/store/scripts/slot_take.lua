-- Ask for a slot. It is granted to those at the head of the queue only, as many as are free.
--
-- ARGV  holder, priority, since (ms), hold (ms)
-- Answers {granted (1 or 0), limit, how many wait before, breaker open (1 or 0), cause of the newest loss}.

local holder = ARGV[6]
local priority, since, hold = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])

-- A score orders by priority first and by time second: 2^42 ms reach to the year 2109, and a thousand priorities of
-- that size still fit the 53 bits of a score.
local place = -math.max(-1000, math.min(1000, priority)) * 4398046511104 + since

local function answer(granted, ahead)
  keep(hold)
  local open = breaker_open()
  local cause = open and redis.call('HGET', pace, 'breaker') or ''
  return {granted, limit(), ahead, open and 1 or 0, cause}
end

local function grant()
  redis.call('ZREM', queue, holder)
  redis.call('ZREM', asked, holder)
  redis.call('ZADD', held, now + hold, holder)
  return answer(1, 0)
end

if redis.call('ZSCORE', held, holder) then
  return grant() -- asked again because the reply was lost
end
redis.call('ZADD', queue, place, holder)
redis.call('ZADD', asked, now, holder)
local ahead = redis.call('ZRANK', queue, holder)
if ahead < limit() - redis.call('ZCARD', held) then
  return grant()
end
return answer(0, ahead)
