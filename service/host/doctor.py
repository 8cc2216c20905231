"""`assay doctor`: what this host can hold, tier by tier, from its facts and from programs that tried.

It changes nothing: no engine is started, no image is built.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sandboxes.diagnosis import facts, probing
from sandboxes.diagnosis.conditions import Condition, Facts, State, diagnose, lacking
from sandboxes.diagnosis.probing import Probe
from sandboxes.engine import connection
from sandboxes.engine.connection import Report
from sandboxes.interface import SandboxError, Tier
from sandboxes.tiers import Tiers, adapters

_STYLES = {"held": "green", "weaker": "yellow", "unknown": "yellow", "missing": "bold red", "NOT HELD": "bold red"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """The examination of a host."""

    facts: Facts
    conditions: tuple[Condition, ...]
    trials: Mapping[Tier, tuple[Probe, ...]]
    """Tier -> the probes that ran in it, each with whether the tier held it."""

    def holds(self, tier: Tier) -> bool:
        """Return True if nothing that the tier needs is missing, and every probe was held."""
        probes = self.trials.get(tier, ())
        return not lacking(self.conditions, tier) and bool(probes) and all(probe.held for probe in probes)


def examine(tiers: Iterable[Tier], report: Report, *, base_image: str = "") -> Diagnosis:
    """Examine this host and try each of these tiers for which nothing is missing; `report` receives each step."""
    # Asked first, because the SDK leaves a socket open for each engine that does not answer.
    if not connection.running():
        found = facts.without_engine("")
        return Diagnosis(facts=found, conditions=diagnose(found), trials={})
    client = connection.connect()
    try:
        found = facts.collect(client, base_image)
        conditions = diagnose(found)
        image = found.engine.image if found.engine else ""
        trials = {}
        for tier, open in adapters(client, image).items() if image else ():
            if tier in tiers and not lacking(conditions, tier):
                report(f"trying tier {tier}")
                trials[tier] = _tried(Tiers({tier: open}), tier)
        return Diagnosis(facts=found, conditions=conditions, trials=trials)
    finally:
        client.close()


def _tried(tiers: Tiers, tier: Tier) -> tuple[Probe, ...]:
    with tiers:
        try:
            return tuple(probing.attempts(tiers.at_least(tier)))
        except SandboxError as error:
            return (Probe(name="it opens", held=False, says="; ".join(error.diagnostics().values())),)


def as_table(diagnosis: Diagnosis, tiers: Sequence[Tier]) -> RenderableType:
    """Return a table with a line for each condition and each probe, then what to do, then the verdicts."""
    table = Table(title="What this host holds", title_justify="left")
    table.add_column("")
    for tier in tiers:
        table.add_column(tier, no_wrap=True)
    table.add_column("found")
    conditions = [each for each in diagnosis.conditions if set(each.tiers) & set(tiers)]
    for condition in conditions:
        cells = [_styled(condition.state if tier in condition.tiers else "") for tier in tiers]
        table.add_row(condition.name, *cells, Text(condition.says))
    table.add_section()
    for name in dict.fromkeys(probe.name for probes in diagnosis.trials.values() for probe in probes):
        seen = {tier: probe for tier, probes in diagnosis.trials.items() for probe in probes if probe.name == name}
        cells = [_styled(_word(seen[tier]) if tier in seen else "") for tier in tiers]
        # A held probe looks the same on every host; only the observation of a failed one is worth showing.
        told = next((probe for probe in seen.values() if not probe.held), next(iter(seen.values())))
        table.add_row(f"tried: {name}", *cells, Text(told.says))
    remedies = [Text(f"{each.name} ({', '.join(each.tiers)}): {each.remedy}") for each in conditions if each.remedy]
    verdicts = [Text(_verdict(diagnosis, tier)) for tier in tiers]
    return Group(table, *([Text("What to do:"), *remedies] if remedies else []), *verdicts)


def _styled(word: str) -> Text:
    return Text(word, style=_STYLES.get(word, ""))


def _word(probe: Probe) -> str:
    return "held" if probe.held else "NOT HELD"


def _verdict(diagnosis: Diagnosis, tier: Tier) -> str:
    missing = lacking(diagnosis.conditions, tier)
    if missing:
        return f"tier {tier} cannot be held: {', '.join(each.name for each in missing)} missing"
    if diagnosis.holds(tier):
        weaker = [each.name for each in diagnosis.conditions if each.state is State.WEAKER and tier in each.tiers]
        return f"tier {tier} holds" + (f" (weaker: {', '.join(weaker)})" if weaker else "")
    failed = [probe.name for probe in diagnosis.trials.get(tier, ()) if not probe.held]
    return f"tier {tier} does not hold: {', '.join(failed)}" if failed else f"tier {tier} was not tried"


def as_data(diagnosis: Diagnosis, tiers: Sequence[Tier]) -> dict[str, Any]:
    """Return the diagnosis as JSON values, including the facts."""
    return {
        "tiers": {
            tier: {
                "holds": diagnosis.holds(tier),
                "missing": [each.name for each in lacking(diagnosis.conditions, tier)],
                "tried": [asdict(probe) for probe in diagnosis.trials.get(tier, ())],
            }
            for tier in tiers
        },
        "conditions": [asdict(condition) for condition in diagnosis.conditions],
        "facts": _plain(asdict(diagnosis.facts)),
    }


def _plain(value: Any) -> Any:
    """Return the value with sets as lists, because JSON does not have sets."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return sorted(value) if isinstance(value, frozenset) else value
