#!lua
-- Say that a replica lives, and keep what names its sessions.
--
-- KEYS  lease, replicas, sessions of this replica
-- ARGV  replica, TTL of the lease (ms), TTL of the rest (s)

local lease, replicas, sessions = unpack(KEYS)
local replica, lease_ttl, ttl = unpack(ARGV)
redis.call('SET', lease, '1', 'PX', lease_ttl)
redis.call('SADD', replicas, replica)
redis.call('EXPIRE', replicas, ttl)
redis.call('EXPIRE', sessions, ttl)
