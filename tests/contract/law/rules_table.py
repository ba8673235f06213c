"""`python -m tests.contract.law.rules_table` writes the table of rules into docs/surfaces/contract-law.md."""

from pathlib import Path

from services.contracts.openapi import RULES

PAGE = Path(__file__).parents[3] / "docs/surfaces/contract-law.md"
START, END = "<!-- rules -->\n", "<!-- /rules -->\n"
_DECIDES = {"values": "by direction", "contract": "when broken", "notice": "never"}


def rendered() -> str:
    rows = [
        f"| `{rule.id}` | {rule.area} | {rule.summary} | {_DECIDES[rule.decides]} | {rule.category} | {rule.why} |\n"
        for rule in RULES
    ]
    head = "| rule | area | what changed | blocks | category | why |\n|---|---|---|---|---|---|\n"
    return START + head + "".join(rows) + END


def main() -> None:
    text = PAGE.read_text()
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    PAGE.write_text(before + rendered() + after)


if __name__ == "__main__":
    main()
