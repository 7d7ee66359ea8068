"""Tests on real processes: livekit-server, Redis or Valkey, workers, clients."""
