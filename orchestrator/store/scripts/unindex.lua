#!lua
-- Take sessions that are no more out of the indexes. Room names stay until newer ones displace them.
--
-- KEYS  the indexes by sid
-- ARGV  sids

for _, key in ipairs(KEYS) do
  redis.call('ZREM', key, unpack(ARGV))
end
