"""Arguments: every kind of field, before and after expansion."""

from __future__ import annotations

from typing import Any

import pytest
from scenario_family import job, job_problems

from octogram_agentd.procedures import find
from octogram_agentd.procedures.builtin.running import with_ports
from octogram_tui.errors import TemplateError
from octogram_tui.scenario.arguments import JobArguments, is_original
from octogram_tui.scenario.tree import texts_in
from octogram_tui.template.scope import make_scope

SCOPE = make_scope(
    {"n": 3, "yes": True, "word": "x", "path": "data/f", "neg": -1, "big": 70000, "owner": "node_1", "half": "1.5"},
    agent="a",
    captures=["a"],
    item=[1],
)
VARIABLES = "n: 3, yes: true, word: x, path: data/f, neg: -1, big: 70000, owner: node_1, half: '1.5'"


def resolve(kind: str, uri: str) -> dict[str, str]:
    return {"owned" if uri.startswith(("self", "a:")) else "remote": f"{kind} {uri}"}


def arguments(body: str) -> Any:
    return job(body, variables=VARIABLES).scenario.stages[0].jobs[0].arguments


def expand(members: str) -> dict[str, Any]:
    expanded: dict[str, Any] = arguments(f"fake.everything: {{{members}}}").expand(SCOPE, resolve)
    assert expanded.pop("ratio") is not None
    if "text:" not in members:
        assert expanded.pop("text") == "a"
    return expanded


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ("", {}),
        ("text: '{{ vars.word }}-{{ item[0] }}'", {"text": "x-1"}),
        ("text: 8732", {"text": "8732"}),
        ("text: true", {"text": "true"}),
        ("text: yes", {"text": "true"}),
        ("text: 0x1f", {"text": "31"}),
        ("literal: '{{ vars.word }}'", {"literal": "{{ vars.word }}"}),
        ("count: 7", {"count": 7}),
        ("count: '7'", {"count": 7}),
        ("count: 7.0", {"count": 7}),
        ("count: '{{ vars.n * 2 }}'", {"count": 6}),
        ("count: ' {{ vars.n }} '", {"count": 3}),
        ("flag: true", {"flag": True}),
        ("flag: 'false'", {"flag": False}),
        ("flag: '{{ vars.yes }}'", {"flag": True}),
        (
            "any: {a: ['{{ vars.n }}', 1, null, {b: '{{ vars.word }}'}], c: 1.5}",
            {"any": {"a": [3, 1, None, {"b": "x"}], "c": 1.5}},
        ),
        ("any: '{{ vars.n }}'", {"any": 3}),
        ("any: null", {"any": None}),
        ("any: [1, true]", {"any": [1, True]}),
        ("names: [a, '{{ vars.word }}', 3]", {"names": ["a", "x", "3"]}),
        ("bare: [a, 3]", {"bare": ["a", "3"]}),
        ("names: []", {"names": []}),
        ("pairs: [[alias, '{{ vars.n }}'], ['{{ raw }}', 5]]", {"pairs": [["alias", "3"], ["{{ raw }}", "5"]]}),
        ("env: {A: 1, B: '{{ vars.word }}'}", {"env": {"A": "1", "B": "x"}}),
        ("env: {A: b}", {"env": {"A": "b"}}),
        ("argv: make test", {"argv": "make test"}),
        ("argv: [make, '{{ vars.word }}', 3]", {"argv": ["make", "x", "3"]}),
        ("status: 3", {"status": 3}),
        ("status: [0, '1']", {"status": [0, 1]}),
        ("that: vars.n > 1", {"that": "vars.n > 1"}),
        ("that: [vars.n > 1, true]", {"that": ["vars.n > 1", "true"]}),
        ("expression: vars.word == 'x'", {"expression": "vars.word == 'x'"}),
        ("expression: true", {"expression": "true"}),
        ("mode: create", {"mode": "create"}),
        ("mode: '{{ \"extract\" }}'", {"mode": "extract"}),
        ("port: 8732", {"port": "8732"}),
        ("port: '{{ 8000 + vars.n }}'", {"port": "8003"}),
        ("word: '{{ \"ab\" }}'", {"word": "ab"}),
        ("file: self://x/y", {"file": {"owned": "file self://x/y"}}),
        ("file: 'node_1://{{ vars.path }}'", {"file": {"remote": "file node_1://data/f"}}),
        ("file: '{{ vars.owner }}://x'", {"file": {"remote": "file node_1://x"}}),
        ("file: https://h/x", {"file": {"remote": "file https://h/x"}}),
        ("file: 'http://{{ vars.word }}/x'", {"file": {"remote": "file http://x/x"}}),
        ("node: localhost:8732", {"node": {"remote": "node localhost:8732"}}),
        ("node: '[::1]:8732'", {"node": {"remote": "node [::1]:8732"}}),
        ("files: [self://a, node_2://b]", {"files": [{"owned": "file self://a"}, {"remote": "file node_2://b"}]}),
        ("slot: {index: 1}", {"slot": {"index": "1", "size": 4}}),
        (
            "slot: {index: '{{ vars.n }}', size: '{{ vars.n }}', file: self://k}",
            {"slot": {"index": "3", "size": 3, "file": {"owned": "file self://k"}}},
        ),
        ("ready: {log: up}", {"ready": {"log": "up", "timeout": 60}}),
        ("ready: {http: 'http://x', timeout: 1m}", {"ready": {"http": "http://x", "timeout": 60.0}}),
        ("ready: {log: a, timeout: '{{ vars.half }}'}", {"ready": {"log": "a", "timeout": 1.5}}),
    ],
)
def test_expands(members: str, expected: dict[str, Any]) -> None:
    assert expand(members) == expected


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ("text: null", "`text` is null"),
        ("text: [1]", "`text` takes a text, not a list"),
        ("text: {a: 1}", "`text` takes a text, not a map"),
        ("tex: a", "unknown key `tex`; did you mean `text`?"),
        ("zzzzz: a", "unknown key `zzzzz`"),
        ("count: x", "`count` takes a whole number, not the text `x`"),
        ("count: 1.5", "`count` takes a whole number, not the number 1.5"),
        ("count: true", "`count` takes a whole number, not the boolean true"),
        ("count: null", "`count` is null"),
        ("count: [1]", "`count` takes a whole number, not a list"),
        ("count: -1", "`count` must be at least 0, not the number -1"),
        ("count: 70000", "`count` must be at most 65535"),
        ("count: '{{ vars.nope }}'", "no variable `nope`"),
        ("flag: maybe", "`flag` takes true or false"),
        ("flag: 1", "`flag` takes true or false"),
        ("ratio: x", "`ratio` takes a number"),
        ("ratio: .inf", "`ratio` takes a number"),
        ("ratio: true", "`ratio` takes a number"),
        ("names: a", "`names` takes a list, not the text `a`"),
        ("names: [[1]]", "`names[0]` takes a text, not a list"),
        ("pairs: [[a]]", "`pairs[0]` takes 2 elements, not 1"),
        ("pairs: [a]", "`pairs[0]` takes a list"),
        ("env: [a]", "`env` takes a map, not a list"),
        ("env: {A: [1]}", "`env.A` takes a text"),
        ("argv: {a: 1}", "`argv` takes a text"),
        ("status: [x]", "`status[0]` takes a whole number"),
        ("status: []", "`status` is an empty list"),
        ("that: []", "`that` is an empty list"),
        ("that: '3'", "`3` is an integer, and a condition is true or false"),
        ("""that: '"false"'""", "is the text 'false', and a condition is true or false"),
        ("that: '[]'", "is a list, and a condition is true or false"),
        ("that: '-1.5'", "is a number, and a condition is true or false"),
        ("that: none", "is null, and a condition is true or false"),
        ("that: " + "x" * 300, "no name `" + "x" * 60 + "…` here"),
        ("that: 'vars.n >'", "unexpected"),
        ("that: [{}]", "`that[0]` takes an expression"),
        ("expression: res.x", "`res` is the result"),
        ("expression: vars.nope", "no variable `nope`"),
        ("mode: creat", "`mode` must be one of create, extract, not the text `creat`; did you mean `create`?"),
        ("port: 70000", "`port` must be at most 65535"),
        ("port: '0'", "`port` must be at least 1"),
        ("word: XYZ", "`word` must match [a-f0-9]+"),
        ("word: aaaaaaaaa", "`word` has 9 bytes; at most 8"),
        ("sought: 'a(?=b)'", "`sought` is not a regular expression: looking ahead is not part of the language"),
        ("sought: '(a{1000}){1000}'", "`sought` is not a regular expression: it is too large"),
        ("file: plain/path", "`plain/path` is neither a URL nor something that an agent owns"),
        ("file: ''", "is neither a URL nor"),
        ("file: node_3://x", "there is no agent `node_3`; did you mean"),
        ("file: slef://x", "there is no agent `slef`; did you mean `self`?"),
        ("file: ftp://x/y", "there is no agent `ftp`"),
        ("file: 'a b://x'", "`a b` is no agent's name"),
        ("file: self://", "`self://` names nothing"),
        ("file: http://", "names no machine"),
        ("file: 'node_9://{{ vars.path }}'", "there is no agent `node_9`"),
        ("files: [x]", "`files[0]`: `x` is neither"),
        ("slot: {}", "`slot.index` is missing"),
        ("slot: {index: 1, indx: 2}", "unknown key `slot.indx`; did you mean `index`?"),
        ("slot: x", "`slot` takes a map"),
        ("ready: {}", "`ready` takes exactly one of `log`, `http`: none is given"),
        ("ready: {log: a, http: b}", "`ready` takes exactly one of `log`, `http`: not `log` and `http`"),
    ],
)
def test_refused_beforehand(members: str, message: str) -> None:
    found = job_problems(f"fake.everything: {{{members}}}", variables=VARIABLES)
    assert any(message in problem.message for problem in found), found
    assert all(problem.line for problem in found)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ("count: '{{ vars.word }}'", "`count` takes a whole number, not the text `x`"),
        ("count: '{{ vars.neg }}'", "`count` must be at least 0"),
        ("flag: '{{ vars.word }}'", "`flag` takes true or false"),
        ("ratio: '{{ vars.word }}'", "`ratio` takes a number"),
        ("mode: '{{ vars.word }}'", "`mode` must be one of"),
        ("port: '{{ vars.big }}'", "`port` must be at most"),
        ("word: '{{ vars.word }}'", "`word` must match"),
        ("word: '{{ \"a\" * 9 }}'", "`word` has 9 bytes"),
        ("file: '{{ vars.path }}'", "`file`: `data/f` is neither a URL"),
        ("files: ['{{ vars.path }}']", "`files[0]`: `data/f` is neither"),
        ("file: '{{ vars.word * 300 }}'", "`file`: `" + "x" * 59 + "…` is neither"),
        ("status: '{{ [] }}'", "`status` is an empty list"),
        ("text: '{{ item[7] }}'", "`text`: "),
        ("slot: {index: '{{ item.x }}'}", "`slot.index`: "),
    ],
)
def test_refused_when_the_job_starts(members: str, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        expand(members)
    assert message in caught.value.message


def test_short_forms() -> None:
    assert arguments("fake.say: hello").expand(SCOPE, resolve) == {"text": "hello", "louder": False}
    assert arguments("fake.say: 5").expand(SCOPE, resolve) == {"text": "5", "louder": False}
    assert arguments("fake.nothing:").expand(SCOPE, resolve) == {}
    found = job_problems("fake.say: [1]")
    assert "`text` takes a text, not a list" in found[0].message
    assert "`text` is null" in job_problems("fake.say:")[0].message
    assert "`text` is missing" in job_problems("fake.say: {}")[0].message


def test_exactly_one() -> None:
    assert arguments("fake.one_of: {left: a}").raw() == {"left": "a"}
    assert job_problems("fake.one_of: {}")[0].message == "exactly one of `left`, `right`: none is given"


def test_ports_pass_through() -> None:
    known = arguments("fake.starts: {argv: [serve, '{{ port.http }}', '{{ vars.n }}'], ports: {http: fresh}}")
    expanded = known.expand(SCOPE, resolve)
    assert expanded == {"argv": ["serve", "{{ port.http }}", "3"], "ports": {"http": "fresh"}}
    found = job_problems("fake.say: '{{ port.http }}'")
    assert "`port` is known only where" in found[0].message


def test_arguments_without_templates_are_ready() -> None:
    ready = arguments("fake.say: hello")
    assert isinstance(ready, JobArguments)
    first, second = ready.expand({}, resolve), ready.expand({}, resolve)
    assert first == second
    assert first is not second


def test_raw_arguments_keep_their_templates_and_order() -> None:
    raw = arguments("fake.everything: {slot: {index: '{{ vars.n }}'}, count: 1}").raw()
    assert list(raw) == ["text", "count", "ratio", "slot"]
    assert raw["text"] == "{{ agent.name }}"
    assert raw["slot"] == {"index": "{{ vars.n }}", "size": 4}


def test_numbers_that_change_their_spelling_are_a_warning() -> None:
    loaded = job("fake.say: 1.10")
    assert loaded.scenario.stages[0].jobs[0].arguments.raw()["text"] == "1.1"
    assert "`1.10` is read as the number 1.1" in loaded.warnings[0].message
    assert job("fake.say: 1.5").warnings == []


def test_braces_of_ours_belong_to_shells() -> None:
    assert is_original("copy")
    assert is_original("tezos.start_node")
    assert not is_original("builtins.shell")
    loaded = job(r"builtins.shell: grep 'a\{2\}'")
    assert loaded.scenario.stages[0].jobs[0].arguments.raw()["script"] == r"grep 'a\{2\}'"


def test_a_block_of_text_points_at_its_line() -> None:
    found = job_problems("fake.say: |\n  one\n  {{ vars.nope }}\n  three\n")
    assert (found[0].line, found[0].source.strip()) == (9, "{{ vars.nope }}")
    broken = job_problems("fake.say: |\n  one\n  {{ 1 | nope }}\n")
    assert broken[0].line == 9
    quoted = job_problems("fake.say: 'one\n\n  {{ 1 | nope }}'")
    assert quoted[0].line == 7


def test_texts_in() -> None:
    assert list(texts_in({"a": ["b", {"c": "d"}], "e": 1})) == ["b", "d"]


def test_a_former_name_means_the_same_and_is_told_the_new_one() -> None:
    body = "fake.renamed: {base_dir: 'self://{{ vars.path }}', nams: [x, '{{ vars.n }}'], slot: {number: '7'}}"
    loaded = job(body, variables=VARIABLES)
    arguments = loaded.scenario.stages[0].jobs[0].arguments
    assert arguments.expand(SCOPE, resolve) == {
        "wallet": {"owned": "file self://data/f"},
        "names": ["x", "3"],
        "slot": {"index": 7},
    }
    told = [(each.message, each.hint) for each in loaded.warnings]
    assert told == [
        ("`base_dir` is now called `wallet`", "write `wallet`; it means the same"),
        ("`nams` is now called `names`", "write `names`; it means the same"),
        ("`slot.number` is now called `slot.index`", "write `index`; it means the same"),
    ]
    assert all(each.line == 7 for each in loaded.warnings)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ("wallet: self://a, dir: self://b", "`dir` means `wallet`, and `wallet` is given already"),
        ("dir: self://b, base_dir: self://a", "`base_dir` means `wallet`, and `dir` is given already"),
        ("wallet: self://a, nams: [], names: []", "`nams` means `names`, and `names` is given already"),
        ("wallet: self://a, slot: {number: x}", "`slot.number` takes a whole number"),
        ("names: []", "`wallet` is missing"),
        ("dir: self://b, nam: []", "unknown key `nam`; did you mean `names`?"),
    ],
)
def test_a_former_name_that_is_refused(members: str, message: str) -> None:
    found = [each.message for each in job_problems(f"fake.renamed: {{{members}}}", variables=VARIABLES)]
    assert any(message in each for each in found), found


HISTORY = [
    ("tezos.start_dal_node", "attestor_profiles", "attester_profiles"),
    ("tezos.start_dal_node", "attestors", "attester_profiles"),
    ("tezos.start_dal_node", "producers", "producer_profiles"),
    ("tezos.generate_protocol_parameters_file", "basefile", "base_file"),
    ("tezos.start_baker", "wallet_base_dir", "base_dir"),
    ("tezos.start_baker", "node_rpc_endpoint", "node_uri"),
    ("tezos.start_baker", "dal_node_rpc_endpoint", "dal_node_uri"),
]


@pytest.mark.parametrize(("procedure", "former", "name"), HISTORY)
def test_names_of_the_original_s_first_year(procedure: str, former: str, name: str) -> None:
    assert former in find(procedure).fields[name].formerly


def test_a_rollup_node_of_2023_had_no_kind() -> None:
    body = (
        "smart_rollup.start_node: {path_rollup_node: self://r, path_client: self://c, wallet: w, endpoint: self://node,"
        " operator: boot0, mode: operator, address: sr1}"
    )
    loaded = job(body)
    assert loaded.warnings == []
    assert loaded.scenario.stages[0].jobs[0].arguments.expand(SCOPE, resolve)["kind"] == "wasm_2_0_0"


def test_a_procedure_that_was_renamed_is_told_by_its_new_name() -> None:
    [problem] = job_problems("tezos.generate_protocol_file: {protocol_file: sandbox-parameters.json}")
    assert "did you mean `tezos.generate_protocol_parameters_file`?" in problem.message


@pytest.mark.parametrize(
    ("body", "like"),
    [
        ("tezos.start_node: {path_node: self://n, network: x, sync_threshold: 0}", "synchronization_threshold"),
        ("tezos.start_node: {path_node: self://n, network: x, dal_cryptobox: {}}", "dal_cryptobox_parameters"),
        ("builtins.tar: {content: x, archive: self://x, action: create}", "contents"),
        ("builtins.start_http_server: {port: '80'}", "http_port"),
        ("copy: {local_file: x, remote_path: y}", "local_path"),
        ("smart_rollup.prepare_kernel_installer: {preimage_directory_path: x}", "preimages_directory_path"),
        ("tezos.publish_dal_slot: {slot_info: {index: '1', slot_size: '1', payload: x}}", "slot_info.slot_index"),
        ("tezos.generate_keys: {base_dir: self://w, kind: {fresh: {number: 1, alias_prefx: x}}}", "alias_prefix"),
    ],
)
def test_an_unknown_key_is_told_the_nearest_known_one(body: str, like: str) -> None:
    said = [each.message for each in job_problems(body)]
    assert any("unknown key" in each and f"did you mean `{like.rpartition('.')[2]}`?" in each for each in said), said


def test_a_record_that_a_template_gives_is_checked_as_if_it_were_written_there() -> None:
    def slot(value: str) -> Any:
        body = "fake.everything: {slot: '{{ vars.slot }}'}"
        given = job(body, variables=f"slot: {value}").scenario
        return (
            given.stages[0]
            .jobs[0]
            .arguments.expand(make_scope(given.variables, agent="a", captures=["a"]), resolve)["slot"]
        )

    assert slot("{index: 5, file: 'self://x'}") == {"index": "5", "size": 4, "file": {"owned": "file self://x"}}
    for value, says in (
        ("{}", "`slot.index` is missing"),
        ("{index: 1, sise: 2}", "unknown key `slot.sise`; did you mean `size`?"),
        ("{index: 1, size: x}", "`slot.size` takes a whole number, not the text `x`"),
        ("{index: [1]}", "`slot.index` takes a text, not a list"),
        ("{index: '{{ vars.slot }}', file: x}", "is neither a URL nor something that an agent owns"),
        ("[1]", "`slot` takes a map, not a list"),
    ):
        with pytest.raises(TemplateError) as caught:
            slot(value)
        assert says in caught.value.message
    renamed = job("fake.renamed: {wallet: 'self://w', slot: '{{ vars.s }}'}", variables="s: {number: 3}").scenario
    expanded = renamed.stages[0].jobs[0].arguments.expand(make_scope(renamed.variables), resolve)
    assert expanded["slot"] == {"index": 3}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("vars_updates: {a: {value: 'yes', as: bool}}", "`a`: 'yes' is neither true nor false"),
        ("vars_updates: {a: {value: x, as: int}}", "`a`: 'x' is not an integer"),
        ("vars_updates: {a: {value: '{', as: json}}", "`a`: '{' is not JSON"),
        ("vars_updates: {'': x}", "a variable needs a name"),
        ("register: ''", "a variable needs a name"),
    ],
)
def test_updates_that_could_never_be_made(keys: str, message: str) -> None:
    found = job_problems(f"fake.say: x\n{keys}")
    assert any(message in problem.message and problem.line for problem in found), found


@pytest.mark.parametrize(
    ("members", "given", "expected"),
    [
        ("count: 1", {"count": "7"}, {"count": 7}),
        ("count: '{{ vars.word }}'", {"count": 2}, {"count": 2}),  # what cannot be expanded is not
        ("", {"argv": ["{{ vars.word }}", "x"]}, {"argv": ["{{ vars.word }}", "x"]}),
        ("argv: x", {"argv": None}, {}),
        ("text: x", {"text": None}, {"text": "a"}),  # its default, which is a template
        ("mode: create", {"mode": "extract"}, {"mode": "extract"}),
        ("any: 1", {"any": None}, {"any": None}),
        ("", {"file": "a://data/f"}, {"file": {"owned": "file a://data/f"}}),
        ("file: self://x", {"file": {"owned": "y"}}, {"file": {"owned": "y"}}),  # as it was sent
        ("", {"files": ["self://x", {"remote": "u", "path": "p"}]},
         {"files": [{"owned": "file self://x"}, {"remote": "u", "path": "p"}]}),
        ("", {"slot": {"index": 1, "file": {"owned": "y"}}},
         {"slot": {"index": "1", "size": 4, "file": {"owned": "y"}}}),
        ("", {"env": {"path": "x"}}, {"env": {"path": "x"}}),
        ("", {"that": [True, "vars.n > 1"]}, {"that": ["true", "vars.n > 1"]}),
    ],
)  # fmt: skip
def test_arguments_given_by_hand_are_what_the_procedure_gets(
    members: str, given: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = arguments(f"fake.everything: {{{members}}}").replaced(given).expand(SCOPE, resolve)
    found = {name: value for name, value in found.items() if name not in ("ratio", "text") or name in given}
    assert found == expected
    order = list(arguments(f"fake.everything: {{{members}}}").replaced({"flag": True, "count": 1}).raw())
    assert order.index("count") < order.index("flag")


@pytest.mark.parametrize(
    ("body", "given", "said"),
    [
        ("fake.everything: {}", {"count": "x"}, "`count` takes a whole number"),
        ("fake.everything: {}", {"count": 99999}, "`count` must be at most 65535"),
        ("fake.everything: {}", {"cuont": 1}, "has no argument `cuont`; did you mean `count`?"),
        ("fake.everything: {}", {"mode": "shred"}, "must be one of create, extract"),
        ("fake.everything: {}", {"that": "1 +"}, "`that`:"),
        ("fake.everything: {}", {"names": "x"}, "takes a list"),
        ("fake.everything: {}", {"slot": {"size": 1}}, "`slot.index` is missing"),
        ("fake.everything: {}", {"file": {"owned": 1}}, "takes a text"),
        ("fake.say: hello", {"text": None}, "`text` cannot be left out"),
        ("builtins.wait_for: {port: 80}", {"expression": "true"}, "says who carries the job out"),
        ("builtins.wait_for: {port: 80}", {"port": None}, "takes exactly one of"),
        ("builtins.wait_for: {port: 80}", {"port": 81, "file": "f"}, "takes exactly one of"),
    ],
)
def test_arguments_given_by_hand_are_held_to_the_declaration(body: str, given: dict[str, Any], said: str) -> None:
    with pytest.raises(TemplateError) as caught:
        arguments(body).replaced(given)
    assert said in caught.value.message


def test_one_of_several_that_is_given_takes_the_place_of_another() -> None:
    assert arguments("builtins.wait_for: {port: 80}").replaced({"file": "f"}).raw()["file"] == "f"
    assert "port" not in arguments("builtins.wait_for: {port: 80}").replaced({"file": "f"}).raw()


TAKEN = "[serve, '{{ port.http }}', '{{ vars.word }}', '-{{ port.rpc }}-{{ vars.word }}']"


def for_agent(said: str, argv: str = TAKEN) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Give the arguments as people see them and as the agent gets them, and the mark."""
    known = arguments(f"fake.starts: {{argv: {argv}, ports: {{http: fresh, rpc: fresh}}}}")
    scope = make_scope({"word": said}, agent="a")
    shown = known.expand(scope, resolve)
    return shown, *known.for_agent(shown, scope, resolve)


@pytest.mark.parametrize(
    "said", ["x", "{{ vars.n }}", "{{ port }}", "port.http", "{{ m.port.http }}", "{{ port.a b }}"]
)
def test_ports_have_no_mark_where_nothing_looks_like_one(said: str) -> None:
    shown, sent, mark = for_agent(said)
    assert (sent, mark) == (shown, "")
    assert shown["argv"] == ["serve", "{{ port.http }}", said, "-{{ port.rpc }}-" + said]


@pytest.mark.fault(76)
@pytest.mark.parametrize("said", ["{{ port.http }}", "x {{port.other}} y", "{{   port.http   }}"])
def test_an_answer_that_looks_like_a_port_stays_a_text(said: str) -> None:
    shown, sent, mark = for_agent(said)
    assert shown["argv"] == ["serve", "{{ port.http }}", said, "-{{ port.rpc }}-" + said]
    assert sent["argv"] == [
        "serve",
        "{{ " + mark + "port.http }}",
        said,
        "-{{ " + mark + "port.rpc }}-" + said,
    ]
    words = [with_ports(word, {"http": 1, "rpc": 2}, mark) for word in sent["argv"]]
    assert words == ["serve", "1", said, "-2-" + said]
    assert for_agent(said)[2] == mark, "a run that is built again comes out the same"
    assert for_agent(said + mark)[2] != mark, "who knows one mark knows no other"


@pytest.mark.fault(76)
def test_a_port_that_an_answer_only_begins_stays_a_text() -> None:
    _, sent, mark = for_agent("{{ port.", "[serve, '{{ vars.word }}http }}', '{{ port.rpc }}']")
    assert mark
    assert [with_ports(word, {"http": 1, "rpc": 2}, mark) for word in sent["argv"]] == ["serve", "{{ port.http }}", "2"]
