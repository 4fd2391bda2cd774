"""What a run finds around it: environment, interpreter, the parts of the system it may read.

The host's environment, its home and the rest of this package (it carries assignments with hidden
checks when it is installed) are not among them.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from grader.sandbox import fonts

PACKAGE = Path(__file__).resolve().parent.parent
"""This package, ``grader/``."""
WORKERS = PACKAGE / "worker"
LAUNCH = WORKERS / "launch.py"
WARDEN = WORKERS / "warden.py"
FIRST = (
    LAUNCH,
    WARDEN,
    *(WORKERS / f"{name}.py" for name in ("begin", "doors", "late", "namespaces", "zygote")),
)
"""What runs before a worker does, and lies in one folder wherever it runs."""

_SYSTEM = (
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libx32",
    "/usr/libexec",
    "/usr/share",
    "/usr/local/bin",
    "/usr/local/lib",
    "/usr/local/lib64",
    "/usr/local/share",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/timezone",
)
"""``/usr/src`` and ``/usr/local/src`` are left out: people keep their own work there."""

_OF_A_PREFIX = ("bin", "lib", "lib64", "libexec", "share", "etc", "ssl", "pyvenv.cfg")
"""A virtual environment may have been made in the very folder of a course."""


def command(launch: str) -> list[str]:
    """Give the command line of our first program.

    ``-I`` would throw away the seed of string hashes, so its parts are spelled out.
    """
    return [sys.executable, "-P", "-s", "-B", launch]


def environment(box: str) -> Mapping[str, str]:
    """Make the whole environment of a run.

    Args:
        box: The writable folder as the run sees it.
    """
    home = PurePosixPath(box, "home")
    path = dict.fromkeys([str(Path(sys.prefix, "bin")), "/usr/local/bin", "/usr/bin", "/bin"])
    return {
        "PATH": ":".join(path),
        "HOME": str(home),
        "USER": "student",
        "LOGNAME": "student",
        "TMPDIR": str(PurePosixPath(box, "tmp")),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "KERAS_BACKEND": "tensorflow",
        "KERAS_HOME": str(home / ".keras"),
        "MPLCONFIGDIR": str(home / fonts.FOLDER),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "IPYTHONDIR": str(home / ".ipython"),
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    } | ({"PYTHONPATH": ":".join(map(str, extra))} if (extra := _user_sites()) else {})


def folders(box: str) -> list[str]:
    """Name the folders to make before a run, all of them private to it."""
    names = ("work", "tmp", "home", "home/.keras", f"home/{fonts.FOLDER}", "home/.ipython")
    return [f"{box}/{name}" for name in names]


def visible() -> list[Path]:
    """List what a run may read of the system and of the interpreter; all of it exists."""
    paths = [*map(Path, _SYSTEM), *_user_sites()]
    for prefix in _prefixes():
        paths += [prefix / name for name in _OF_A_PREFIX]
    shown: list[Path] = []
    for path in dict.fromkeys(paths):
        if path.exists() and not _is_below(path, shown):
            shown.append(path)
    return shown


def grants() -> tuple[list[Path], list[Path]]:
    """Split :func:`visible` around :func:`hidden`: what may be read, and what only be listed."""
    away = {path.resolve() for path in hidden()}
    whole: list[Path] = []
    listed: list[Path] = []
    todo = [path.resolve() for path in visible()]
    while todo:
        path = todo.pop()
        if path in away:
            continue
        if any(below.is_relative_to(path) for below in away):
            listed.append(path)
            todo += [child for child in path.iterdir() if not child.is_symlink()]
        else:
            whole.append(path)
    return whole, listed


def needed(box: Path, workers: Path, places: Iterable[str]) -> list[str]:
    """List what another user must be able to read for a run to work."""
    shown = visible()
    packages = [path for path in map(Path, sys.path) if path.exists() and _is_below(path, shown)]
    interpreter = [os.path.realpath(sys.executable), os.__file__, *map(str, packages)]
    return [str(box), str(workers), str(LAUNCH), *places, *interpreter]


def _is_below(path: Path, shown: Iterable[Path]) -> bool:
    return not {path, *path.parents}.isdisjoint(shown)


def hidden() -> list[Path]:
    """List what lies in :func:`visible` and must not be read: this package's own traces."""
    traces = [PACKAGE]
    if (PACKAGE.parent / "pyproject.toml").exists():  # a checkout below the interpreter's folder
        traces = [PACKAGE.parent]
    for site in map(Path, dict.fromkeys(sys.path)):
        for pattern in ("keras_grader-*", "_keras_grader*", "__editable__*keras_grader*"):
            traces += site.glob(pattern) if site.is_dir() else ()
    shown = [(above, above.resolve()) for above in visible() if not above.is_symlink()]
    return [
        above / path.relative_to(target)
        for path in dict.fromkeys(trace.resolve() for trace in traces)
        for above, target in shown
        if path.is_relative_to(target)
    ]


def _prefixes() -> Iterator[Path]:
    for prefix in (sys.prefix, sys.base_prefix):
        path = Path(prefix)
        yield from dict.fromkeys(
            [path, path.resolve(), Path(os.path.realpath(sys.executable)).parent.parent]
        )


def _user_sites() -> list[Path]:
    """List folders of packages outside the interpreter, e.g. of ``pip install --user``."""
    inside = [Path(sys.prefix), Path(sys.base_prefix), Path("/usr")]
    return [
        path
        for path in map(Path, dict.fromkeys(sys.path))
        if path.name in {"site-packages", "dist-packages"}
        and path.is_dir()
        and not _is_below(path, inside)
    ]
