"""Synthetic logic problems: sentences to translate, and syllogisms to judge."""
