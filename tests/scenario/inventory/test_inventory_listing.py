"""What becomes of Ansible's listing: hosts, groups and variables as agents and labels; what cannot be, said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from octogram_tui.scenario.inventory.ansible import agents_of, is_listing, looks_like
from octogram_tui.scenario.inventory.found import Unclear


def listing(groups: dict[str, Any] | None = None, **variables: dict[str, Any]) -> dict[str, Any]:
    """Give a listing of some hosts in one group, or of groups as they are given."""
    names = [name.replace("__", "-") for name in variables]
    hostvars = {name.replace("__", "-"): of for name, of in variables.items()}
    return {"_meta": {"hostvars": hostvars}, **(groups if groups is not None else {"web": {"hosts": names}})}


def agent(**variables: Any) -> dict[str, Any]:
    """Give the agent of one host."""
    [found] = agents_of(listing(h=variables)).agents
    return dict(found)


def test_the_way_to_a_host_is_what_ansible_takes() -> None:
    found = agent(
        ansible_host="10.0.0.7",
        ansible_port=2222,
        ansible_user="deploy",
        ansible_ssh_private_key_file="~/.ssh/k",
        ansible_python_interpreter="/usr/bin/python3.11",
    )
    assert found == {
        "name": "h",
        "address": "10.0.0.7",
        "port": 2222,
        "user": "deploy",
        "identity": "~/.ssh/k",
        "python": "/usr/bin/python3.11",
        "labels": {"group": ["all", "web"], "inventory_hostname": "h"},
    }
    older = agent(ansible_ssh_host="10.0.0.7", ansible_host="no", ansible_ssh_port="22", ansible_ssh_user="u")
    assert (older["address"], older["port"], older["user"]) == ("10.0.0.7", "22", "u")
    assert "python" not in agent(ansible_python_interpreter="auto_silent")
    assert "python" not in agent(ansible_connection="local", ansible_python_interpreter="{{ansible_playbook_python}}")


@pytest.mark.parametrize(
    ("variables", "way"),
    [
        ({"ansible_connection": "local"}, {"transport": "local"}),
        ({"ansible_connection": "ansible.builtin.ssh"}, {"transport": "ssh", "address": "h"}),
        ({"ansible_connection": "smart"}, {"transport": "ssh", "address": "h"}),
        (
            {"ansible_connection": "community.docker.docker", "ansible_host": "c1", "ansible_user": "me"},
            {"transport": "command", "command": ["docker", "exec", "-i", "-u", "me", "c1"]},
        ),
        ({"ansible_connection": "podman"}, {"transport": "command", "command": ["podman", "exec", "-i", "h"]}),
        (
            {
                "ansible_connection": "kubernetes.core.kubectl",
                "ansible_kubectl_namespace": "ns",
                "ansible_kubectl_pod": "p-0",
                "ansible_kubectl_container": "c",
                "ansible_kubectl_kubeconfig": "k.yml",
            },
            {
                "transport": "command",
                "command": [
                    *("kubectl", "exec", "-i", "--kubeconfig=k.yml", "--namespace=ns", "--container=c", "p-0", "--")
                ],
            },
        ),
    ],
)
def test_other_ways_are_transports(variables: dict[str, Any], way: dict[str, Any]) -> None:
    found = agent(**variables)
    del found["name"], found["labels"]
    assert found == way


def test_groups_of_groups_are_the_label_group_outermost_first() -> None:
    found = agents_of(
        listing(
            {
                "all": {"children": ["prod", "ungrouped"]},
                "prod": {"children": ["web", "db"], "vars": {"site": "outer", "tier": "prod"}},
                "web": {"hosts": ["w"], "vars": {"site": "inner"}},
                "db": ["d"],
                "ungrouped": {"hosts": ["u"]},
            },
            w={"site": "own"},
            d={},
        )
    )
    assert [(each["name"], each["labels"]["group"]) for each in found.agents] == [
        ("w", ["all", "prod", "web"]),
        ("d", ["all", "prod", "db"]),
        ("u", ["all", "ungrouped"]),
    ]
    assert [each["labels"].get("site") for each in found.agents] == ["own", "outer", None]
    assert found.agents[1]["labels"]["tier"] == "prod"


def test_variables_are_labels_where_they_can_be() -> None:
    found = agents_of(
        listing(
            h={
                "slots": 3,
                "fast": True,
                "ratio": 1.5,
                "zones": ["a", "b"],
                "nothing": None,
                "raw": {"__ansible_unsafe": "{{ as it is }}"},
                "nested": {"a": 1},
                "computed": "{{ slots + 1 }}",
                "sealed": {"__ansible_vault": "$ANSIBLE_VAULT;1.1;AES256\n3030\n"},
                "db_password": "hunter2",
                "vault_db": "hunter2",
                "db_pass_2": "hunter2",
                "aws_secret_access_key": "hunter2",
                "dsn": ["postgres://me:hunter2@db/x"],
                "compass": "postgres://db/x",
                "long": "x" * 2000,
                "group": "mine",
            }
        )
    )
    labels = found.agents[0]["labels"]
    assert labels == {
        "slots": "3",
        "fast": "true",
        "ratio": "1.5",
        "zones": ["a", "b"],
        "compass": "postgres://db/x",
        "raw": "{{ as it is }}",
        "group": ["all", "web"],
        "inventory_hostname": "h",
    }
    told = [message for message, _ in found.doubts]
    assert told == [
        "`nested` of h is left out: labels are texts, or lists of them",
        "`computed` of h is left out: ansible-inventory does not expand templates",
        "`sealed` of h is encrypted, and left out",
        "`db_password`, `vault_db`, `db_pass_2` and 2 more of h are left out: a label is no place for a secret",
        "`long` of h is left out: more than 1000 characters",
        "`group` of h is left out: the label means something else",
    ]
    assert "hunter2" not in str(found)


def test_what_is_not_honoured_is_said_once_for_all_hosts() -> None:
    many = {
        f"h{number}": {"ansible_ssh_common_args": "-o ProxyJump=b", "ansible_become": "true"} for number in range(300)
    }
    found = agents_of(listing(**many, other={"ansible_password": "hunter2", "ansible_odd": 1}))
    assert len(found.agents) == 301
    assert [message for message, _ in found.doubts] == [
        "`ansible_ssh_common_args` of h0, h1, h2 and 297 more is not honoured",
        "`ansible_become` of h0, h1, h2 and 297 more is not honoured",
        "`ansible_password` of other is not honoured",
        "`ansible_odd` of other is not honoured",
    ]
    assert all(hint for _, hint in found.doubts)
    assert "hunter2" not in str(found)
    of_a_cloud = {f"h{number}": {f"tags_{each}": {"a": 1} for each in range(30)} for number in range(9)}
    assert [message for message, _ in agents_of(listing(**of_a_cloud)).doubts] == [
        "`tags_0`, `tags_1`, `tags_2` and 27 more of h0, h1, h2 and 6 more are left out: "
        "labels are texts, or lists of them"
    ]


def test_hosts_of_another_kind_leave_the_others_be() -> None:
    found = agents_of(listing(w1={"ansible_connection": "winrm"}, sw={"ansible_connection": "a.b.network_cli"}, h={}))
    assert [each["name"] for each in found.agents] == ["h"]
    assert [message for message, _ in found.doubts] == [
        "host w1 is left out: no agent is reached by `ansible_connection: winrm`",
        "host sw is left out: no agent is reached by `ansible_connection: a.b.network_cli`",
    ]


@pytest.mark.parametrize(
    ("listed", "is_one"),
    [
        ({"all": {"children": {"web": {"hosts": {"a": None}}}}, "ungrouped": None}, False),
        ({"all": {"children": {"web": None}}}, False),
        ({"all": {"children": ["web"]}, "web": {"hosts": ["a"]}}, True),
        ({"web": ["a"], "all": {"vars": {}}}, True),
    ],
)
def test_a_file_in_yaml_of_ansible_is_no_listing(listed: dict[str, Any], is_one: bool) -> None:
    assert looks_like(listed)
    assert is_listing(listed) is is_one


def test_names_lose_their_dots_and_never_become_one() -> None:
    found = agents_of({"g": ["web01.example.com", "10.0.0.5", "fd00::1"]})
    assert [each["name"] for each in found.agents] == ["web01_example_com", "10_0_0_5", "fd00__1"]
    assert [each["address"] for each in found.agents] == ["web01.example.com", "10.0.0.5", "fd00::1"]
    with pytest.raises(Unclear, match="would both be agent `a_b`"):
        agents_of({"g": ["a.b", "a_b"]})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"g": ["-oProxyCommand=touch x"]}, "cannot be an agent"),
        ({"g": ["a; rm -rf ~"]}, "cannot be an agent"),
        ({"g": ["a\x1b[31m"]}, r"a\\x1b\[31m"),
        ({"g": ["x{0..999}"]}, "cannot be an agent"),
        ({"g": [""]}, "cannot be an agent"),
        ({"g": "abc"}, "no map of"),
        ({"g": {"hosts": "abc"}}, "no list of names"),
        ({"g": {"hosts": [1]}}, "no list of names"),
        ({"g": {"children": ["h"]}, "h": {"children": ["g"], "hosts": ["x"]}}, "within itself"),
        ({"g": {"vars": [], "hosts": []}}, None),
        ({"g": {"vars": [1], "hosts": []}}, "is no map"),
        ({"_meta": 3}, "is no map"),
        ({"_meta": {"hostvars": [1]}}, "is no map"),
        ({"_meta": {"hostvars": {"h": [1]}}, "g": ["h"]}, "are no map"),
    ],
)
def test_what_is_no_listing_is_refused_in_a_line(wrong: dict[str, Any], said: str | None) -> None:
    if said is None:
        assert agents_of(wrong).agents == []
        return
    with pytest.raises(Unclear, match=said) as caught:
        agents_of(wrong)
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"ansible_connection": "podman", "ansible_host": "--privileged"}, "begins with `-`"),
        ({"ansible_connection": "podman", "ansible_user": "{name}"}, "holds a brace"),
        ({"ansible_host": "{{ inventory_hostname }}.lan"}, "is a template"),
        ({"ansible_host": "h{1..3}"}, "holds a brace"),
        ({"ansible_user": {"__ansible_vault": "x"}}, "is encrypted"),
        ({"ansible_port": [22]}, "is no text"),
    ],
)
def test_a_way_that_cannot_be_known_is_refused(variables: dict[str, Any], said: str) -> None:
    with pytest.raises(Unclear, match=said.replace("`", "`")):
        agent(**variables)


def test_hosts_of_no_group_are_not_taken_in_silence() -> None:
    found = agents_of({"_meta": {"hostvars": {"lost": {}, "there": {}}}, "g": ["there"]})
    assert [each["name"] for each in found.agents] == ["there"]
    assert found.doubts == [("host lost is in no group, and left out", "add them to a group")]


_JSON = some.recursive(
    some.none() | some.booleans() | some.floats(allow_nan=False) | some.text(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
_GROUP = some.fixed_dictionaries(
    {},
    optional={
        "hosts": some.lists(some.text(max_size=6), max_size=3) | _JSON,
        "children": some.lists(some.sampled_from(["a", "b", "c"]), max_size=3) | _JSON,
        "vars": some.dictionaries(some.text(max_size=8), _JSON, max_size=2) | _JSON,
    },
)


@given(some.dictionaries(some.sampled_from(["a", "b", "c", "_meta", "all"]), _GROUP | _JSON, max_size=4))
def test_whatever_is_printed_is_agents_or_a_line(printed: dict[str, Any]) -> None:
    found: list[Any] = []
    said = ""
    try:
        found = agents_of(printed).agents
    except Unclear as unclear:
        said = unclear.message
    assert said.isprintable()
    assert len({each["name"] for each in found}) == len(found)
