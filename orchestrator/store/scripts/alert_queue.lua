#!lua
-- Keep an alert until each sink has accepted it; once per id. Of an incident, also that it is open, or no more.
--
-- KEYS  alert, the alert that opened the incident, open incidents, groups, the incidents of this alert's group;
--       then for each sink what is due to it; for each of those that group what is due to it, what is gathered for it, and of
--       this group what is fresh, what was told and its page
-- ARGV  id, body, for how long (s), for how long what is open is kept (s), firing, resolved or nothing (it is no incident's),
--       incident, since, its group or nothing, room, how many sinks do not group; for each that groups in how many seconds
--       it is to be looked at, or nothing: it does not want this alert

local id, body, ttl, open_ttl, status, incident, since, group, room, plain = unpack(ARGV)
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
local function is_due(key)
  redis.call('ZADD', key, now, id)
  redis.call('EXPIRE', key, open_ttl)
end
for i = 6, 5 + plain do
  is_due(KEYS[i])
end
for sink = 11, #ARGV do
  local due, gathered, fresh, told, page = unpack(KEYS, 6 + plain + 5 * (sink - 11), 10 + plain + 5 * (sink - 11))
  local wait, changed = ARGV[sink], true
  if status == 'firing' then
    changed = wait ~= ''
    if changed then
      redis.call('HSET', fresh, incident, since .. ' ' .. room)
      redis.call('ZADD', gathered, 'LT', now + wait, group)
    end
  else
    changed = redis.call('HDEL', fresh, incident) + redis.call('ZREM', told, incident) > 0
    if changed and redis.call('EXISTS', told) == 0 then
      redis.call('ZADD', gathered, 'LT', now, group)
    elseif not changed and wait ~= '' then
      is_due(due) -- it was told by itself, before this sink grouped
    end
  end
  if changed then
    redis.call('HINCRBY', page, 'version', 1)
    for _, key in ipairs({gathered, fresh, told, page}) do
      redis.call('EXPIRE', key, open_ttl)
    end
  end
end
