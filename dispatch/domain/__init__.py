"""What always holds in dispatch, and what may change into what. Pure: values in, values out.

docs/domain.md says the same in words, with names for the rules; tests quote them. Whoever changes
something (``dispatch.desk``) asks here first; what two at the same instant could break, the
database keeps too (migration 0012).
"""
