import contextlib
import io
import json
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.judging.archive import RefusedError, custom_classes, inspect_archive

DENSE = {
    "module": "keras.layers",
    "class_name": "Dense",
    "config": {
        "units": 10,
        "activation": "softmax",
        "kernel_initializer": {
            "module": "keras.initializers",
            "class_name": "GlorotUniform",
            "config": {"seed": None},
            "registered_name": None,
        },
    },
    "registered_name": None,
}


def model(*layers):
    return {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "sequential", "layers": list(layers)},
        "registered_name": None,
    }


def archive(config=None, *, text=None, members=(), leave_out=()):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        given = {
            "config.json": json.dumps(config or model(DENSE)) if text is None else text,
            "metadata.json": "{}",
            "model.weights.h5": b"weights",
        }
        for name, data in {**given, **dict(members)}.items():
            if name not in leave_out:
                made.writestr(name, data)
    return out.getvalue()


def refusal(data):
    with pytest.raises(RefusedError) as caught:
        inspect_archive(data)
    return str(caught.value)


def layer(name, module="keras.layers", **config):
    return {"module": module, "class_name": name, "config": config, "registered_name": None}


def test_a_plain_model_is_let_through():
    inspect_archive(archive())


@pytest.mark.parametrize(
    ("hostile", "says"),
    [
        (
            layer("Lambda", function={"class_name": "__lambda__", "config": {"code": "4wE="}}),
            "Lambda",
        ),
        (layer("TFSMLayer", filepath="/etc"), "TFSMLayer"),
        (layer("StringLookup", vocabulary="/etc/passwd"), "StringLookup"),
        (layer("IntegerLookup", vocabulary="/etc/passwd"), "IntegerLookup"),
        (layer("Popen", module="subprocess", args="id"), "'subprocess'"),
        (layer("system", module="os"), "'os'"),
        (layer("Dense", module="keras.src.utils.file_utils"), "file_utils"),
        (layer("VGG16", module="keras.applications.vgg16"), "vgg16"),
        (layer("function", module="keras.datasets.mnist"), "calls a function"),
        (layer("function", module="keras.config"), "calls a function"),
        (layer("Dense", vocabulary="/etc/passwd"), "names a file"),
        (layer(["Dense"]), "may run code"),
    ],
)
def test_what_a_model_of_the_course_has_no_business_with_is_refused(hostile, says):
    assert says in refusal(archive(model(DENSE, hostile)))


def test_something_hostile_is_found_however_deep_it_hides():
    hidden = layer(
        "Dense", kernel_initializer=layer("Constant", value=layer("system", module="os"))
    )
    assert "'os'" in refusal(archive(model(model(hidden))))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no .keras archive"),
        (b"\x89HDF\r\n", "no .keras archive"),
        (archive()[:300], "no .keras archive"),
        (archive(leave_out={"metadata.json"}), "lacks metadata.json"),
        (archive(text="{"), "not JSON"),
        (archive(text='{"class_name": "A", "class_name": "B"}'), "not JSON"),
        (archive(text="[]"), "no JSON object"),
        (archive(text="[" * 100 + "]" * 100), "nested too deep"),
        (archive(text=" " * 9_000_000), "compression bomb"),
        (archive(members={"../evil": "x"}), "leads outside"),
        (archive(members={"/etc/evil": "x"}), "leads outside"),
        (archive(members={f"assets/{n}": "x" for n in range(70)}), "more than 64"),
        (archive(members={"assets/zeros": bytes(30_000_000)}), "compression bomb"),
    ],
)
def test_a_malformed_archive_is_refused_with_its_reason(data, says):
    assert says in refusal(data)


def test_a_students_own_layers_are_named():
    own = layer("Scale", module=None)
    own["registered_name"] = "Custom>Scale"
    assert custom_classes(archive(model(own, layer("Other", module="__main__")))) == (
        "Other",
        "Scale",
    )
    assert custom_classes(archive()) == ()
    assert custom_classes(b"junk") == ()


@given(st.binary(max_size=400), st.integers(0, 600))
def test_damaged_archives_are_refused_or_let_through_but_never_crash(junk, place):
    whole = archive()
    damaged = whole[:place] + junk + whole[place + len(junk) :]
    with contextlib.suppress(RefusedError):
        inspect_archive(damaged)
