# SPDX-License-Identifier: EUPL-1.2
"""Imports point one way: jobs, then features, then the single files; a feature knows another by its verbs and reads."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.architecture.source import Import, features, imports, imports_of, modules, python_files

# Edges may know everything below them: the factory and its blueprints, the commands, the demo, the list of models.
EDGES = {
    "abs_platform",
    "abs_platform.blueprints",
    "abs_platform.cli",
    "abs_platform.demo",
    "abs_platform.model_registry",
}
DOORS = {"service", "queries", "states", "permissions"}
# Verbs of a feature that grew too large for one service.py.
ALSO_SERVICES = {
    "areas.drawing",
    "areas.shapes",
    "initiatives.illustrations",
    "initiatives.listing",
    "media.keeping",
    "media.site_pictures",
    "ledger.browsing",
    "ledger.reports",
    "payouts.approving",
    "payouts.paybacks",
    "donations.money",
    "payments.booking",
    "payments.refunding",
    "payments.suspense",
    "vouchers.giving",
    "vouchers.redeeming",
    "vouchers.keeping",
    "vouchers.replacing",
    "vouchers.merkle",
    "vouchers.issuing",
    "vouchers.print_file",
    "following.digests",
    "initiatives.submitting",
    "initiatives.proposals",
    "initiatives.changing",
    "initiatives.content",
    "initiatives.organisers",
    "initiatives.subjects",
    "updates.mailing",
    "moderation.history",
    "payouts.history",
    "moderation.promises",
    "moderation.queue",
    "moderation.diffs",
    "agenda.desk_queries",
    "letters.handing_over",
    "rounds.readiness",
    "reports.district_queries",
}
# Reads that grew too large for one queries.py: they too may join another's table.
ALSO_QUERIES = {
    "pages.public_pages",
    "following.digest_queries",
    "agenda.desk_queries",
    "letters.desk_queries",
    "letters.printing",
    "letters.doubts",
    "ledger.browsing",
    "cashbook.totals",
    "payouts.paybacks",
    "payouts.batch_queries",
    "paper.box_queries",
    "reports.district_queries",
    "payments.open_things",
    "payments.standing",
    "payments.suspense",
    "payouts.warnings",
    "payments.telling",
    "moderation.dossier",
    "moderation.promises",
    "moderation.queue",
    "moderation.review",
    "initiatives.showing",
}
EXCEPTIONS = {
    ("following.schemas", "households.address_fields"): "one home for what is a postcode",
    ("following.routes", "households.address_fields"): "one home for what is a postcode",
    ("replacements.schemas", "households.address_fields"): "an address is read the same from a form and from a file",
    ("paper.routes_balie", "replacements.schemas"): "an address is read the same by a visitor and at the desk",
    ("finance.schemas", "payouts.schemas"): "one home for what is an account number, which no note may hold",
    ("api.schemas", "vouchers.schemas"): "the API refuses the same lengths as the forms: one home for each limit",
}


def layer(module: str) -> str:
    """Where a module stands: job, edge, feature or single file."""
    parts = module.split(".")
    if parts[0] == "jobs":
        return "job"
    if module in EDGES or ".".join(parts[:2]) in EDGES:
        return "edge"
    return "feature" if parts[1] in features() else "single file"


def may_import(one: Import) -> bool:
    """Whether an import follows the rules of the house."""
    if one.for_types:
        return True
    source, target = layer(one.importer), layer(one.imported)
    if source == "single file":
        return target == "single file"
    if source == "feature":
        return target == "single file" or (target == "feature" and _through_a_door(one))
    if source == "job":
        return target != "edge" or (one.importer, one.imported) == ("jobs.__main__", "abs_platform")
    return target != "job" or one.importer.startswith("abs_platform.cli")


def _through_a_door(one: Import) -> bool:
    importer, imported = (name.removeprefix("abs_platform.") for name in (one.importer, one.imported))
    feature, _, door = imported.partition(".")
    return (
        importer.split(".")[0] == feature
        or door in DOORS
        or imported in ALSO_SERVICES
        # a read may join another's table
        or (door == "models" and (importer.endswith(".queries") or importer in ALSO_QUERIES))
        or (importer, imported) in EXCEPTIONS
    )


def test_imports_point_one_way_and_a_feature_knows_another_by_its_verbs_and_reads() -> None:
    breaches = [str(one) for one in imports() if not may_import(one)]

    assert breaches == []


@pytest.mark.parametrize(
    ("importer", "line", "allowed"),
    [
        ("abs_platform.money", "from abs_platform import clock", True),
        ("abs_platform.money", "from abs_platform.areas import queries", False),
        ("abs_platform.areas.queries", "from abs_platform import clock", True),
        ("abs_platform.areas.queries", "from abs_platform.rounds.models import Round", True),
        ("abs_platform.areas.service", "from abs_platform.rounds.models import Round", False),
        ("abs_platform.areas.service", "from abs_platform.rounds.service import close", True),
        ("abs_platform.areas.service", "from abs_platform.rounds.routes import bp", False),
        ("abs_platform.areas.service", "from abs_platform.vouchers.redeeming import redeem", True),
        ("abs_platform.areas.service", "from abs_platform.vouchers.codes import CodeKeys", False),
        ("abs_platform.areas.service", "if TYPE_CHECKING:\n    from abs_platform.rounds.models import Round", True),
        ("abs_platform.areas.service", "from abs_platform import create_app", False),
        ("abs_platform.areas.service", "from jobs.runner import run_job", False),
        ("abs_platform.areas.service", "import jobs.runner", False),
        ("abs_platform.demo.loading", "from jobs.runner import run_job", False),
        ("abs_platform.cli.operations", "from jobs.runner import run_job", True),
        ("jobs.runner", "from abs_platform.rounds.service import close", True),
        ("jobs.runner", "from abs_platform import cli", False),
    ],
)
def test_the_rule_of_the_test_above_tells_right_from_wrong(importer: str, line: str, *, allowed: bool) -> None:
    assert [may_import(one) for one in imports_of(importer, line)] == [allowed]


def test_no_exception_is_kept_that_nobody_needs() -> None:
    made = {tuple(name.removeprefix("abs_platform.") for name in (one.importer, one.imported)) for one in imports()}

    assert set(EXCEPTIONS) <= made
    assert {f"abs_platform.{name}" for name in ALSO_SERVICES} <= set(modules())


def test_no_module_imports_itself_through_others() -> None:
    graph: dict[str, set[str]] = {name: set() for name in modules()}
    for one in imports():
        if not one.for_types:
            graph[one.importer].add(one.imported)

    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' imports '.join(error.args[1][::-1])}")


def test_nothing_is_imported_inside_a_function() -> None:
    assert [str(one) for one in imports() if one.in_function] == []


def test_only_the_adapter_of_the_payment_port_knows_stripe() -> None:
    knowing = {
        name
        for name, path in modules().items()
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "stripe" for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "stripe")
    }

    assert knowing == {"abs_platform.payments.stripe_adapter", "abs_platform.payments.stripe_reading"}


def test_only_the_loader_of_the_demo_knows_the_stand_in_for_stripe() -> None:
    stand_in = "abs_platform.demo.stripe"

    knowing = {one.importer for one in imports() if one.imported.startswith(stand_in)}
    of_loader = {one.importer for one in imports() if one.imported == "abs_platform.demo.bank"}

    assert {name for name in knowing if not name.startswith(f"{stand_in}.")} == {"abs_platform.demo.bank"}
    assert of_loader
    assert {name for name in of_loader if not name.startswith("abs_platform.demo.")} == set()


def test_neither_web_nor_jobs_nor_any_other_command_loads_the_stand_in_for_stripe() -> None:
    loads: dict[str, set[str]] = {name: set() for name in modules()}
    for one in imports():
        if not one.for_types:
            loads[one.importer].add(one.imported)
    loaded, waiting = set[str](), ["abs_platform", "jobs.__main__", "abs_platform.cli"]
    while waiting:
        name = waiting.pop()
        if name not in loaded:
            loaded.add(name)
            waiting += loads.get(name, ())

    assert "abs_platform.demo.routes" in loaded, "the walk goes wrong: its pages are loaded, and are not registered"
    assert {
        name for name in loaded if name.startswith(("abs_platform.demo.stripe", "abs_platform.demo.bank."))
    } == set()
    assert not loaded & {"abs_platform.demo.bank", "abs_platform.demo.cli", "abs_platform.demo.loading"}


def test_a_migration_imports_no_app_code() -> None:
    revisions = python_files("migrations/versions")

    assert revisions
    assert [str(one) for path in revisions for one in imports_of(path.name, path.read_text())] == []
