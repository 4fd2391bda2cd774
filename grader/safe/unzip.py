"""What Python's zip reader raises, wherever a stranger's archive is read."""

import struct
import zipfile
import zlib

UNZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,  # a compression method of another age
    RuntimeError,  # a password
    EOFError,
    ValueError,
    OverflowError,  # an offset beyond every file
    OSError,
)
"""On a damaged or hostile archive."""
