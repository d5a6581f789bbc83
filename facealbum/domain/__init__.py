"""The words of the product as values: standard library and numpy only, no input or output."""
