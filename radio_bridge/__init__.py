"""The way between the DMR radio network and the groups of this one."""
