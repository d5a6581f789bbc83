"""The open back end that turns a family's photo stream into an album per child."""
