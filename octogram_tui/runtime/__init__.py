"""The asynchronous shell around the engine: carries effects out, turns what comes back into stimuli."""
