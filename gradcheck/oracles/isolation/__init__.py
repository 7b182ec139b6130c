"""How is foreign code called so that it takes nothing else along? Forks, waiting, a watch on calls."""
