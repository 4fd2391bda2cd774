"""What authors try out with the engine, before students do."""
