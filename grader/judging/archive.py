"""Looks at a ``.keras`` archive before anything opens it: zip and JSON only, within bounds.

Keras' safe mode is no boundary: it refuses some names and lets the others through. So the archive
may name only what a course's model is made of; everything else is refused here, on the host, by
code that executes nothing of the file.
"""

import io
import json
import stat
import zipfile
from collections.abc import Collection, Iterator
from typing import Any

from grader.safe.nesting import depth
from grader.safe.unzip import UNZIP_ERRORS

MIB = 1 << 20
LARGEST_FILE = 512 * MIB
LARGEST_UNPACKED = 1024 * MIB
LARGEST_CONFIG = 8 * MIB
MOST_MEMBERS = 64
HIGHEST_RATIO = 20
DEEPEST = 64
METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
LONGEST_WORDS = 200
"""Characters of a stranger's that are repeated in a sentence."""
MOST_NAMED = 10
NEEDED = frozenset({"config.json", "metadata.json", "model.weights.h5"})

MODULES = frozenset({
    "builtins",
    "keras",
    "keras.activations",
    "keras.constraints",
    "keras.initializers",
    "keras.layers",
    "keras.losses",
    "keras.metrics",
    "keras.models",
    "keras.optimizers",
    "keras.optimizers.schedules",
    "keras.random",
    "keras.regularizers",
    "keras.src.models.functional",
    "keras.src.models.sequential",
    "keras.src.ops.nn",
    "keras.src.ops.numpy",
    "keras.src.random.seed_generator",
})  # fmt: skip
REFUSED_CLASSES = frozenset({
    "Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer",
    "StringLookup", "TextVectorization", "IntegerLookup", "HashedCrossing", "FeatureSpace",
    "__lambda__", "__typespec__", "CustomObject",
})  # fmt: skip
PLAIN_CLASSES = frozenset({
    "__tensor__", "__numpy__", "__keras_tensor__", "__tuple__", "__ellipsis__", "DTypePolicy",
})  # fmt: skip
FUNCTION_MODULES = frozenset({"keras.activations", "keras.losses", "keras.metrics", "builtins"})


class RefusedError(Exception):
    """Why an archive is not opened, in words for the student."""


def inspect_archive(data: bytes, own: Collection[str] = ()) -> None:
    """Check an archive's shape and everything its configuration asks Keras to build.

    Args:
        data: The bytes of a ``.keras`` file.
        own: Classes and functions of the assignment's, which the judge has from the instructor.

    Raises:
        RefusedError: It is malformed, too large, or asks for something that is not allowed.
    """
    config = _config(data)
    for path, item in _objects(config):
        if not _is_own(item, own) and (problem := _not_allowed(item)):
            place = path[-LONGEST_WORDS:] or "the top"
            raise RefusedError(f"{problem} (at {place} of its configuration)")


def _is_own(item: dict[str, Any], own: Collection[str]) -> bool:
    """Whether Keras will take the instructor's class or function for it."""
    called = item.get("config") if item["class_name"] == "function" else item["class_name"]
    module, registered = item.get("module"), item.get("registered_name")
    return (
        isinstance(called, str)
        and called in own
        and not str(module or "").startswith(("keras", "builtins"))
        and (registered is None or str(registered).rpartition(">")[2] == called)
    )


def custom_classes(data: bytes, own: Collection[str] = ()) -> tuple[str, ...]:
    """Names of classes in an archive that are neither Keras' nor the assignment's own.

    A ``Lambda`` is Keras', but what it does is not.
    """
    try:
        config = _config(data)
    except RefusedError:
        return ()
    names = {
        str(item["class_name"])
        for _, item in _objects(config)
        if not _is_own(item, own)
        and (
            not str(item.get("module") or "keras").startswith(("keras", "builtins"))
            or (item.get("module") is None and item.get("registered_name"))
            or item["class_name"] == "Lambda"
        )
    }
    return tuple(sorted(name[:LONGEST_WORDS] for name in names)[:MOST_NAMED])


def _need(condition: object, why: str) -> None:
    if not condition:
        raise RefusedError(why)


def _config(data: bytes) -> dict[str, Any]:
    _need(len(data) <= LARGEST_FILE, f"the file is larger than {LARGEST_FILE // MIB} MiB")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_members(archive.infolist())
            data = _member(archive, "config.json")
    except UNZIP_ERRORS as error:
        raise RefusedError(f"the file is no .keras archive ({type(error).__name__})") from None
    try:
        # Only UTF-8: in another encoding brackets could look like letters when they are counted.
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise RefusedError("its configuration is not UTF-8 text") from None
    _need(depth(text) <= DEEPEST, "its configuration is nested too deep")
    try:
        config = json.loads(text, object_pairs_hook=_unique)
    except ValueError:
        raise RefusedError("its configuration is not JSON") from None
    _need(isinstance(config, dict), "its configuration is no JSON object")
    # What the judge builds: the loss and optimizer are never deserialised (`compile=False`).
    config.pop("compile_config", None)
    return dict(config)


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    names = [member.filename for member in members]
    _need(
        len(members) <= MOST_MEMBERS,
        f"the archive has more than {MOST_MEMBERS} members",
    )
    _need(len(set(names)) == len(names), "the archive holds a name twice")
    _need(
        set(names) >= NEEDED,
        f"the archive lacks {', '.join(sorted(NEEDED - set(names)))}",
    )
    for member in members:
        name = member.filename
        _need(
            not (name.startswith("/") or ".." in name.split("/") or "\\" in name or "\0" in name),
            "the archive holds a path that leads outside of it",
        )
        kind = stat.S_IFMT(member.external_attr >> 16)
        _need(
            kind in (0, stat.S_IFREG, stat.S_IFDIR),
            "the archive holds something that is no plain file",
        )
        _need(not member.flag_bits & 1, "the archive is encrypted")
        _need(member.compress_type in METHODS, "the archive is packed in a way that Keras does not")
        _need(
            member.file_size <= max(MIB, HIGHEST_RATIO * max(1, member.compress_size)),
            "the archive is a compression bomb",
        )
    _need(
        sum(member.file_size for member in members) <= LARGEST_UNPACKED,
        "the archive is too large when unpacked",
    )


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        # The size that the archive claims is a claim: bound the read itself.
        data = file.read(LARGEST_CONFIG + 1)
    _need(
        len(data) <= LARGEST_CONFIG,
        f"{name} is larger than {LARGEST_CONFIG // MIB} MiB",
    )
    return data


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _objects(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything that Keras would build: each JSON object with a ``class_name``."""
    if isinstance(value, dict):
        if "class_name" in value:
            yield path, value
        for key, item in value.items():
            yield from _objects(item, f"{path}/{key}")
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _objects(item, f"{path}[{place}]")


def _not_allowed(item: dict[str, Any]) -> str:
    name, module, config = item["class_name"], item.get("module"), item.get("config")
    if not isinstance(name, str) or name in REFUSED_CLASSES:
        return f"it holds a {_words(name)}, which may run code or read files when it is opened"
    module = module if isinstance(module, str | None) else repr(module)  # a list has no hash
    if name == "function":
        return "" if module in FUNCTION_MODULES else f"it calls a function of {_words(module)}"
    if name in PLAIN_CLASSES:
        return ""
    if module not in MODULES:
        return f"it uses {_words(name)} of {_words(module)}, which is not Keras' own"
    if isinstance(config, dict) and isinstance(config.get("vocabulary"), str):
        return f"its layer {_words(name)} names a file"
    return ""


def _words(name: Any) -> str:
    """What a stranger's file says, short enough for a sentence."""
    text = repr(name)
    return text if len(text) <= LONGEST_WORDS else f"{text[:LONGEST_WORDS]}…"
