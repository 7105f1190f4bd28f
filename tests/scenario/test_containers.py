"""What `check` says of commands that lead into a container, and through which nothing would come."""

from __future__ import annotations

import pytest

from octogram_tui.scenario.containers import doubt_of


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("podman exec -i a", ""),
        ("docker -H ssh://host exec --interactive -u nobody a", ""),
        ("docker exec -iu nobody a", ""),
        ("docker compose exec -T a", ""),
        ("kubectl --context=x exec -i a --container=c --", ""),
        ("kubectl exec --stdin=true a -- nice", ""),
        ("srun --jobid=1", ""),
        ("podman exec a", "without `-i`"),
        ("/usr/bin/docker exec -u ian a", "without `-i`"),
        ("ssh host docker exec init", "without `-i`"),
        ("kubectl exec a -- env -i", "without `-i`"),
        ("podman exec -it a", "makes a terminal"),
        ("kubectl exec -i --tty a --", "makes a terminal"),
        ("kubectl exec -i a", "without `--`"),
    ],
)
def test_a_command_that_passes_nothing_on_is_told(command: str, said: str) -> None:
    doubt = doubt_of(command.split())
    assert (doubt is None) if not said else (doubt is not None and said in doubt[0] and doubt[1])
