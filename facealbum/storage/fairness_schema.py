"""The tables of fairness: how slices stand beside all families, and the mix of what drove links.

All are sums over many families: they name none, and stay when one is deleted.
"""

from sqlalchemy import BigInteger, Boolean, Column, Date, Double, ForeignKey, Integer, Table, Text, false
from sqlalchemy.dialects.postgresql import ARRAY

from facealbum.storage.schema import arms, metadata, time_column

fairness_slices = Table(
    "fairness_slices",
    metadata,
    Column("arm_id", ForeignKey(arms.c.arm_id), primary_key=True),
    Column("month", Date, primary_key=True),
    Column("metric", Text, primary_key=True),
    Column("slice", Text, primary_key=True),
    Column("families", Integer, nullable=False),
    Column("total", Double, nullable=False),
    Column("cases", Double, nullable=False),
    Column("low", Double, nullable=False),
    Column("high", Double, nullable=False),
    Column("level", Double, nullable=False),
    Column("standing", Text, nullable=False),
    time_column("computed_at"),
)

link_mixes = Table(
    "link_mixes",
    metadata,
    Column("arm_id", ForeignKey(arms.c.arm_id), primary_key=True),
    Column("month", Date, primary_key=True),
    Column("input", Text, primary_key=True),
    Column("counts", ARRAY(BigInteger, dimensions=2), nullable=False),
    Column("links", Integer, nullable=False),
    Column("mean", Double, nullable=False),
    Column("distance", Double),
    Column("threshold", Double),
    Column("alarm", Boolean, nullable=False, server_default=false()),
    Column("baseline", ARRAY(Date), nullable=False),
    time_column("counted_at"),
)
