"""`tezos.operations.*`: operations that octez-client signs and injects."""

from __future__ import annotations

import json
import re

from octogram_agentd.procedures.base import Field, Procedure, ProcedureFailed
from octogram_agentd.procedures.octez import argv, base58, endpoints, programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence

    from octogram_agentd.procedures.base import Uri
    from octogram_agentd.procedures.context import CommandResult, Context

MESSAGE_BYTES = 4095
_MESSAGE_HEX = 2 * MESSAGE_BYTES
_ARGUMENT_BYTES = 120_000  # one argument of a program may have 128 KiB; an operation carries far less
_WEBASSEMBLY = b"\0asm"
_AMOUNT_MAXIMUM = (1 << 30) - 1
_WAIT = r"^(none|\d+)$"
_ADDRESS_RESULT = {
    "address": "str: the address",
    "hex_address": "str: its 20 bytes in hexadecimal, without prefix: 40 characters",
}


class _Operation(Procedure):
    """What all operations need: a client, a node, a wallet and who pays."""

    path_client: Field[Uri] = Field("str", "The octez-client program.", required=True, uri="file")
    endpoint: Field[Uri] = Field("str", "The node.", required=True, uri="node")
    wallet: Field[str] = Field("str", "The wallet's directory, from the home directory.", required=True, form="path")
    source: Field[str] = Field("str", "Alias or address of who signs and pays.", required=True)

    async def inject(self, context: Context, words: Sequence[str], wait: Any) -> CommandResult:
        """Run the client's command to its end. Raises ProcedureFailed with the client's own message."""
        client = await programs.program(context, self.path_client, "octez-client")
        endpoint = endpoints.endpoint(context, self.endpoint, "node")
        return await programs.client(
            context, client, words, base_dir=context.path(self.wallet), endpoint=endpoint, wait=str(wait)
        )


def _address_in(stdout: str, pattern: str, what: str) -> Dict[str, str]:
    """Find the address that an origination printed. Raises ProcedureFailed."""
    found = re.search(pattern, stdout)
    address = found.group(1).strip() if found else ""
    try:
        return {"address": address, "hex_address": base58.hex_address(address)}
    except ValueError as error:
        raise ProcedureFailed(
            "octez-client printed no address of the new %s (%s)" % (what, error),
            kind="output",
            last_lines=stdout.splitlines()[-20:],
        ) from None


class OriginateSmartRollup(_Operation):
    """Originate a WebAssembly smart rollup.

    The kernel may be hexadecimal text, as the kernel installer writes it, or a binary module, which is converted.
    """

    procedure = "tezos.operations.originate_smart_rollup"
    result = _ADDRESS_RESULT

    alias: Field[str] = Field("str", "The rollup's alias; new in the wallet.", default="rollup")
    kernel_path: Field[Uri] = Field("str", "The kernel to start from.", required=True, uri="file")
    parameters_type: Field[str] = Field("str", "The Michelson type of its entry point.", required=True)
    wait: Field[str] = Field("str", "Confirmations to wait for: a number, or `none`.", default="0", pattern=_WAIT)

    async def run(self, context: Context) -> Dict[str, str]:
        kernel = context.path(await context.fetch(self.kernel_path))
        kernel = _hex_kernel(context, kernel)
        words = argv.originate_smart_rollup(
            self.alias, source=self.source, parameters_type=self.parameters_type, kernel_file=kernel
        )
        done = await self.inject(context, words, self.wait)
        return _address_in(done.stdout, r"Address: (.*)", "rollup")


def _hex_kernel(context: Context, path: str) -> str:
    """Give a file with the kernel as pure hexadecimal: the kernel's own when it is that already."""
    content = _read(path, "kernel_path")
    text = content.hex().encode() if content.startswith(_WEBASSEMBLY) else content.strip()
    if not text or len(text) % 2 or re.search(rb"[^0-9a-fA-F]", text):
        raise ProcedureFailed(
            "kernel_path %s holds neither hexadecimal text nor a WebAssembly module" % path, kind="refused"
        )
    if text == content:
        return path
    clean = context.temporary("kernel.hex")
    with open(clean, "wb") as file:
        file.write(text)
    return clean


def _read(path: str, field: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise ProcedureFailed("%s %s cannot be read: %s" % (field, path, error.strerror), kind="path") from None


class OriginateSmartContract(_Operation):
    """Originate a Michelson contract."""

    procedure = "tezos.operations.originate_smart_contract"
    result = _ADDRESS_RESULT

    alias: Field[str] = Field("str", "The contract's alias; new in the wallet.", default="rollup")
    script_path: Field[Uri] = Field("str", "The Michelson script.", required=True, uri="file")
    amount: Field[int] = Field("int", "Its first balance, in mutez.", default=0, minimum=0, maximum=_AMOUNT_MAXIMUM)
    init: Field[str] = Field("str", "The Michelson value of its first storage.", required=True)
    wait: Field[str] = Field("str", "Confirmations to wait for: a number, or `none`.", default="1", pattern=_WAIT)

    async def run(self, context: Context) -> Dict[str, str]:
        script = context.path(await context.fetch(self.script_path))
        _read(script, "script_path")  # the client would take a path that is not there for the script itself
        words = argv.originate_contract(
            self.alias, amount=int(self.amount), source=self.source, script_file=script, init=self.init
        )
        done = await self.inject(context, words, self.wait)
        return _address_in(done.stdout, r"New contract ?(KT1\w{33})", "contract")


class Transfer(_Operation):
    """Transfer tez, or call a contract."""

    procedure = "tezos.operations.transfer"

    destination: Field[str] = Field("str", "Alias or address of who receives.", required=True)
    amount: Field[int] = Field("int", "How much, in mutez.", default=0, minimum=0, maximum=_AMOUNT_MAXIMUM)
    entrypoint: Field[Optional[str]] = Field("str", "The contract's entry point.")
    arg: Field[Optional[str]] = Field("str", "The Michelson value that it is called with.")
    wait: Field[str] = Field("str", "Confirmations to wait for: a number, or `none`.", default="0", pattern=_WAIT)

    async def run(self, context: Context) -> None:
        words = argv.transfer(
            amount=int(self.amount),
            source=self.source,
            destination=self.destination,
            entrypoint=self.entrypoint,
            argument=self.arg,
        )
        await self.inject(context, words, self.wait)


class AddMessages(_Operation):
    """Send messages to the inbox that all smart rollups share, in one operation."""

    procedure = "tezos.operations.add_messages"

    messages: Field[List[Dict[str, Any]]] = Field(
        "list",
        "The messages.",
        required=True,
        of=Field(
            "record",
            "One message: text, bytes in hexadecimal, or the content of a file.",
            exactly_one=("text", "hex", "file"),
            fields={
                "text": Field("str", "Text, sent as UTF-8; at most 4095 bytes.", max_bytes=MESSAGE_BYTES),
                "hex": Field(
                    "str",
                    "Lower-case hexadecimal, at most 8190 characters.",
                    pattern="^[a-f0-9]+$",
                    max_bytes=_MESSAGE_HEX,
                ),
                "file": Field("str", "A file of at most 4095 bytes, sent as it is.", uri="file"),
            },
        ),
    )
    wait: Field[str] = Field("str", "Confirmations to wait for: a number, or `none`.", default="0", pattern=_WAIT)

    async def run(self, context: Context) -> None:
        encoded = [await _hex_message(context, number, each) for number, each in enumerate(self.messages, 1)]
        text = json.dumps(encoded, separators=(",", ":"))
        if len(text) > _ARGUMENT_BYTES:
            raise ProcedureFailed(
                "the messages take %d characters together: more than an operation can carry" % len(text),
                kind="refused",
                hint="spread them over several jobs, or over `with_items`",
            )
        await self.inject(context, argv.send_messages(text, source=self.source), self.wait)


async def _hex_message(context: Context, number: int, message: Dict[str, Any]) -> str:
    """Encode a message. Raises ProcedureFailed that says which one is wrong."""
    if message.get("hex") is not None:
        digits = str(message["hex"])
        if not re.match(r"[a-f0-9]+\Z", digits) or len(digits) % 2:
            raise ProcedureFailed(
                "message %d: `hex` takes an even number of the digits 0-9 and a-f" % number, kind="refused"
            )
        content = bytes.fromhex(digits)
    elif message.get("file") is not None:
        content = _read(context.path(await context.fetch(message["file"])), "message %d: file" % number)
    else:
        content = str(message.get("text", "")).encode("utf-8", "surrogateescape")
    if len(content) > MESSAGE_BYTES:
        raise ProcedureFailed(
            "message %d has %d bytes; at most %d are allowed" % (number, len(content), MESSAGE_BYTES),
            kind="refused",
            hint="cut it into several messages",
        )
    return content.hex()
