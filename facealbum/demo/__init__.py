"""The demo: bundled public-domain portraits, and an album made of them that needs no upload and no network."""
