"""What strangers' bytes and words go through before anything here takes them at their word.

``unzip``, ``nesting`` and ``bounds`` are about size; ``plain`` and ``inert`` about what is shown.
"""
