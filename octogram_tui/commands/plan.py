"""`octogram-tui plan`: every instance that would run, arguments expanded where they can be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from octogram_tui.commands.loading import check_choices, left_out_warnings, load, selection_of, warn
from octogram_tui.commands.options import (
    CommandParser,
    add_choice_options,
    add_rerun_option,
    add_scenario_options,
    parse,
)
from octogram_tui.model.carried import CarriedRows
from octogram_tui.model.scenario import Scenario


def main(argv: Sequence[str]) -> int:
    """Print the plan; nothing is run."""
    parser = CommandParser("plan", "Show every instance that would run, and run nothing.")
    parser.add_argument("scenario", metavar="SCENARIO")
    parser.add_argument("--json", action="store_true", help="as one JSON document")
    add_scenario_options(parser)
    add_choice_options(parser)
    parser.set_defaults(runs_nothing=True)
    add_rerun_option(parser.add_argument_group("the rest of an earlier run"))
    args = parse(parser, argv)
    scenario, warnings, _ = load(args)
    check_choices(scenario, args)
    warn(warnings + left_out_warnings(scenario, args))
    carried: CarriedRows = {}
    if args.rerun_failed:
        from octogram_tui.commands.rerun import find, say
        from octogram_tui.settings import load as load_settings

        rerun = find(args.rerun_failed, scenario, selection_of(args), load_settings())
        say(rerun)
        carried = rerun.rows
    return show(scenario, args, as_json=args.json, carried=carried)


def show(scenario: Scenario, args: Any, *, as_json: bool, carried: CarriedRows) -> int:
    """Print the plan of the parts that the arguments choose, but for what is carried over from an earlier run."""
    from octogram_tui.scenario.foresight import as_json as plan_as_json
    from octogram_tui.scenario.foresight import as_lines, plan

    selection = selection_of(args)
    instances = plan(
        scenario, takes_stage=lambda stage: not selection.leaves_out(scenario, stage), takes_job=selection.takes
    )
    if carried:
        names = {str(id_) for id_ in carried}
        instances = (each for each in instances if each.key not in names)
    if as_json:
        print(plan_as_json(instances))
    else:
        for line in as_lines(instances):
            print(line)
    return 0
