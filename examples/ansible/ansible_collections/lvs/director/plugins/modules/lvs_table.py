#!/usr/bin/python
"""A table of virtual services, from rules."""

from __future__ import annotations

DOCUMENTATION = """
module: lvs_table
short_description: The table of IPVS, or a part of it, from rules
description:
  - Puts a table in force, which is written as C(ipvsadm-save) writes it.
  - What is in the scope and not in the table is removed, at last. What is outside of the scope stays as it is.
extends_documentation_fragment: [lvs.director.table]
options:
  rules:
    description: The rules.
    type: str
    required: true
  everything:
    description: The whole table is meant, the timeouts and sync daemons included.
    type: bool
    default: false
  services:
    description: Services that are meant, there or not.
    type: list
    elements: str
  networks:
    description: Networks whose virtual addresses are meant.
    type: list
    elements: str
  marks:
    description: Firewall marks that are meant.
    type: list
    elements: int
  allow_empty:
    description: Whether rules without a service may remove all that is meant.
    type: bool
    default: false
"""
EXAMPLES = """
- name: Mail is balanced as the file says, the rest of the table is somebody else's
  lvs.director.lvs_table:
    rules: "{{ lookup('file', 'mail.rules') }}"
    networks: [192.0.2.64/26]
"""
RETURN = """
steps:
  description: What was done, or in check mode would be done, in order.
  type: list
  elements: str
  returned: success
"""

from ansible_collections.lvs.director.plugins.module_utils import director as shared


def main() -> None:
    """Runs the module."""
    module = shared.module(
        {
            "rules": {"type": "str", "required": True},
            "everything": {"type": "bool", "default": False},
            "services": {"type": "list", "elements": "str"},
            "networks": {"type": "list", "elements": "str"},
            "marks": {"type": "list", "elements": "int"},
            "allow_empty": {"type": "bool", "default": False},
        }
    )
    given = module.params
    lvs_py = shared.lvs_py
    parts = given["services"] or given["networks"] or given["marks"]
    if bool(given["everything"]) == bool(parts):
        module.fail_json(msg="say what is meant: everything, or some of services, networks, marks")
    try:
        scope = lvs_py.Scope.all()
        if not given["everything"]:
            scope = lvs_py.Scope.services(*given["services"] or [])
            for network in given["networks"] or []:
                scope |= lvs_py.Scope.network(network)
            for mark in given["marks"] or []:
                scope |= lvs_py.Scope.marks(mark)
        wanted = shared.rules.parse(given["rules"], filename="rules").to_table()
    except lvs_py.LvsError as error:
        module.fail_json(msg=str(error))
    shared.enforce(module, lambda _: wanted, scope, allow_empty=given["allow_empty"])


if __name__ == "__main__":
    main()
