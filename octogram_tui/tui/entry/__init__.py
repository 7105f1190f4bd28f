"""What stands before a run: welcome, a list of runs, the problems of a scenario, and a look at its machines."""
