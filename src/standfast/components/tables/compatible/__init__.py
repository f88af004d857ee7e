"""The endpoints of the reference product's relational tables (section 2.11); importing it fills the table of routes."""

from standfast.components.tables.compatible import rows, structures

__all__ = ["rows", "structures"]
