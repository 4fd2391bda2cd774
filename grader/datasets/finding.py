"""Finds a data set, takes it apart into the cache, and tells where it came from.

The order of sources: a folder that a person named, Keras' cache, a download by Keras, and the
embedded stand-in. The first that has the data set is used; :func:`available` tells what became
of each.
"""

import contextlib
import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from grader.datasets import cifar10, imdb, mnist, sources
from grader.datasets.arrays import digest_of, sha256_of
from grader.datasets.cache import FORMAT, Cache, Entry
from grader.datasets.recipe import Files, Recipe
from grader.datasets.records import Availability, Dataset, Health, Source
from grader.errors import DataError

RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe for recipe in (mnist.RECIPE, imdb.RECIPE, cifar10.RECIPE)
}
KNOWN = tuple(RECIPES)
"""The data sets that can be served."""


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
    for source, found in _found_by_itself(recipe, cache, offline=offline):
        with contextlib.suppress(DataError):
            return _from_files(recipe, cache, source, found)
    return _made(recipe, cache)


def available(*, data_dir: Path | None = None, offline: bool = False) -> list[Availability]:
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

    A damaged one is marked, so that it is made anew when it is next loaded.

    Returns:
        One finding for each data set in the cache.
    """
    found = []
    for folder in Cache.of_user().entries():
        try:
            entry = Entry.read(folder)
        except ValueError as error:
            found.append(Health(name="", digest="", folder=folder, problems=(f"{error}.",)))
            continue
        problems = tuple(entry.problems(thorough=True))
        if problems:
            entry.disown()
        found.append(Health(name=entry.name, digest=entry.digest, folder=folder, problems=problems))
    return found


def _recipe(name: str) -> Recipe:
    try:
        return RECIPES[name]
    except KeyError:
        raise DataError(
            f"The data set should be one of {', '.join(KNOWN)}.\nReceived: {name!r}"
        ) from None


def _found_by_itself(
    recipe: Recipe, cache: Cache, *, offline: bool
) -> Iterator[tuple[Source, Files]]:
    """Look where nobody pointed to, the cheap places first."""
    if files := sources.in_folder(recipe, sources.keras_cache()):
        yield "keras-cache", files
    if sources.why_no_download(recipe, cache, offline=offline):
        return
    if files := sources.download(recipe, cache):
        yield "download", files


def _from_files(recipe: Recipe, cache: Cache, source: Source, files: Files) -> Dataset:
    prints = _prints(files)
    key = _key(recipe, prints)
    entry = cache.find(key) or cache.store(key, recipe, recipe.read(files))
    verified = _is_original(recipe, prints, entry.digest)
    return dataset_of(
        entry,
        source,
        _describe(recipe, files, prints, verified=verified),
        verified=verified,
    )


def _made(recipe: Recipe, cache: Cache) -> Dataset:
    key = f"{recipe.name}-made-{recipe.made}-{FORMAT}"
    entry = cache.find(key) or cache.store(key, recipe, recipe.make())
    return dataset_of(
        entry, "stand-in", f"the embedded stand-in: {recipe.stand_in}", verified=False
    )


def _prints(files: Files) -> Mapping[str, str]:
    """Give the SHA-256 of each file.

    Raises:
        DataError: One cannot be read.
    """
    try:
        return {name: sha256_of(path) for name, path in files.items()}
    except OSError as error:
        raise DataError(f"A data file cannot be read: {error}.") from error


def _key(recipe: Recipe, prints: Mapping[str, str]) -> str:
    said = "\n".join(f"{name} {prints[name]}" for name in sorted(prints))
    return hashlib.sha256(f"{recipe.name} {FORMAT}\n{said}".encode()).hexdigest()


def _is_original(recipe: Recipe, prints: Mapping[str, str], digest: str) -> bool:
    return digest in recipe.originals or all(
        recipe.keras_sha256.get(name) == found for name, found in prints.items()
    )


def _describe(recipe: Recipe, files: Files, prints: Mapping[str, str], *, verified: bool) -> str:
    main = next(iter(files))
    claim = "verified" if verified else "not verified: not Keras' own file"
    missing = [name for name in recipe.extras if name not in files]
    lacking = f", without {', '.join(missing)}" if missing else ""
    return f"{recipe.title} from {files[main]} (sha256 {prints[main][:12]}…, {claim}){lacking}"


def dataset_of(entry: Entry, source: Source, description: str, *, verified: bool) -> Dataset:
    """Give a data set that lies in the cache."""
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
        yield _absent(recipe, "download", recipe.host, reason)
    else:
        yield Availability(
            name=recipe.name,
            source="download",
            there=True,
            where=recipe.host,
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
        return _absent(recipe, source, str(folder), f"no {' or '.join(recipe.files)} there")
    where = str(next(iter(files.values())))
    try:
        prints = _prints(files)
        digest = cache.digest_seen(_key(recipe, prints)) or digest_of(recipe.read(files))
    except DataError as error:
        return _absent(recipe, source, where, error.message)
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
