#!lua
-- Take a replica off the list, unless it lives, or has sessions: through the list the others find them.
--
-- KEYS  lease, replicas, sessions of this replica
-- ARGV  replica

local lease, replicas, sessions = unpack(KEYS)
if redis.call('EXISTS', lease, sessions) == 0 then
  redis.call('SREM', replicas, ARGV[1])
end
