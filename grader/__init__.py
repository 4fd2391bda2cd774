"""Grades homework in which students build neural networks with Keras.

Read :mod:`grader.pipeline` first, then :mod:`grader.records`.
"""
