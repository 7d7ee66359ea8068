#!lua
-- Keep an alert until each sink has accepted it; once per id. Of an incident, also that it is open, or no more.
--
-- KEYS  alert, the alert that opened the incident, open incidents, groups, the incidents of this alert's group;
--       then for each sink what is due to it
-- ARGV  id, body, for how long (s), for how long what is open is kept (s), firing, resolved or nothing (it is no incident's),
--       incident, since, its group or nothing

local id, body, ttl, open_ttl, status, incident, since, group = unpack(ARGV)
local alert, opening, open, groups, members = unpack(KEYS)
if redis.call('EXISTS', alert) == 1 then
  return
end
redis.call('HSET', alert, 'body', body)
redis.call('EXPIRE', alert, status == 'firing' and open_ttl or ttl)
if status == 'firing' then
  redis.call('ZADD', open, since, incident)
  if group ~= '' then
    redis.call('ZADD', members, since, incident)
    redis.call('SADD', groups, group)
  end
elseif status == 'resolved' then
  redis.call('EXPIRE', opening, ttl)
  redis.call('ZREM', open, incident)
  redis.call('ZREM', members, incident)
  if group ~= '' and redis.call('EXISTS', members) == 0 then
    redis.call('SREM', groups, group)
  end
end
for _, key in ipairs({open, groups, members}) do
  redis.call('EXPIRE', key, open_ttl)
end
local now = redis.call('TIME')[1]
for i = 6, #KEYS do
  redis.call('ZADD', KEYS[i], now, id)
  redis.call('EXPIRE', KEYS[i], open_ttl)
end
