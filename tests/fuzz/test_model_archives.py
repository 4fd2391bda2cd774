"""Whatever a saved model's archive holds, the judge gets it only when it asks for what it may."""

import contextlib
import io
import json
import zipfile

from hypothesis import example, given
from hypothesis import strategies as st

from grader.judging.archive import RefusedError, custom_classes, inspect_archive


def _object(name, module="keras.layers", /, **config):
    return {"module": module, "class_name": name, "config": config, "registered_name": None}


GLOROT = _object("GlorotUniform", "keras.initializers", seed=None)
INPUT = {
    "class_name": "__keras_tensor__",
    "config": {"shape": [None, 8], "keras_history": ["a", 0, 0]},
}
SEQUENTIAL = _object(
    "Sequential",
    "keras",
    name="sequential",
    trainable=True,
    dtype=_object("DTypePolicy", "keras", name="float32"),
    layers=[
        _object("InputLayer", batch_shape=[None, 784], dtype="float32", name="input_layer"),
        _object("Dense", name="dense", units=512, activation="relu", kernel_initializer=GLOROT),
        _object("Dropout", name="dropout", rate=0.5, seed=None),
        _object("Dense", name="dense_1", units=10, activation="softmax"),
    ],
    build_input_shape=[None, 784],
)
FUNCTIONAL = _object(
    "Functional",
    "keras.src.models.functional",
    name="functional",
    layers=[
        {
            **_object(
                "Conv2D",
                filters=8,
                kernel_size=[3, 3],
                kernel_regularizer=_object("L2", "keras.regularizers", l2=0.01),
            ),
            "inbound_nodes": [{"args": [INPUT], "kwargs": {"training": False}}],
        },
        {**_object("function", "keras.activations", name="relu"), "inbound_nodes": []},
    ],
    input_layers=[["input_layer", 0, 0]],
)
COMPILED = {"optimizer": "rmsprop", "loss": "mse", "metrics": ["accuracy"]}


def _packed(text, method=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("config.json", text)
        archive.writestr("metadata.json", "{}")
        archive.writestr("model.weights.h5", b"\x89HDF\r\n\x1a\n" + bytes(100))
    return out.getvalue()


WHOLE = _packed(json.dumps({**SEQUENTIAL, "compile_config": COMPILED}))


def _is_let_through(data, promptly):
    """Look at it as the host does; what is let through names nothing but Keras' own modules."""
    with promptly():
        try:
            inspect_archive(data)
            refusal = ""
        except RefusedError as error:
            refusal = str(error)
        own = custom_classes(data)
    assert len(refusal) < 2000
    assert len(own) <= 10
    return not refusal


@given(data=st.data(), config=st.sampled_from([SEQUENTIAL, FUNCTIONAL]))
@example(data=None, config=_object("Dense", ["keras"]))
@example(data=None, config=_object("function", {"keras": 1}))
@example(data=None, config=_object("x" * 100_000, "y" * 100_000))
def test_any_configuration_is_let_through_or_refused(
    promptly, warped, as_text, as_bytes, data, config
):
    text = json.dumps(config)
    encoded = text.encode()
    if data is not None:
        text = data.draw(as_text(data.draw(warped({**config, "compile_config": COMPILED}))))
        encoded = data.draw(as_bytes(text))
    if _is_let_through(_packed(encoded), promptly):
        modules = {item["module"] for item in _objects(json.loads(text)) if item.get("module")}
        assert all(module.partition(".")[0] in ("keras", "builtins") for module in modules)


def _objects(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict) and "class_name" in value and "compile_config" not in value:
        plain = value["class_name"] in ("__tensor__", "__numpy__", "__tuple__", "DTypePolicy")
        yield from [] if plain or value["class_name"] == "__keras_tensor__" else [value]
    items = value.items() if isinstance(value, dict) else enumerate(inner)
    for key, item in items:
        if key != "compile_config":
            yield from _objects(item)


@given(data=st.data())
def test_any_damage_to_an_archive_is_let_through_or_refused(promptly, damaged, data):
    _is_let_through(data.draw(damaged(WHOLE)), promptly)


def test_brackets_that_look_like_letters_in_another_encoding_are_refused(promptly):
    # Each of these holds the byte of a quotation mark, between which brackets would not count.
    text = "\u2200" + "[" * 5000
    for codec in ("utf-16", "utf-16-be", "utf-32"):
        assert not _is_let_through(_packed(text.encode(codec)), promptly)
        assert not _is_let_through(_packed(("\u2222" + text).encode(codec)), promptly)


@given(method=st.sampled_from([zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]))
def test_only_methods_that_keras_writes_are_read(promptly, method):
    assert not _is_let_through(_packed(json.dumps(SEQUENTIAL), method), promptly)
    with contextlib.suppress(RefusedError):
        inspect_archive(b"")
