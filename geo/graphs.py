"""Graphs of many thousand points: what hangs together, the shortest ways, the nearest point. Pure.

This is SciPy (docs/decisions/0019). It is imported when something is first asked of it, and not
with this module: importing it takes as long as all else of a server together, which then could not
take back those who were connected before it was restarted.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geo.plane import Floats

if TYPE_CHECKING:
    from scipy.sparse import csr_array
    from scipy.spatial import KDTree

Ints = NDArray[np.int64]
Row = NDArray[np.int32]


def of_edges(lengths: Floats, begins: Ints, ends: Ints, count: int) -> csr_array:
    """A graph of ``count`` points with an edge of each length from one point to another."""
    from scipy.sparse import coo_array

    graph = coo_array((lengths, (begins, ends)), shape=(count, count)).tocsr()
    return of_rows(graph.data, graph.indices.astype(np.int32), graph.indptr.astype(np.int32))


def of_rows(lengths: Floats, ends: Row, starts: Row) -> csr_array:
    """The same in compressed rows: the edges of point n are ``starts[n]`` to ``starts[n + 1]``."""
    from scipy.sparse import csr_array

    count = len(starts) - 1
    return csr_array((lengths, ends, starts), shape=(count, count))


def pieces(begins: Ints, ends: Ints, count: int) -> Ints:
    """For each of ``count`` points the number, from 0, of what it hangs together with."""
    from scipy.sparse.csgraph import connected_components

    graph = of_edges(np.ones(len(begins)), begins, ends, count)
    found: Ints = connected_components(graph, directed=False)[1].astype(np.int64)
    return found


def ways_from(graph: csr_array, point: int, limit: float = math.inf) -> tuple[Floats, Row]:
    """Length of the shortest way from a point to each (infinite beyond ``limit``), by Dijkstra.

    And for each the point before it on that way; negative: none.
    """
    from scipy.sparse.csgraph import dijkstra

    found: tuple[Floats, Row] = dijkstra(
        graph, indices=point, limit=limit, return_predecessors=True
    )
    return found


def nearest_of(points: Floats) -> KDTree:
    """Where the nearest of points (metres, shape (n, 2)) is asked."""
    from scipy.spatial import KDTree

    return KDTree(points)
