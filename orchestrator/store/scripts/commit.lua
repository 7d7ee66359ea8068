#!lua
-- Write the record and drop what was folded into it from the inbox, if the epoch is still the session's.
--
-- KEYS  session, inbox, people, early
-- ARGV  epoch, record, how many facts to drop, TTL (s), ended (1 or 0)
-- Answers the outcome.

local session, inbox = unpack(KEYS)
local epoch, record, trim, ttl, ended = unpack(ARGV)

if redis.call('HGET', session, 'epoch') ~= epoch then
  return 'superseded'
end
redis.call('HSET', session, 'record', record, 'ttl', ttl, 'ended', ended)
-- By number, from the front: what was appended since the inbox was read stands behind, and stays.
redis.call('LTRIM', inbox, trim, -1)
for _, key in ipairs(KEYS) do
  redis.call('EXPIRE', key, ttl)
end
return 'committed'
