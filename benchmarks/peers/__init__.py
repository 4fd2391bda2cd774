"""Compares this grader with other ways of grading the same Keras notebooks."""
