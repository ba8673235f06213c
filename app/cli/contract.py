"""`dovetail contract`: the law of the public contracts. Each command is a module of its own."""

import rich_click as click

from app.cli.contract_checking import check
from app.cli.contract_diffing import diff
from app.cli.contract_impact import impact
from app.cli.contract_reading import changelog, rules, waivers
from app.cli.contract_writing import new_version, snapshot


@click.group()
def contract() -> None:
    """Hold the public contracts to their law: what changes, and whom it hurts."""


for command in (check, diff, impact, snapshot, new_version, changelog, rules, waivers):
    contract.add_command(command)
