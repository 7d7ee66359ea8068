-- Answers {slots in use, limit, waiting, breaker open (1 or 0)}.

return {redis.call('ZCARD', held), limit(), redis.call('ZCARD', queue), breaker_open() and 1 or 0}
