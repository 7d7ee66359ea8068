#!lua
-- Have what is held, and what is gathered, looked at again now: a silence was ended.
--
-- KEYS  what is held and what is gathered, of each sink
-- ARGV  for how long (s)

for _, held in ipairs(KEYS) do
  redis.call('ZUNIONSTORE', held, 1, held, 'WEIGHTS', 0)
  redis.call('EXPIRE', held, ARGV[1])
end
