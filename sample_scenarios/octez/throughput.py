#!/usr/bin/env python3
"""Writes the scenario of a DAL throughput experiment: N attesters, M producers, and one machine that they start from.

    sample_scenarios/octez/throughput.py --attesters 4 --producers 2 >throughput.yml
    octogram-tui --local throughput.yml

Every attester runs a DAL node and a baker for a key of its own; every producer runs a DAL node and publishes a slot at
each of some levels. The machine `bootstrap` makes keys and parameters, runs the L1 node, and serves programs and keys.
Without Octez the stand-ins of this repository play it (see sandbox.yml). `--help` lists what can be chosen.
"""

from __future__ import annotations

import argparse
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
MOST_SLOTS = 256  # of one level, by protocol

HEAD = """\
# {attesters} attesters and {producers} producers of DAL slots, written by
#     {command}
# and meant to be edited. Without Octez, on this machine alone:
#     octogram-tui --local THIS_FILE

agents:
{agents}
{prometheus}
vars:
  binaries: {binaries} # a directory with Octez programs and sandbox-parameters.json; empty for the stand-ins
  stand_ins: {stand_ins}
  release: {release} # which Octez the stand-ins play
  network: sandbox
  slots: {slots}
  slot_size: '4096'
  seconds_per_block: {block_delay}
  levels: {levels} # at how many levels every producer publishes
"""

STAGES = """\
stages:
  - name: prepare
    with_agents: ^bootstrap$
    jobs:
      - name: real Octez
        when: vars.binaries != ''
        copy:
          local_path: '{{ vars.binaries }}'
          remote_path: bin
      - name: stand-ins
        when: vars.binaries == ''
        copy:
          local_path: '{{ vars.stand_ins }}'
          remote_path: stand_ins
      - name: install the stand-ins
        when: vars.binaries == ''
        builtins.shell: |
          python3 stand_ins/octez.py install bin --release {{ vars.release | quote }} >install.log
          python3 stand_ins/octez.py parameters alpha --release {{ vars.release | quote }} >bin/sandbox-parameters.json
      # One key for each attester and each producer, whose alias is the agent's name.
      - name: attesters' keys
        tezos.generate_keys:
          base_dir: self://wallet
          kind:
            fresh:
              count: COUNT_OF_ATTESTERS
              path_client: self://bin/octez-client
              alias_prefix: attester_
      - name: producers' keys
        tezos.generate_keys:
          base_dir: self://wallet
          kind:
            fresh:
              count: COUNT_OF_PRODUCERS
              path_client: self://bin/octez-client
              alias_prefix: producer_
      - name: the first baker's key
        tezos.generate_keys:
          base_dir: self://wallet
          kind:
            fresh:
              count: 1
              path_client: self://bin/octez-client
              alias_prefix: baker_
      - name: parameters
        tezos.generate_protocol_parameters_file:
          base_file: self://bin/sandbox-parameters.json
          wallet: self://wallet
          path_client: self://bin/octez-client
          minimal_block_delay: '{{ vars.seconds_per_block }}'
          dal:
            feature_enable: 'true'
            number_of_slots: '{{ vars.slots }}'
            number_of_shards: '64'
            slot_size: '{{ vars.slot_size }}'
            page_size: '128'
            redundancy_factor: '8'
            attestation_lag: '4'
            attestation_threshold: '50'
      # What all the others need, in one file. The keys are worth nothing outside of this chain.
      - name: pack
        builtins.shell: tar czf kit.tar.gz wallet bin/octez-client bin/octez-dal-node bin/octez-baker
      - name: serve
        builtins.start_http_server: {}
      - name: node
        tezos.start_node:
          name: node
          path_node: self://bin/octez-node
          synchronization_threshold: 0
          history_mode: archive
      - name: activate
        tezos.activate_protocol:
          endpoint: self://node
          path_client: self://bin/octez-client
          protocol: alpha
          parameter_file: self://parameters.json
      # A DAL node is ready when the chain moves, and an attester's baker wants its DAL node: somebody has to begin.
      - name: first baker
        tezos.start_baker:
          base_dir: self://wallet
          node_uri: self://node
          baker_path: self://bin/octez-baker
          delegates: [baker_0]

  - name: fetch the kit
    with_agents: [^attester_, ^producer_]
    max_concurrency: AT_ONCE
    jobs:
      - name: kit
        builtins.tar:
          action: extract
          contents: '.'
          archive: bootstrap://kit.tar.gz

  - name: start attesters
    with_agents: ^attester_(\\d+)$
    max_concurrency: AT_ONCE
    jobs:
      - name: DAL node
        tezos.start_dal_node:
          name: dal
          path_node: self://bin/octez-dal-node
          l1_node_uri: bootstrap://node
          attester_profiles: ['{{ agent.name }}']
          path_client: self://bin/octez-client
          base_dir: self://wallet
      - name: baker
        tezos.start_baker:
          name: baker
          base_dir: self://wallet
          node_uri: bootstrap://node # asked over its RPC: its data directory is on another machine
          dal_node_uri: self://dal
          baker_path: self://bin/octez-baker
          delegates: ['{{ agent.name }}']

  - name: start producers
    with_agents: ^producer_(\\d+)$
    max_concurrency: AT_ONCE
    jobs:
      - name: DAL node
        tezos.start_dal_node:
          name: dal
          path_node: self://bin/octez-dal-node
          l1_node_uri: bootstrap://node
          producer_profiles: ['{{ re[1] }}']

  - name: agree on levels
    with_agents: ^bootstrap$
    jobs:
      - name: level
        builtins.http: self://node/chains/main/blocks/head/header
        vars_updates:
          first_level: { value: '{{ res.json.level + 3 }}', as: int }
          last_level: { value: '{{ res.json.level + 2 + vars.levels }}', as: int }

  - name: publish
    with_agents: ^producer_(\\d+)$
    jobs:
      - name: slot
        with_items: '{{ vars.first_level }}..{{ vars.last_level }}'
        tezos.publish_dal_slot:
          slot_info:
            slot_index: '{{ re[1] }}'
            slot_size: '{{ vars.slot_size }}'
            payload: '{{ agent.name }} at level {{ item }}'
          target_published_level: '{{ item }}'
          l1_node_uri: bootstrap://node
          dal_node_uri: self://dal
          base_dir: self://wallet
          source: '{{ agent.name }}'
          path_client: self://bin/octez-client
        # How many of a producer's slots got into their level: one that comes too late is left out, and counts nothing.
        vars_updates:
          published_{{ agent.name }}:
            value: "{{ (vars['published_' ~ agent.name] | default(0)) + (1 if res.published else 0) }}"
            as: int

  - name: look at the result
    with_agents: ^producer_
    jobs:
      - name: every slot was in time
        builtins.assert:
          that: vars['published_' ~ agent.name] == vars.levels
          message: some slots of {{ agent.name }} came too late for their level; try a larger `seconds_per_block`
"""

PROMETHEUS = """
# Reads the metrics of every node while the run lasts. Its address is announced as a service.
prometheus_agent:
  name: prometheus
  transport: local
"""


def main() -> int:
    """Write the scenario to standard output."""
    parser = argparse.ArgumentParser(description="Write the scenario of a DAL throughput experiment.")
    parser.add_argument("--attesters", type=positive, default=4, help="how many agents attest and bake (default 4)")
    parser.add_argument("--producers", type=positive, default=2, help="how many agents publish slots (default 2)")
    parser.add_argument("--levels", type=positive, default=10, help="at how many levels they publish (default 10)")
    parser.add_argument(
        "--block-delay",
        type=positive,
        default=0,
        help="seconds between blocks (default: by the "
        "number of producers, so that the stand-ins can follow on two cores)",
    )
    parser.add_argument("--at-once", type=positive, default=8, help="how many agents start nodes at a time (default 8)")
    parser.add_argument(
        "--address",
        action="append",
        default=[],
        metavar="HOST",
        help="a machine for the agents, over SSH; may be repeated (default: this machine)",
    )
    parser.add_argument("--binaries", default="", metavar="DIR", help="Octez programs on this machine")
    parser.add_argument("--release", default="v25", help="which Octez the stand-ins play: v23 to v25 (default v25)")
    parser.add_argument("--prometheus", action="store_true", help="watch the nodes with Prometheus")
    args = parser.parse_args()
    if args.producers > MOST_SLOTS:
        parser.error(f"a level has at most {MOST_SLOTS} slots, one for each producer")
    command = " ".join([os.path.basename(sys.argv[0]), *sys.argv[1:]])
    print(
        HEAD.format(
            attesters=args.attesters,
            producers=args.producers,
            command=command,
            agents=agents(args),
            prometheus=PROMETHEUS if args.prometheus else "",
            binaries=quoted(args.binaries),
            stand_ins=quoted(os.path.join(os.path.dirname(HERE), "stand_ins")),
            release=args.release,
            slots=args.producers,
            block_delay=args.block_delay or max(2, -(-args.producers // 6)),
            levels=args.levels,
        )
    )
    text = STAGES.replace("COUNT_OF_ATTESTERS", str(args.attesters)).replace("COUNT_OF_PRODUCERS", str(args.producers))
    print(text.replace("AT_ONCE", str(args.at_once)), end="")
    return 0


def positive(text: str) -> int:
    """Take a number from 1 on."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def agents(args: argparse.Namespace) -> str:
    """Give the scenario's list of agents; several addresses are shared out among them."""
    names = ["bootstrap", f"attester_{{0..{args.attesters - 1}}}", f"producer_{{0..{args.producers - 1}}}"]
    entries = []
    for name in names:
        entries.append(f"  - name: '{name}'")
        if not args.address:
            entries.append("    transport: local")
        elif len(args.address) == 1 or name == "bootstrap":
            entries.append(f"    address: {quoted(args.address[0])}")
        else:
            entries.append(f"    address: [{', '.join(map(quoted, args.address))}]")
    return "\n".join(entries)


def quoted(text: str) -> str:
    """Write a text as YAML."""
    return "'" + text.replace("'", "''") + "'"


if __name__ == "__main__":
    sys.exit(main())
