"""A worker that cannot be imported."""

raise ImportError("a worker of ours is broken")
