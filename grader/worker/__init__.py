"""Programs that run inside a sandbox, and nowhere else.

Only here are Keras and TensorFlow imported. A worker imports nothing of the host; inside, this
folder is a package of its own (``grader_worker``), so that neither the host's code nor an
assignment's hidden checks need to be readable there.

``launch`` starts every run, ``begin`` has the ``doors`` locked before anything of a student's is
looked at, ``kernel`` runs a student's code, ``judge`` opens a saved model.
"""
