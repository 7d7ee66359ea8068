#!lua
-- Keep items of a transcript, each once, in the order in which they first came.
--
-- KEYS  session, transcript
-- ARGV  TTL (s), how many are kept, then for each item: its id, the item
-- Answers 'stored', 'full' (some were not kept), or 'unknown' when there is no such session.

if redis.call('EXISTS', KEYS[1]) == 0 then
  return 'unknown'
end
local ttl, kept = ARGV[1], tonumber(ARGV[2])
local count = redis.call('HLEN', KEYS[2])
local outcome = 'stored'
for i = 3, #ARGV, 2 do
  if redis.call('HEXISTS', KEYS[2], ARGV[i]) == 0 then
    if count < kept then
      count = count + 1
      redis.call('HSET', KEYS[2], ARGV[i], count .. ' ' .. ARGV[i + 1])
    else
      outcome = 'full'
    end
  end
end
redis.call('EXPIRE', KEYS[2], ttl)
return outcome
