"""What instructors make assignments with."""
