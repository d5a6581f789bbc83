"""Families that never were: faces with ages, looks and known truth, and faults that can be switched on."""
