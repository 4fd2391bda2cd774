"""Finds a data set, takes it apart into the cache, and tells where it came from.

The order of sources: a folder that a person named, Keras' cache, a download by Keras, and the
embedded stand-in. The first that has the data set is used; :func:`available` tells what became
of each.
"""

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from grader.datasets import imdb, mnist, sources
from grader.datasets.arrays import digest_of, sha256_of
from grader.datasets.cache import FORMAT, Cache, Entry
from grader.datasets.recipe import Files, Recipe
from grader.errors import DataError

Source = Literal["directory", "keras-cache", "download", "stand-in"]
"""Where a data set came from, in the order in which they are tried."""

RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe for recipe in (mnist.RECIPE, imdb.RECIPE)
}
KNOWN = tuple(RECIPES)
"""The data sets that can be served."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One data set, taken apart: what students see, what the judge sees, what nobody sees."""

    name: str
    """What Keras calls it: ``"mnist"``, ``"imdb"``."""
    source: Source
    """Where it came from."""
    description: str
    """What it is and whence, for reports; never claims to be what it is not."""
    verified: bool
    """Whether a hash proves that it is the original."""
    digest: str
    """The SHA-256 of its content: equal data, equal digest, whatever the source."""
    served: Path
    """The folder with the files of ``$KERAS_HOME/datasets``, for the student's sandbox.

    Its test split is drawn from the training split.
    """
    served_sha256: tuple[str, ...]
    """The hashes of the files in :attr:`served`, which Keras is told to trust."""
    held_out: Path
    """The folder with held-out inputs and no labels, for the judge's sandbox.

    MNIST: ``inputs.npy`` ``(10000, 28, 28)`` uint8, and ``train_mean.npy``, ``train_std.npy``
    ``(28, 28)`` float64. IMDb: ``ranks.npy`` ``(tokens,)`` int32, all reviews one after the
    other, and ``lengths.npy`` ``(25000,)`` int32; the ranks are as
    ``load_data(num_words=10000)`` gives them.
    """
    train_facts: Mapping[str, float]
    """Facts of the training inputs.

    MNIST: ``mean``, ``std``, ``min``, ``max`` of all pixels. IMDb: ``mean_length`` and
    ``longest`` with the start mark, ``num_words``.
    """
    labels_file: Path = field(repr=False)
    """The held-out labels: never to be named to a sandbox."""
    labels_sha256: str = field(repr=False)
    """The hash of that file."""

    def labels(self) -> np.ndarray:
        """Read the held-out labels; on the host only.

        Returns:
            ``(10000,)`` uint8 for MNIST, ``(25000,)`` int64 for IMDb, in the order of the
            held-out inputs.

        Raises:
            DataError: They are missing or are not what was written.
        """
        try:
            if sha256_of(self.labels_file) == self.labels_sha256:
                return np.asarray(np.load(self.labels_file, allow_pickle=False))
            problem = "its hash differs from the manifest's"
        except (OSError, ValueError) as error:
            problem = str(error)
        raise DataError(
            f"The held-out labels {self.labels_file} are damaged: {problem}.",
            remedy="Run the command again: damaged data is made anew.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """What one source has to offer for one data set."""

    name: str
    """The data set."""
    source: Source
    """The source."""
    there: bool
    """Whether the data set can be had from it."""
    where: str
    """Its path, or the host it is downloaded from."""
    verified: bool
    """Whether a hash proves that it is the original."""
    used: bool
    """Whether :func:`load` would use it now."""
    note: str
    """Why it is not there or not used, or what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What a thorough look at one entry of the cache found."""

    name: str
    """The data set; empty when not even that can be read."""
    digest: str
    """Its digest."""
    folder: Path
    """Where the entry lies."""
    problems: tuple[str, ...]
    """A sentence for each damage; none when all is well."""


def load(name: str, *, data_dir: Path | None = None, offline: bool = False) -> Dataset:
    """Find a data set, or make its stand-in, and take it apart into the cache.

    A file that a person named and that is damaged is an error. One in Keras' cache that is
    damaged is passed over, and so is a download that fails: :func:`available` tells of them.

    Args:
        name: One of :data:`KNOWN`.
        data_dir: A folder to look in first; ``GRADER_DATA`` by default.
        offline: Try no download; ``GRADER_OFFLINE`` says the same.

    Returns:
        The data set.

    Raises:
        DataError: There is no such data set, the named folder or a file in it is wrong, the
            stand-in cannot be made, or the cache cannot be written.
    """
    recipe = _recipe(name)
    cache = Cache.of_user()
    folder = sources.named_folder(data_dir)
    if folder and (files := sources.in_folder(recipe, folder)):
        return _from_files(recipe, cache, "directory", files)
    if files := sources.in_folder(recipe, sources.keras_cache()):
        try:
            return _from_files(recipe, cache, "keras-cache", files)
        except DataError:
            files = None
    if (
        not sources.why_no_download(recipe, cache, offline=offline)
        and (files := sources.download(recipe, cache))
    ):  # fmt: skip
        try:
            return _from_files(recipe, cache, "download", files)
        except DataError:
            files = None
    return _made(recipe, cache)


def available(
    *, data_dir: Path | None = None, offline: bool = False
) -> list[Availability]:
    """Tell for each data set what each source has, without downloading or making anything.

    Args:
        data_dir: As for :func:`load`.
        offline: As for :func:`load`.

    Returns:
        For each of :data:`KNOWN`, one for each source in the order in which they are tried.

    Raises:
        DataError: The named folder is not there.
    """
    cache = Cache.of_user()
    folder = sources.named_folder(data_dir)
    found = []
    for recipe in RECIPES.values():
        used = False
        for offer in _offers(recipe, cache, folder, offline=offline):
            found.append(dataclasses.replace(offer, used=offer.there and not used))
            used = used or offer.there
    return found


def verify() -> list[Health]:
    """Hash every file in the cache and compare it with what was written.

    Returns:
        One finding for each data set in the cache. A damaged one is made anew when it is next
        loaded.
    """
    found = []
    for folder in Cache.of_user().entries():
        try:
            entry = Entry.read(folder)
        except ValueError as error:
            found.append(
                Health(name="", digest="", folder=folder, problems=(f"{error}.",))
            )
            continue
        problems = tuple(entry.problems(thorough=True))
        found.append(
            Health(
                name=entry.name, digest=entry.digest, folder=folder, problems=problems
            )
        )
    return found


def _recipe(name: str) -> Recipe:
    try:
        return RECIPES[name]
    except KeyError:
        raise DataError(
            f"The data set should be one of {', '.join(KNOWN)}.\nReceived: {name!r}"
        ) from None


def _from_files(recipe: Recipe, cache: Cache, source: Source, files: Files) -> Dataset:
    prints = {name: sha256_of(path) for name, path in files.items()}
    key = _key(recipe, prints)
    entry = cache.find(key) or cache.store(key, recipe, recipe.read(files))
    verified = _is_original(recipe, prints, entry.digest)
    return _dataset(
        entry,
        source,
        _describe(recipe, files, prints, verified=verified),
        verified=verified,
    )


def _made(recipe: Recipe, cache: Cache) -> Dataset:
    key = f"{recipe.name}-made-{recipe.made}-{FORMAT}"
    entry = cache.find(key) or cache.store(key, recipe, recipe.make())
    return _dataset(
        entry, "stand-in", f"the embedded stand-in: {recipe.stand_in}", verified=False
    )


def _key(recipe: Recipe, prints: Mapping[str, str]) -> str:
    said = "\n".join(f"{name} {prints[name]}" for name in sorted(prints))
    return hashlib.sha256(f"{recipe.name} {FORMAT}\n{said}".encode()).hexdigest()


def _is_original(recipe: Recipe, prints: Mapping[str, str], digest: str) -> bool:
    return digest in recipe.originals or all(
        recipe.keras_sha256[name] == found for name, found in prints.items()
    )


def _describe(
    recipe: Recipe, files: Files, prints: Mapping[str, str], *, verified: bool
) -> str:
    main = recipe.files[0]
    claim = "verified" if verified else "not verified: not Keras' own file"
    missing = [name for name in recipe.extras if name not in files]
    lacking = f", without {', '.join(missing)}" if missing else ""
    return (
        f"{recipe.title} from {files[main]} (sha256 {prints[main][:12]}…, {claim})"
        f"{lacking}"
    )


def _dataset(
    entry: Entry, source: Source, description: str, *, verified: bool
) -> Dataset:
    layout = entry.layout
    labels = layout.labels / "labels.npy"
    return Dataset(
        name=entry.name,
        source=source,
        description=description,
        verified=verified,
        digest=entry.digest,
        served=layout.served,
        served_sha256=entry.served_sha256,
        held_out=layout.held_out,
        train_facts=entry.facts,
        labels_file=labels,
        labels_sha256=str(entry.files["c/labels.npy"]["sha256"]),
    )


def _offers(
    recipe: Recipe, cache: Cache, folder: Path | None, *, offline: bool
) -> Iterator[Availability]:
    if folder is None:
        note = "no folder is named: --data DIR or GRADER_DATA"
        yield _absent(recipe, "directory", "", note)
    else:
        yield _look(recipe, cache, "directory", folder)
    yield _look(recipe, cache, "keras-cache", sources.keras_cache())
    reason = sources.why_no_download(recipe, cache, offline=offline)
    if reason:
        yield _absent(recipe, "download", sources.HOST, reason)
    else:
        yield Availability(
            name=recipe.name,
            source="download",
            there=True,
            where=sources.HOST,
            verified=True,
            used=False,
            note="would be downloaded by Keras, which checks the hash",
        )
    yield Availability(
        name=recipe.name,
        source="stand-in",
        there=True,
        where=str(cache.folder),
        verified=False,
        used=False,
        note=recipe.stand_in,
    )


def _look(recipe: Recipe, cache: Cache, source: Source, folder: Path) -> Availability:
    files = sources.in_folder(recipe, folder)
    if files is None:
        return _absent(
            recipe, source, str(folder), f"no {', '.join(recipe.files)} there"
        )
    where = str(files[recipe.files[0]])
    try:
        prints = {name: sha256_of(path) for name, path in files.items()}
        digest = cache.digest_seen(_key(recipe, prints)) or digest_of(
            recipe.read(files)
        )
    except (OSError, DataError) as error:
        note = error.message if isinstance(error, DataError) else str(error)
        return _absent(recipe, source, where, note)
    verified = _is_original(recipe, prints, digest)
    return Availability(
        name=recipe.name,
        source=source,
        there=True,
        where=where,
        verified=verified,
        used=False,
        note=_describe(recipe, files, prints, verified=verified),
    )


def _absent(recipe: Recipe, source: Source, where: str, note: str) -> Availability:
    return Availability(
        name=recipe.name,
        source=source,
        there=False,
        where=where,
        verified=False,
        used=False,
        note=note,
    )
