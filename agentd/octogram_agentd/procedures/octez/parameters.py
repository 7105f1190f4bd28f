"""`tezos.generate_protocol_parameters_file`: what a chain starts with."""

from __future__ import annotations

import json
import os
from functools import partial

from octogram_agentd.procedures.base import Field, Procedure, ProcedureFailed
from octogram_agentd.procedures.octez import argv, endpoints, programs, wallets
from octogram_agentd.procedures.placing import put_in_place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence, Tuple

    from octogram_agentd.procedures.base import Uri
    from octogram_agentd.procedures.context import Context

_DAL = {
    "feature_enable": "Whether the chain has a DAL: true or false.",
    "number_of_shards": "Into how many pieces a slot is cut.",
    "page_size": "Bytes of a page.",
    "slot_size": "Bytes of a slot.",
    "redundancy_factor": "How many times the shards exceed what is needed to rebuild a slot.",
    "attestation_lag": "Levels between publication and attestation.",
    "attestation_threshold": "Percentage of shards that has to be attested.",
    "number_of_slots": "Slots of a level.",
}
_CLIENTS_AT_ONCE = 4
_LIST_BYTES = 64 << 20  # a wallet of a million keys


class GenerateProtocolParametersFile(Procedure):
    """Write a protocol parameters file: a base file with the wallet's accounts and the given DAL parameters put in.

    The DAL values are laid over those of the base file, so that what newer protocols require besides stays, and one
    that the base file does not have (`blocks_per_epoch`, since v20) is left out, with a line in the log; a list
    `attestation_lags` is made to end with the given lag.
    """

    procedure = "tezos.generate_protocol_parameters_file"
    result = {"filename": "str: the file that was written, as given in `output_file_name`"}

    base_file: Field[Uri] = Field(
        "str",
        "Parameters to start from: sandbox-parameters.json of the protocol's build.",
        required=True,
        uri="file",
        formerly=("basefile",),
    )
    output_file_name: Field[str] = Field(
        "str", "Where to write, from the home directory.", default="parameters.json", form="path"
    )
    wallet: Field[Optional[Uri]] = Field("str", "The wallet's directory, on this agent.", uri="file")
    pk_revealed_accounts_prefix: Field[Optional[str]] = Field(
        "str", "Aliases that begin so become accounts with a revealed key; all of them when left out."
    )
    pk_unrevealed_accounts_prefix: Field[Optional[str]] = Field(
        "str", "Aliases that begin so become accounts without one; none when left out."
    )
    default_balance: Field[str] = Field("str", "The balance of an account, in mutez.", default="4000000000000")
    balance_updates: Field[List[List[str]]] = Field(
        "list",
        "Accounts with another balance: pairs of alias and mutez.",
        default=[],
        of=Field("tuple", of=(Field("str", "The alias.", template=False), Field("str", "Its balance in mutez."))),
    )
    dal: Field[Dict[str, Any]] = Field(
        "record",
        "The DAL's parameters.",
        required=True,
        fields={
            **{name: Field("str", doc, required=True) for name, doc in _DAL.items()},
            "blocks_per_epoch": Field("str", "Of the protocols of v18 and v19; left out where the base file has none."),
        },
    )
    minimal_block_delay: Field[Optional[str]] = Field("str", "Seconds between blocks.", minimum=1)
    path_client: Field[Optional[Uri]] = Field(
        "str", "The octez-client program; `octez-client` in the home directory when left out.", uri="file"
    )

    async def run(self, context: Context) -> Dict[str, Any]:
        client = await programs.program(context, self.path_client, "octez-client")
        base = _read_base(context.path(await context.fetch(self.base_file)))
        wallet = None if self.wallet is None else endpoints.own_path(context, self.wallet, "wallet")
        known = await _addresses(context, client, wallet)
        revealed = [alias for alias, _ in known if alias.startswith(self.pk_revealed_accounts_prefix or "")]
        unrevealed = []
        if self.pk_unrevealed_accounts_prefix is not None:
            unrevealed = [alias for alias, _ in known if alias.startswith(self.pk_unrevealed_accounts_prefix)]
        keys = await _keys(context, client, wallet, list(dict.fromkeys([*revealed, *unrevealed])))
        balances = {alias: mutez(balance) for alias, balance in reversed(self.balance_updates)}  # the first one counts
        default = mutez(self.default_balance)
        parameters = merge(
            base,
            accounts=[
                *((keys[alias].public, balances.get(alias, default)) for alias in revealed),
                *((keys[alias].hash, balances.get(alias, default)) for alias in unrevealed),
            ],
            dal=self._dal(context, base),
            minimal_block_delay=self.minimal_block_delay,
        )
        target = context.path(self.output_file_name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        unfinished = os.path.realpath(target) + ".new"
        with open(unfinished, "w", encoding="utf-8") as file:
            json.dump(parameters, file, indent=2)
        await put_in_place(context, unfinished, target)
        return {"filename": self.output_file_name}

    def _dal(self, context: Context, base: Dict[str, Any]) -> Dict[str, Any]:
        """Give the DAL values that the base file's protocol takes, and say which of the others are left out.

        Protocols refuse a key that is not theirs; the base file, which the protocol's build made, has all that are.
        """
        given = {name: plain(name, value) for name, value in self.dal.items() if value is not None}
        known = base.get("dal_parametric") or given
        for name in given:
            if name not in known:
                context.log("dal.%s is left out: the protocol of the base_file has no such parameter" % name)
        return {name: value for name, value in given.items() if name in known}


def _read_base(path: str) -> Dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            base = json.load(file)
    except OSError as error:
        raise ProcedureFailed("base_file %s cannot be read: %s" % (path, error.strerror), kind="path") from None
    except ValueError as error:
        raise ProcedureFailed("base_file %s is not JSON: %s" % (path, error), kind="refused") from None
    if not isinstance(base, dict):
        raise ProcedureFailed("base_file %s is not a JSON object" % path, kind="refused")
    return base


async def _addresses(context: Context, client: str, wallet: Optional[str]) -> List[Tuple[str, str]]:
    """List the wallet. Raises ProcedureFailed when nothing is in it."""
    listed = await programs.client(
        context, client, ["list", "known", "addresses"], base_dir=wallet, log=False, tail_bytes=_LIST_BYTES
    )
    try:
        known = wallets.parse_addresses(listed.stdout)
    except ValueError as error:
        raise ProcedureFailed("octez-client lists an address that is none: %s" % error, kind="wallet") from None
    if not known:
        raise ProcedureFailed(
            "the wallet %s is empty" % (wallet or "(none was given)"),
            kind="wallet",
            hint="fill it first, with `tezos.generate_keys`",
        )
    return known


async def _keys(
    context: Context, client: str, wallet: Optional[str], aliases: Sequence[str]
) -> Dict[str, wallets.WalletKey]:
    """Ask the client for the keys of aliases, a few at a time: each answer costs a start of the client."""
    keys: Dict[str, wallets.WalletKey] = {}

    async def ask(alias: str) -> None:
        shown = await programs.client(context, client, argv.show_address(alias), base_dir=wallet, log=False)
        keys[alias] = wallets.parse_key(alias, shown.stdout)
        context.progress("%d of %d keys" % (len(keys), len(aliases)))

    await context.all_of([partial(ask, alias) for alias in aliases], at_once=_CLIENTS_AT_ONCE)
    return keys


def mutez(text: Any) -> str:
    """Bring a balance to plain digits; `_` may separate them, except in front. Raises ProcedureFailed."""
    digits = str(text)
    plain_digits = digits.replace("_", "")
    if digits.startswith("_") or not (plain_digits.isascii() and plain_digits.isdigit()):
        raise ProcedureFailed("%r is not a balance in mutez" % text, kind="refused")
    return plain_digits


def plain(name: str, value: Any) -> Any:
    """Read one DAL value, which stands in a scenario as text: 'true' is true, '8' is 8. Raises ProcedureFailed."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        said = "dal.%s: %r is neither a number nor true or false" % (name, value)
        raise ProcedureFailed(said, kind="refused") from None


def merge(
    base: Dict[str, Any],
    *,
    accounts: List[Tuple[str, str]],
    dal: Dict[str, Any],
    minimal_block_delay: Optional[Any] = None,
) -> Dict[str, Any]:
    """Give the base's parameters with accounts, DAL values and delay put in; everything else as it was."""
    parameters = dict(base)
    parameters["bootstrap_accounts"] = [[key, balance] for key, balance in accounts]
    section = {**(base.get("dal_parametric") or {}), **dal}
    lags = section.get("attestation_lags")
    lag = section.get("attestation_lag")
    if isinstance(lags, list) and lags and lag is not None and lags[-1] != lag:
        section["attestation_lags"] = [earlier for earlier in lags if earlier < lag] + [lag]
    parameters["dal_parametric"] = section
    if minimal_block_delay is not None:
        parameters["minimal_block_delay"] = str(minimal_block_delay)
    return parameters
