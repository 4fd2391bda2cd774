"""The values that flow from stage to stage: what was handed in, what happened, what it is worth.

Every class is frozen. A stage takes the record before it and returns the next one::

    Submission → ExecutionRecord → ModelCard → Measurement → Evidence → CheckResult… → Report

A shape is a tuple with ``None`` for the batch, as Keras prints it: ``(None, 28, 28, 1)``.
"""

from grader.records.answers import GivenValue, ProbeAnswer, ProbeStep
from grader.records.cells import CellRecord, ErrorFacts
from grader.records.evidence import Evidence, Judged, Measurement, SeededRun
from grader.records.flags import Flag, FlagKind
from grader.records.models import LayerCard, ModelCard, Predictions
from grader.records.plots import AxesRecord, FigureRecord, LineRecord
from grader.records.reports import AlignedLayer, AlignedMark, CheckResult, Report
from grader.records.runs import ExecutionRecord, FoundModel
from grader.records.submissions import Submission
from grader.records.trainings import ArrayFacts, CompileFacts, EvaluationRecord, FitRecord, RowFacts
from grader.records.words import (
    CellOutcome,
    CheckOutcome,
    CheckWord,
    Feedback,
    GivenKind,
    Metric,
    ProbeOutcome,
    Role,
    RunEnding,
    Shape,
    Task,
    Transform,
    Where,
)

__all__ = [
    "AlignedLayer",
    "AlignedMark",
    "ArrayFacts",
    "AxesRecord",
    "CellOutcome",
    "CellRecord",
    "CheckOutcome",
    "CheckResult",
    "CheckWord",
    "CompileFacts",
    "ErrorFacts",
    "EvaluationRecord",
    "Evidence",
    "ExecutionRecord",
    "Feedback",
    "FigureRecord",
    "FitRecord",
    "Flag",
    "FlagKind",
    "FoundModel",
    "GivenKind",
    "GivenValue",
    "Judged",
    "LayerCard",
    "LineRecord",
    "Measurement",
    "Metric",
    "ModelCard",
    "Predictions",
    "ProbeAnswer",
    "ProbeOutcome",
    "ProbeStep",
    "Report",
    "Role",
    "RowFacts",
    "RunEnding",
    "SeededRun",
    "Shape",
    "Submission",
    "Task",
    "Transform",
    "Where",
]
