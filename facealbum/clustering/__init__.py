"""Pure clustering: constraints, groups, incremental plans and breakage.

`plan_clusters` says what one month's faces of one family become; nothing is written and nothing else is read,
so the same input gives the same plan, bit for bit, in whatever order the faces come.
"""

from facealbum.clustering.algorithms import ALGORITHMS
from facealbum.clustering.breakage import (
    BreakageRates,
    BreakageThresholds,
    LabelBreakage,
    breakage_rates,
    count_breakage,
)
from facealbum.clustering.halves import Halves, halve
from facealbum.clustering.incremental import plan_clusters
from facealbum.clustering.intervals import Rate
from facealbum.clustering.nodes import select_family_nodes, select_nodes
from facealbum.clustering.parameters import ClusteringParameters
from facealbum.clustering.plan import (
    Attach,
    Bar,
    Barred,
    ClusterPlan,
    Leave,
    LeaveReason,
    Move,
    MoveReason,
    NewGroup,
    Outcome,
    Rival,
    Settled,
)
from facealbum.clustering.plan_change import Fate, Origin, PlanChange, compare_plans
from facealbum.clustering.problem import ClusteringProblem, Constraints, Node, Observation
from facealbum.clustering.resemblance import rank_persons
from facealbum.clustering.tracks import TrackState, constrain_tracks
from facealbum.clustering.unpinned import Clusters, NodeLabel, Unpinned, cluster_unpinned, plan_beside_unpinned
from facealbum.clustering.wording import describe_faces

__all__ = [
    "ALGORITHMS",
    "Attach",
    "Bar",
    "Barred",
    "BreakageRates",
    "BreakageThresholds",
    "ClusterPlan",
    "ClusteringParameters",
    "ClusteringProblem",
    "Clusters",
    "Constraints",
    "Fate",
    "Halves",
    "LabelBreakage",
    "Leave",
    "LeaveReason",
    "Move",
    "MoveReason",
    "NewGroup",
    "Node",
    "NodeLabel",
    "Observation",
    "Origin",
    "Outcome",
    "PlanChange",
    "Rate",
    "Rival",
    "Settled",
    "TrackState",
    "Unpinned",
    "breakage_rates",
    "cluster_unpinned",
    "compare_plans",
    "constrain_tracks",
    "count_breakage",
    "describe_faces",
    "halve",
    "plan_beside_unpinned",
    "plan_clusters",
    "rank_persons",
    "select_family_nodes",
    "select_nodes",
]
