#!lua
-- An incident whose beginning is kept from a sink is over: the sink hears of neither. One step, since whoever claims a
-- beginning takes it out of what is held, and then tells of it.
--
-- KEYS  what is due to the sink, what is held
-- ARGV  id of the beginning, id of the end
-- Answers whether it was so (1 or 0).

if redis.call('ZREM', KEYS[2], ARGV[1]) == 0 then
  return 0
end
redis.call('ZREM', KEYS[1], ARGV[2])
return 1
