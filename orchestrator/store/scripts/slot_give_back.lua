-- End a hold or a wait, and learn from what became of the dispatch.
--
-- ARGV  holder, end (joined, lost or other), accept window (ms), cause

local holder, ending, accept_window, cause = ARGV[6], ARGV[7], tonumber(ARGV[8]), ARGV[9]

local function joined()
  redis.call('HSET', pace, 'joined_at', now, 'limit', math.min(pace_limit() + 1, CEILING))
  redis.call('HDEL', pace, 'losses', 'breaker')
end

local function lost()
  local losses = redis.call('HINCRBY', pace, 'losses', 1) -- since the last join
  if now - number('joined_at') < WINDOW then
    -- Workers are there, and cannot keep up. One burst loses many at once: it is one reason to slow down, not many.
    if now - number('halved_at') >= accept_window then
      redis.call('HSET', pace, 'halved_at', now, 'limit', math.max(math.floor(pace_limit() / 2), FLOOR))
    end
  elseif losses >= SEVERAL or breaker_open() then
    -- Nobody is there: to go on at this pace would only spend everybody's attempts.
    redis.call('HSET', pace, 'breaker', cause)
  end
end

local held_one = redis.call('ZREM', held, holder) == 1
local waited = redis.call('ZREM', queue, holder) == 1
redis.call('ZREM', asked, holder)
if held_one then
  if ending == 'joined' then
    joined()
  elseif ending == 'lost' then
    lost()
  end
  keep(0)
end
if held_one or waited then
  redis.call('PUBLISH', CHANNEL, AGENT_NAME)
end
