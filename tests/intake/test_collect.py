import io
import json
import zipfile

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.intake.collect import collect, printable, safe_name


def notebook(*cells):
    cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    return nbformat.writes(nbformat.v4.new_notebook(cells=cells))


def write(folder, **files):
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def test_each_file_of_a_folder_is_a_submission_and_each_subfolder_one_student(tmp_path):
    write(
        tmp_path,
        ada_dot_ipynb=notebook("a = 1"),
        ben_dot_py="b = 2",
        chen__work_dot_ipynb=notebook("c = 3"),
        chen__data_dot_csv="1,2",
    )
    found = {s.student: s for s in collect([tmp_path])}
    assert set(found) == {"ada", "ben", "chen"}
    assert found["ada"].kind == "notebook"
    assert found["ben"].cells == ("b = 2",)
    assert found["chen"].files == {"data.csv": b"1,2"}


def test_a_folder_of_one_notebook_keeps_what_lies_beside_it(tmp_path):
    write(tmp_path, work_dot_ipynb=notebook("1"), helper__net_dot_txt="x")
    (only,) = collect([tmp_path])
    assert only.files == {"helper/net.txt": b"x"}


def test_a_zip_is_graded_like_the_folder_it_holds(tmp_path):
    path = tmp_path / "class.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("class/ada.ipynb", notebook("a = 1"))
        archive.writestr("class/ben.ipynb", notebook("b = 2"))
        archive.writestr("class/chen.py", "c = 3")
        archive.writestr("__MACOSX/class/._ada.ipynb", "litter")
    assert [s.student for s in collect([path])] == ["ada", "ben", "chen"]


def test_a_zip_of_one_students_folder_is_one_submission(tmp_path):
    path = tmp_path / "ada.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ada/work.ipynb", notebook("import network"))
        archive.writestr("ada/network.py", "n = 1")
    (only,) = collect([path])
    assert (only.student, set(only.files)) == ("ada", {"network.py"})


@pytest.mark.parametrize(
    "name", ["../out.py", "/etc/out.py", "a/../../out.py", "C:/out.py", "..\\out.py"]
)
def test_a_zip_that_leads_outside_is_refused_whole(tmp_path, name):
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("fine.py", "1")
        archive.writestr(zipfile.ZipInfo(name), "1")
    (only,) = collect([path])
    assert "leads outside" in only.problem
    assert not only.cells


def test_a_compression_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.py", b"#" * 40_000_000)
    (only,) = collect([path])
    assert "bomb" in only.problem


def test_a_link_in_a_zip_is_refused(tmp_path):
    path = tmp_path / "link.zip"
    with zipfile.ZipFile(path, "w") as archive:
        member = zipfile.ZipInfo("secret.py")
        member.external_attr = 0o120777 << 16
        archive.writestr(member, "/etc/passwd")
    (only,) = collect([path])
    assert "no plain file" in only.problem


def test_links_in_a_folder_are_not_followed(tmp_path):
    (tmp_path / "secret.txt").write_text("canary")
    folder = tmp_path / "class" / "ada"
    folder.mkdir(parents=True)
    (folder / "work.py").write_text("1")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (only,) = collect([tmp_path / "class"])
    assert only.files == {}


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        ("a.ipynb", b"", "empty"),
        ("a.ipynb", b"   \n", "empty"),
        ("a.py", b"", "empty"),
        ("a.ipynb", b"\xff\xfe\xff", "not utf-16"),
        ("a.ipynb", b"caf\xe9", "byte 3"),
        ("a.ipynb", b"{", "line 1 is not JSON"),
        ("a.ipynb", b"[1]", "no nbformat"),
        ("a.ipynb", b'{"nbformat": 4}', "malformed"),
        ("a.ipynb", b'{"nbformat": 4, "nbformat_minor": 5, "cells": {}, "metadata": {}}', ""),
        ("a.ipynb", b"[" * 100_000, "nested"),
        ("a.py", b"#" * 3_000_000, "larger than 2 MiB"),
        (
            "a.ipynb",
            json.dumps(
                {
                    "nbformat": 4,
                    "nbformat_minor": 4,
                    "cells": [{"cell_type": "code", "source": 7, "outputs": [], "metadata": {}}],
                    "metadata": {},
                }
            ).encode(),
            "",
        ),
        (
            "a.ipynb",
            json.dumps(
                {
                    "nbformat": 4,
                    "nbformat_minor": 4,
                    "cells": [],
                    "metadata": {"kernelspec": {"language": "R", "name": "ir"}},
                }
            ).encode(),
            "written in r",
        ),
    ],
)
def test_what_cannot_be_read_is_a_submission_with_a_problem(tmp_path, name, data, problem):
    (tmp_path / name).write_bytes(data)
    (only,) = collect([tmp_path])
    assert only.problem
    assert problem in only.problem


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data):
    from grader.intake.collect import _read  # noqa: PLC0415 - the reader itself, without a file each

    for name in ("a.ipynb", "a.py"):
        submission = _read("a", "a", name, data, {})
        assert bool(submission.problem) != bool(submission.cells)


@given(st.text(max_size=60))
def test_any_name_becomes_a_safe_folder(text):
    name = safe_name(text)
    assert name
    assert not set(name) & set("/\\\0:")
    assert not name.startswith(".")


def test_outputs_attachments_and_metadata_of_a_notebook_are_dropped(tmp_path):
    cell = nbformat.v4.new_code_cell("1", metadata={"tags": ["x"]})
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text="accuracy 0.99")]
    (tmp_path / "a.ipynb").write_text(nbformat.writes(nbformat.v4.new_notebook(cells=[cell])))
    (only,) = collect([tmp_path])
    assert "0.99" not in json.dumps(only.notebook)
    assert only.notebook["cells"][0]["metadata"] == {}


def test_a_script_with_cell_marks_becomes_its_cells(tmp_path):
    (tmp_path / "a.py").write_text("# %% [markdown]\n# words\n\n# %%\na = 1\n\n# %%\nb = 2\n")
    (only,) = collect([tmp_path])
    assert only.cells == ("a = 1", "b = 2")


def test_students_whose_names_differ_only_in_case_get_folders_of_their_own(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    (tmp_path / "one" / "Ada.py").write_text("1")
    (tmp_path / "two" / "ada.py").write_text("1")
    names = [s.student for s in collect([tmp_path / "one", tmp_path / "two"])]
    assert len({name.casefold() for name in names}) == 2


def test_several_notebooks_in_one_students_folder_are_named(tmp_path):
    write(tmp_path, ada__one_dot_ipynb=notebook("1"), ada__two_dot_ipynb=notebook("2"))
    (tmp_path / "ben.py").write_text("1")
    found = {s.student: s for s in collect([tmp_path])}
    assert "one.ipynb, two.ipynb" in found["ada"].problem


def test_a_missing_path_and_an_empty_folder_are_errors_with_a_remedy(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        collect([tmp_path / "nowhere"])
    with pytest.raises(UsageError, match="Expected notebooks"):
        collect([tmp_path])
    (tmp_path / "a.docx").write_bytes(b"x")
    with pytest.raises(UsageError, match="neither a notebook"):
        collect([tmp_path / "a.docx"])


def test_a_torn_zip_is_a_submission_with_a_problem(tmp_path):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("a.py", "1" * 1000)
    (tmp_path / "torn.zip").write_bytes(whole.getvalue()[:200])
    (only,) = collect([tmp_path / "torn.zip"])
    assert "cannot be read" in only.problem


def test_control_characters_of_a_strangers_name_are_shown_not_sent():
    assert printable("a\x1b[31m\u202eb") == "a\\x1b[31m\\x202eb"
