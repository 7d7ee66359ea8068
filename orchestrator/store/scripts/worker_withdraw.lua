-- The worker is gone by its own word.

forget(WORKER)
