-- A worker of this name has just arrived: what was lost before it came says nothing about it.

if redis.call('HDEL', pace, 'losses', 'breaker') > 0 then
  redis.call('PUBLISH', CHANNEL, AGENT_NAME)
end
