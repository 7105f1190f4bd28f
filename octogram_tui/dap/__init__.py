"""The Debug Adapter Protocol: a run, or a journal, debugged from an editor. One more front end over the verbs."""
