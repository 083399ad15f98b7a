"""What dispatchers and crews do: every action once, with the one place that carries it out."""
