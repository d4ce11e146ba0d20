"""The plausible bugs that Cosmic Ray can plant into modules, in random order.

`tests.mutants` runs this file in the environment of Cosmic Ray, where nothing else that the album
needs is installed: `python tests/support/mutations.py SEED MODULE...` writes the number of places
for bugs, and then a mutant a line in JSON.
"""

import ast
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

# Others, such as `+` replaced by `@`, raise an error wherever they are executed: they would only
# improve the score.
_COMPARISONS = (
    "Eq_NotEq NotEq_Eq Lt_LtE Lt_GtE LtE_Lt LtE_Gt Gt_GtE Gt_LtE GtE_Gt GtE_Lt Is_IsNot IsNot_Is"
)
_CALCULATIONS = (
    "Add_Sub Sub_Add Mul_FloorDiv Div_Mul FloorDiv_Mul Mod_Mul Pow_Mul BitAnd_BitOr BitOr_BitAnd "
    "LShift_RShift RShift_LShift"
)
_OTHERS = (
    "AddNot ReplaceTrueWithFalse ReplaceFalseWithTrue ReplaceAndWithOr ReplaceOrWithAnd "
    "ReplaceBreakWithContinue ReplaceContinueWithBreak ReplaceUnaryOperator_Delete_Not "
    "ReplaceUnaryOperator_USub_UAdd NumberReplacer ZeroIterationForLoop"
)
OPERATORS = [
    *(f"core/ReplaceComparisonOperator_{name}" for name in _COMPARISONS.split()),
    *(f"core/ReplaceBinaryOperator_{name}" for name in _CALCULATIONS.split()),
    *(f"core/{name}" for name in _OTHERS.split()),
]


Place = tuple[str, str, int, int]  # path, operator, occurrence and line


def places(path: str, source: str) -> Iterator[Place]:
    """Yield each place in a module where an operator can plant a bug."""
    tree, annotations = get_ast(source), _lines_of_annotations(ast.parse(source))
    for name in OPERATORS:
        operator = get_operator(name)()
        lines = (
            start[0] for node in ast_nodes(tree) for start, _ in operator.mutation_positions(node)
        )
        for occurrence, line in enumerate(lines):
            if "Binary" not in name or line not in annotations:
                yield path, name, occurrence, line


def mutants(found: list[Place], sources: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the path, the line and the source of each mutant that is valid and not yet known."""
    known = set[str]()
    for path, name, occurrence, line in found:
        mutated = mutate_code(sources[path], get_operator(name)(), occurrence)
        if mutated is not None and mutated not in known and _is_valid(mutated):
            known.add(mutated)
            yield {"path": path, "line": line, "source": mutated}


def _is_valid(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:  # `*` also unpacks, where no other operator can stand.
        return False
    return True


def _lines_of_annotations(tree: ast.Module) -> set[int]:
    """Return the lines whose `|` is a union of types, and no bug could be in it."""
    annotations: list[ast.expr | None] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            annotations.append(node.returns)
        elif isinstance(node, ast.arg | ast.AnnAssign):
            annotations.append(node.annotation)
    return {
        line
        for one in annotations
        if one is not None and one.end_lineno is not None
        for line in range(one.lineno, one.end_lineno + 1)
    }


if __name__ == "__main__":
    seed, *modules = sys.argv[1:]
    # Read once, as the files will have the mutants in them while these are tested.
    originals = {module: Path(module).read_text() for module in modules}
    everywhere = [place for path, source in originals.items() for place in places(path, source)]
    random.Random(seed).shuffle(everywhere)
    print(len(everywhere))
    for mutant in mutants(everywhere, originals):
        print(json.dumps(mutant), flush=True)
