"""The Debug Adapter Protocol: a run, or the journal of one, debugged from an editor. One more front end over the verbs."""
