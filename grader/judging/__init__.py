"""The host's side of the judge: what may be opened, what it is asked, what its answer says.

``examine`` has a model file opened and asked in a sandbox; ``own_code`` asks a model that only the
code it was made by can open.
"""
