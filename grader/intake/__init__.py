"""What was handed in: paths, folders and zips become submissions, read but not run."""
