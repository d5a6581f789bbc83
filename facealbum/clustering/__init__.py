"""Pure clustering: constraints, groups, incremental plans and breakage."""
