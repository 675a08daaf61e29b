#!/usr/bin/python
"""One virtual service with its destinations."""

from __future__ import annotations

DOCUMENTATION = """
module: lvs_service
short_description: A virtual service of IPVS with its destinations
description:
  - Makes a virtual service be there as described, or be gone. Other services stay as they are.
  - Destinations are added before others are removed, so that the service goes on serving.
extends_documentation_fragment: [lvs.director.table]
options:
  service:
    description: The service, as C(tcp://192.0.2.1:80), C(udp://[2001:db8::1]:53) or C(fwmark:7).
    type: str
    required: true
  state:
    description: Whether it is to be there.
    type: str
    choices: [present, absent]
    default: present
  scheduler:
    description: The scheduler.
    type: str
    default: wlc
  persistence:
    description: Seconds of persistence. None if absent.
    type: int
  netmask:
    description: Which clients persistence counts as one, a mask or the length of a prefix.
    type: str
  flags:
    description: Flags of the scheduler by their names, such as C(mh-port).
    type: list
    elements: str
  destinations:
    description: All of its destinations. If absent, those that it has are left as they are.
    type: list
    elements: dict
    suboptions:
      address: { description: The real server's address., type: str, required: true }
      port: { description: Its port; that of the service if absent., type: int }
      weight: { description: Its weight., type: int, default: 1 }
      forwarding:
        description: How packets reach it.
        type: str
        choices: [masquerade, direct, tunnel, local]
        default: direct
      upper_threshold: { description: Connections at which it counts as overloaded; 0 for no limit., type: int, default: 0 }
      lower_threshold: { description: Connections below which it counts as usable again., type: int, default: 0 }
"""
EXAMPLES = """
- name: The shop is served by two servers
  lvs.director.lvs_service:
    service: tcp://192.0.2.1:80
    scheduler: wlc
    persistence: 300
    destinations:
      - { address: 198.51.100.7, port: 80, weight: 2 }
      - { address: 198.51.100.8, port: 80 }
- name: The old one is gone
  lvs.director.lvs_service:
    service: tcp://192.0.2.2:80
    state: absent
"""
RETURN = """
steps:
  description: What was done, or in check mode would be done, in order.
  type: list
  elements: str
  returned: success
"""

from ansible_collections.lvs.director.plugins.module_utils import director as shared

DESTINATION = {
    "address": {"type": "str", "required": True},
    "port": {"type": "int"},
    "weight": {"type": "int", "default": 1},
    "forwarding": {
        "type": "str",
        "choices": ["masquerade", "direct", "tunnel", "local"],
        "default": "direct",
    },
    "upper_threshold": {"type": "int", "default": 0},
    "lower_threshold": {"type": "int", "default": 0},
}


def main() -> None:
    """Runs the module."""
    module = shared.module(
        {
            "service": {"type": "str", "required": True},
            "state": {
                "type": "str",
                "choices": ["present", "absent"],
                "default": "present",
            },
            "scheduler": {"type": "str", "default": "wlc"},
            "persistence": {"type": "int"},
            "netmask": {"type": "str"},
            "flags": {"type": "list", "elements": "str"},
            "destinations": {
                "type": "list",
                "elements": "dict",
                "options": DESTINATION,
            },
        }
    )
    given = module.params
    lvs_py = shared.lvs_py
    try:
        key = lvs_py.ServiceKey(given["service"])
        scope = lvs_py.Scope.services(key)
    except lvs_py.LvsError as error:
        module.fail_json(msg=str(error))

    def wanted(held: lvs_py.Table) -> lvs_py.Table:
        if given["state"] == "absent":
            return lvs_py.Table()
        options = {name: given[name] for name in ("scheduler", "persistence", "netmask", "flags")}
        service = lvs_py.Service(key, **options)
        if given["destinations"] is None:
            return lvs_py.Table({service: held[key].destinations if key in held else []})
        destinations = [
            lvs_py.Destination(**{**one, "port": key.port if one["port"] is None else one["port"]})
            for one in given["destinations"]
        ]
        return lvs_py.Table({service: destinations})

    shared.enforce(module, wanted, scope, allow_empty=True)


if __name__ == "__main__":
    main()
