"""What the grader is judged by; ``README.md`` says what each number means."""
