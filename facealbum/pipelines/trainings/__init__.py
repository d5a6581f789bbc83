"""The trainings that there are, each a file of its own with its `TRAINING`."""
