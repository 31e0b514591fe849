"""How models misread formulas, in all tasks that have formulas."""

MISREAD_WORDS = (
    (" -> ", " and "),
    (" <-> ", " -> "),
    ("all ", "exists "),
    ("exists ", "all "),
    (" and ", " or "),
    (" xor ", " or "),
    (" or ", " and "),
    ("not ", ""),
)
"""Pairs of a word and the word that it is mistaken for, with the spaces around them."""
