"""The LiveKit agents that get dispatched. Of the orchestrator it knows `orchestrator.contract` and nothing else."""
