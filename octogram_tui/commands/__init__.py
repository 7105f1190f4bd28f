"""One module for each command of the command line: its options, and what it does."""

COMMANDS: dict[str, str] = {
    "check": "find every error of a scenario, without running anything",
    "plan": "show every instance that would run, with its arguments",
    "runs": "list the runs that are known here",
    "replay": "look at a run again, from its journal",
    "journal": "check the journals of runs for damage, and salvage what is good of one",
    "compare": "say where two runs first differ, and what took longer",
    "export": "write a run as a file for others: a page, a document, a trace, a JUnit report",
    "attach": "open a console onto a run that goes on",
    "resume": "go on with a run whose process has died, where it was",
    "serve": "open the console in a browser of this machine",
    "dap": "debug runs from an editor, by the Debug Adapter Protocol",
    "ask": "ask something of a run that goes on: pause, go, rerun, stop, ...",
    "shell": "open a shell on an agent of a run, where a job runs",
    "schema": "print the JSON Schema of the language",
    "doctor": "look at every agent's machine: name, network, key, Python, disk",
    "clean": "remove what runs have left on the machines of a scenario, or end what one run has left",
    "init": "write a new scenario to start from",
    "demo": "run a scenario that needs nothing but this machine",
    "config": "show the settings, and who says so",
    "completion": "print what lets bash, zsh or fish complete command lines",
    "help": "explain a command, or `exit-codes`",
}
"""Every command but the main one, which is a scenario's file. Their modules have the same names."""
