#!lua flags=no-writes
-- Read a session's record and inbox as they are at one moment.
--
-- KEYS  session, inbox
-- Answers {record or nil, inbox}; nil when there is no such session.

local session, inbox = unpack(KEYS)
if redis.call('EXISTS', session) == 0 then
  return false
end
return {redis.call('HGET', session, 'record'), redis.call('LRANGE', inbox, 0, -1)}
