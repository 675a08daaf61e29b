"""What the modules share: which table is meant, and how a wanted one is put in force."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

try:
    import lvs_py
    from lvs_py import rules

    MISSING = None
except ImportError:
    MISSING = traceback.format_exc()

ARGUMENTS: dict[str, Any] = {
    "file": {"type": "path"},
    "namespace": {"type": "str"},
}


def module(arguments: dict[str, Any], **options: Any) -> AnsibleModule:
    """A module with its own arguments and those that all have."""
    made = AnsibleModule(argument_spec={**ARGUMENTS, **arguments}, supports_check_mode=True, **options)
    if MISSING is not None:
        made.fail_json(msg=missing_required_lib("lvs-py"), exception=MISSING)
    return made


def enforce(
    of: AnsibleModule,
    wanted: Callable[[lvs_py.Table], lvs_py.Table],
    scope: lvs_py.Scope,
    *,
    allow_empty: bool,
) -> None:
    """Puts a table in force within a scope, as far as the mode allows, and ends the module.

    `wanted` makes that table out of the one that is there.
    """
    try:
        with _director(of.params) as director:
            before = director.snapshot().to_table()
            plan = director.plan(wanted(before), scope=scope, allow_empty=allow_empty)
            if not plan:
                after = before
            elif of.check_mode:
                after = _foreseen(before, plan)
            else:
                director.apply_plan(plan).raise_for_failures()
                snapshot = director.snapshot()
                if of.params["file"]:
                    rules.save(of.params["file"], snapshot)
                after = snapshot.to_table()
    except lvs_py.LvsError as error:
        of.fail_json(msg=str(error))
    diff = {"before": _text(before, scope), "after": _text(after, scope)}
    of.exit_json(changed=bool(plan), steps=[str(step) for step in plan], diff=diff)


def _director(parameters: dict[str, Any]) -> lvs_py.Director:
    if not parameters["file"]:
        return lvs_py.Director.kernel(parameters["namespace"], load_module=True)
    director = lvs_py.Director.embedded()
    if os.path.exists(parameters["file"]):
        table = rules.load(parameters["file"]).to_table()
        director.reconcile(table, allow_empty=True)
    return director


def _foreseen(before: lvs_py.Table, plan: lvs_py.Plan) -> lvs_py.Table:
    """The table that the plan would lead to, as an embedded director has it."""
    with lvs_py.Director.embedded() as director:
        director.reconcile(before, allow_empty=True, check=False)
        director.apply(plan.operations)
        return director.snapshot().to_table()


def _text(table: lvs_py.Table, scope: lvs_py.Scope) -> str:
    """The rules of what is in the scope."""
    return rules.format(lvs_py.Table([service for service in table.sorted() if service.key in scope]))
