"""The one error of the benchmarks."""


class BenchmarkError(Exception):
    """Something without which the numbers would be worth nothing."""
