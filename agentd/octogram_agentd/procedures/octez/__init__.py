"""The procedures that drive Octez: nodes, bakers, DAL and rollup nodes, keys, parameters, operations."""
