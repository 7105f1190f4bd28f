"""Lists of agents that others keep: Ansible's inventories, Terraform's outputs, programs that print one, and our own.

All of them become a document of `agents` as our language has them, so that whatever holds for a list written by hand
holds for these too. What is kept with a run is that list, and nothing else of what was read.
"""
