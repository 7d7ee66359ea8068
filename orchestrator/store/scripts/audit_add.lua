#!lua
-- Add a line to the audit log, which is bounded.
--
-- KEYS  audit
-- ARGV  TTL (s), how many are kept, the line
-- Answers the line's id, which begins with the time in ms.

local id = redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[2], '*', 'deed', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[1])
return id
