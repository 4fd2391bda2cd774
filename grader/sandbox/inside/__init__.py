"""Programs that run inside a sandbox only to find out whether it holds."""
