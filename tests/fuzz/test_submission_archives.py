"""Whatever archive or folder is handed in is read, or refused with a reason."""

import io
import os
import shutil
import zipfile
from pathlib import PurePosixPath

from hypothesis import example, given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.intake.collect import collect
from grader.sandbox.plan import _inside

NAMES = st.sampled_from([
    "a.py", "ada/a.py", "ada/b.ipynb", "ben/x.py", "../a.py", "/etc/a.py", "C:/a.py", "a\\b.py",
    "ada/..\\..\\a.py", "\u202eyp.a.py", "A.py", "ada/café.py", "ada/cafe\u0301.py", "ada/x",
    "ada/x/y.csv", "x" * 300 + ".csv", "ada/" + "y" * 300, "d/" * 600 + "a.csv", ".hidden.py",
    "__MACOSX/a.py", "ada/", "a.py/", "a.PY", " a.py", "a.py ", "con.py", "nested.zip", "", ".",
    "ada//a.py", "ada/./a.py", "\x1b[31m.py", "ada/\x00.py",
])  # fmt: skip
METHODS = st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
KINDS = st.sampled_from([0, 0o100644, 0o120777, 0o040755, 0o010644, 0o020644])
"""As a Unix zip has them: plain files, a link, a folder, a pipe, a device."""


def _packed(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data, method, kind in members:
            member = zipfile.ZipInfo("a")
            # The constructor makes names harmless, which a hostile writer would not.
            member.filename = name
            member.external_attr = kind << 16
            member.compress_type = method
            archive.writestr(member, data)
    return out.getvalue()


def _collected(path, promptly):
    """Collect it; every file of every submission can be laid into a sandbox."""
    with promptly():
        try:
            found = collect([path])
        except UsageError:
            return []
    assert len({one.student.casefold() for one in found}) == len(found)
    for one in found:
        assert one.problem or one.cells
        inside = [_inside(name) for name in one.files]
        assert not {str(up) for name in inside for up in PurePosixPath(name).parents} & set(inside)
        assert all(len(os.fsencode(part)) < 256 for name in inside for part in name.split("/"))
    return found


MEMBERS = st.lists(
    st.tuples(NAMES | st.text(max_size=6), st.binary(max_size=20), METHODS, KINDS), max_size=5
)


def test_a_file_without_a_name_is_refused(tmp_path, promptly):
    file = tmp_path / "ada.zip"
    file.write_bytes(_packed([("", b"x = 1", 0, 0)]))
    (found,) = _collected(file, promptly)
    assert "without a name" in found.problem


@given(members=MEMBERS, data=st.data())
def test_any_archive_is_read_or_refused(tmp_path_factory, promptly, damaged, members, data):
    file = tmp_path_factory.getbasetemp() / "class.zip"
    try:
        whole = _packed([(name, b"x = 1\n" + more, *rest) for name, more, *rest in members])
    except (UnicodeEncodeError, UserWarning):  # a lone surrogate, or a name twice
        return
    file.write_bytes(data.draw(damaged(whole)))
    _collected(file, promptly)


@given(data=st.binary(max_size=200))
@example(data=b"PK\x05\x06" + bytes(18))
def test_any_bytes_are_no_archive(tmp_path_factory, promptly, data):
    file = tmp_path_factory.getbasetemp() / "class.zip"
    file.write_bytes(data)
    _collected(file, promptly)


def test_a_file_that_is_a_folder_as_well_is_named(tmp_path, promptly):
    file = tmp_path / "ada.zip"
    file.write_bytes(_packed([(name, b"1", 0, 0) for name in ("ada/a.py", "ada/x", "ada/x/y.csv")]))
    (found,) = _collected(file, promptly)
    assert "a folder as well: x" in found.problem


def test_an_archive_of_a_rare_method_is_refused(tmp_path, promptly):
    file = tmp_path / "ada.zip"
    file.write_bytes(_packed([("a.py", b"x = 1", zipfile.ZIP_LZMA, 0)]))
    (found,) = _collected(file, promptly)
    assert "packed in an unusual way: a.py" in found.problem


FILES = st.lists(
    st.tuples(
        st.sampled_from([b"a.py", b"b.ipynb", b"\xff\xfe.py", b"\xe2\x80\xae.py", b"a\nb.py"])
        | st.binary(min_size=1, max_size=5).filter(lambda name: not set(name) & set(b"/\0.")),
        st.sampled_from(["file", "folder", "link", "pipe"]),
    ),
    max_size=4,
    unique_by=lambda file: file[0],
)


@given(files=FILES)
def test_any_folder_is_read_or_refused(tmp_path_factory, promptly, files):
    folder = os.fsencode(tmp_path_factory.getbasetemp() / "class")
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)  # noqa: PTH102 - names that are no text
    for name, kind in files:
        path = os.path.join(folder, name)  # noqa: PTH118
        match kind:
            case "folder":
                os.mkdir(path)  # noqa: PTH102
                with open(os.path.join(path, b"work.py"), "wb") as file:  # noqa: PTH118, PTH123
                    file.write(b"x = 1")
            case "link":
                os.symlink(b"/etc/passwd", path)  # noqa: PTH211
            case "pipe":
                os.mkfifo(path)
            case _:
                with open(path, "wb") as file:  # noqa: PTH123
                    file.write(b"x = 1")
    _collected(tmp_path_factory.getbasetemp() / "class", promptly)
