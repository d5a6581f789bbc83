"""Pure linking of persons to registered children by age and gender."""
