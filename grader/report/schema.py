"""The JSON Schema of ``report.json``, made from the records themselves.

``python -m grader.report.schema`` prints it; ``docs/report.schema.json`` keeps it.
"""

import inspect
import json
from dataclasses import is_dataclass
from typing import Any

from pydantic import TypeAdapter

from grader import records
from grader.records import Report
from grader.tally import VERSION

NO_NUMBERS = ["nan", "inf", "-inf"]
"""How JSON, which has no such numbers, gets them."""


def schema() -> dict[str, Any]:
    """Describe ``report.json`` (JSON Schema 2020-12)."""
    made = TypeAdapter(Report).json_schema(mode="serialization")
    described: dict[str, Any] = _with_descriptions(_with_no_numbers(made))
    described["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    described["title"] = f"report.json, version {VERSION}"
    return described


def _with_no_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get("type") == "number":
            rest = {key: item for key, item in value.items() if key != "type"}
            return {"anyOf": [{"type": "number"}, {"enum": NO_NUMBERS}], **rest}
        return {key: _with_no_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_no_numbers(item) for item in value]
    return value


def _with_descriptions(made: dict[str, Any]) -> dict[str, Any]:
    """Give each field the docstring that stands under it in ``records``."""
    for name, defined in [("Report", made), *made.get("$defs", {}).items()]:
        record = getattr(records, name, None)
        if not isinstance(record, type) or not is_dataclass(record):
            continue
        body = inspect.getsource(record)
        for field, facts in defined.get("properties", {}).items():
            after = body.split(f"\n    {field}: ", 1)[1]
            facts["description"] = after.split('"""', 2)[1]
    return made


if __name__ == "__main__":
    print(json.dumps(schema(), ensure_ascii=False, indent=2))  # noqa: T201 - it is what it is for
