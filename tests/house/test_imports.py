"""Who may know whom: every import of the project is read, and none may run upwards or in a circle.

The chapters use the bench and the daemon; the bench starts the practice tenant as a child process; the practice tenant
and the daemon know nothing of ours. Inside the practice tenant, `FLOORS` is the order of the house.
"""

import ast
from functools import cache
from pathlib import Path

from chapters import NOTEBOOKS, ROOT

TENANT = NOTEBOOKS / "practice_tenant"

# From the top down: a module imports from floors below its own, or from its own package. Two names on one floor do not
# know each other.
FLOORS = [
    ("__main__",),
    ("server", "options"),
    ("tls",),
    ("emulator",),
    ("control",),
    ("state",),
    ("faults", "resource_manager"),
    ("portal",),
    ("graph", "entra"),
    ("signing",),
    ("directory",),
    ("odata",),
    ("errors",),
    ("messages",),
    ("formats", "clock"),
]
FLOOR = {name: number for number, floor in enumerate(FLOORS) for name in floor}
OURS = {"practice_tenant", "workbook", "graph_daemon"}
ALLOWED = {"practice_tenant": {"practice_tenant"}, "workbook": {"workbook"}, "graph_daemon": set()}

# Who imports what only when it is needed, and why. It counts like every other import: not upwards, not in a circle.
LATE = {
    ("workbook.wire", "workbook.tables"): "pandas takes longer than all the rest, and most cells show no table",
}


@cache
def modules() -> list[Path]:
    """Every Python file beside the chapters."""
    return sorted(path for path in NOTEBOOKS.rglob("*.py") if not {"keys", "output"} & set(path.parts))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes(path: Path) -> list[ast.AST]:
    """Everything in a file, at any depth."""
    return list(ast.walk(parsed(path)))


@cache
def imports(path: Path) -> list[tuple[str, ast.AST]]:
    """The full name of everything a file imports, at any depth, relative names made absolute."""
    package = path.relative_to(NOTEBOOKS).parts[:-1]
    found: list[tuple[str, ast.AST]] = []
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found += [(alias.name, node) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            start = ".".join(filter(None, [*base, node.module]))
            names = [f"{start}.{alias.name}" for alias in node.names]
            found += [(name if is_module(name) else start, node) for name in names]
    return found + late_imports(path)


@cache
def late_imports(path: Path) -> list[tuple[str, ast.AST]]:
    """What a file imports by `import_module("full.name")`; a name put together at run time is not known here."""
    calls = [node for node in nodes(path) if isinstance(node, ast.Call) and node.args]
    return [
        (str(call.args[0].value), call)
        for call in calls
        if isinstance(call.args[0], ast.Constant) and ast.unparse(call.func).endswith("import_module")
    ]


@cache
def is_module(name: str) -> bool:
    place = NOTEBOOKS.joinpath(*name.split("."))
    return place.is_dir() or place.with_suffix(".py").is_file()


@cache
def name_of(path: Path) -> str:
    return ".".join(path.relative_to(NOTEBOOKS).with_suffix("").parts).removesuffix(".__init__")


def room(name: str) -> str:
    """The package or module of the practice tenant that a full name lies in."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else ""


def test_nobody_knows_more_than_they_may():
    more = {}
    for path in modules():
        whose = name_of(path).partition(".")[0]
        known = {name.partition(".")[0] for name, _ in imports(path)} & OURS
        more[name_of(path)] = known - ALLOWED[whose]
    assert {name: known for name, known in more.items() if known} == {}


def test_no_import_runs_upwards():
    upwards = {
        (name_of(path), name) for path in modules() for name, _ in imports(path) if runs_upwards(name_of(path), name)
    }
    assert upwards == set()


def runs_upwards(importer: str, name: str) -> bool:
    """Whether a module of the practice tenant imports another room of its floor or of one above."""
    if not (importer.startswith("practice_tenant.") and name.startswith("practice_tenant.")):
        return False
    own, other = room(importer), room(name)
    return own != other and FLOOR[other] <= FLOOR[own]


def test_every_room_has_a_floor():
    rooms = {room(name_of(path)) for path in modules() if TENANT in path.parents} - {""}
    assert rooms <= FLOOR.keys()


def test_no_imports_go_in_a_circle():
    graph = {name_of(path): {name for name, _ in imports(path) if name.partition(".")[0] in OURS} for path in modules()}
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " > ".join((*way[way.index(name) :], name))
        if name not in done:
            for other in sorted(graph.get(name, set()) - {name}):
                visit(other, (*way, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_no_import_hides_from_the_reader():
    hidden = {name_of(path): hidden_in(path) for path in modules()}
    assert {name: lines for name, lines in hidden.items() if lines} == {}
    ours = {(name_of(path), name) for path in modules() for name, _ in late_imports(path)}
    assert {(importer, name) for importer, name in ours if name.partition(".")[0] in OURS} <= LATE.keys()


def hidden_in(path: Path) -> list[int]:
    """The lines on which one of our modules is imported below the top level, or for the type checker alone."""
    at_the_top = parsed(path).body
    relative = [node for node in nodes(path) if isinstance(node, ast.ImportFrom) and node.level]
    inside = [node.lineno for node in relative if node not in at_the_top]
    lines = path.read_text(encoding="utf-8").splitlines()
    return inside + [number for number, line in enumerate(lines, 1) if "TYPE_CHECKING" in line]


def test_every_late_import_is_there():
    there = {(name_of(path), name) for path in modules() for name, _ in late_imports(path)}
    assert LATE.keys() <= there
    assert all(is_module(name) for _, name in LATE)


def outside(start: str) -> set[str]:
    """The packages that are not ours and come along with one of our modules."""
    reached, waiting, found = set(), [start], set()
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        place = NOTEBOOKS.joinpath(*name.split("."))
        path = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        for other, _ in imports(path):
            if other.partition(".")[0] not in OURS:
                found.add(other.partition(".")[0])
            elif (name, other) not in LATE:
                waiting.append(other)
    return found


def test_the_emulator_needs_no_server():
    """A test, a batch or a browser without sockets must be able to use it."""
    found = outside("practice_tenant.emulator")
    assert found.isdisjoint({"tornado", "trustme", "ssl", "socket", "asyncio"})
    assert "cryptography" in found


def test_the_bench_opens_without_pandas():
    """A learner's first cell, and every kernel of the tests, waits for what `import workbook` brings along."""
    found = outside("workbook")
    assert found.isdisjoint({"pandas", "numpy", "matplotlib"})
    assert "msal" in found
    assert "pandas" in outside("workbook.tables")


def test_the_second_tenant_knows_nothing_of_ours():
    """What it shares with the practice tenant could hide a mistake of both."""
    helpers = {path.stem for path in (ROOT / "tests" / "support").glob("*.py")}
    for path in (ROOT / "tests" / "support" / "second_tenant").glob("*.py"):
        tree = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        named = {alias.name for node in tree if isinstance(node, ast.Import) for alias in node.names}
        named |= {node.module or "" for node in tree if isinstance(node, ast.ImportFrom) and not node.level}
        assert {name.partition(".")[0] for name in named} & (OURS | helpers) == set()


def test_chapters_know_the_bench_and_the_daemon_only():
    assert ROOT / "notebooks" == NOTEBOOKS
    for chapter in NOTEBOOKS.glob("*.ipynb"):
        assert "import practice_tenant" not in chapter.read_text(encoding="utf-8")
        assert "from practice_tenant" not in chapter.read_text(encoding="utf-8")
