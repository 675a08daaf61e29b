"""What is documented once for all modules: which table is meant."""

from __future__ import annotations


class ModuleDocFragment:
    """Options that all modules have: `ARGUMENTS` of `module_utils/director.py`."""

    DOCUMENTATION = """
requirements: [lvs-py]
options:
  file:
    description: A file of rules to keep instead of the kernel's table. It is made if it is missing.
    type: path
  namespace:
    description: A network namespace of C(ip netns).
    type: str
"""
