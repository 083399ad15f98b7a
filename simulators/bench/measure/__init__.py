"""How a benchmark measures: latencies in histograms, processors, memory, one value a second."""
