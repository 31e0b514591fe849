"""Seen families of one call."""

from callwright.problems.synthetic.family import Family

ALL = (
    Family(
        "gather",
        operands={"have": range(12, 490), "more": range(12, 490)},
        chain=(("add", "have", "more"),),
        wordings=(
            "{name} has {have} {items} and finds {more} more. How many {items} does {they} have now?",
            "{name} buys {more} {items} and puts them with the {have} {items} at home. "
            "How many {items} are there in all?",
            "There are {have} {items} in one {box} and {more} {items} in another {box}. "
            "How many {items} are there together?",
            "{friend} gives {name} {more} {items}. {name} already had {have}. How many {items} does {name} have now?",
        ),
    ),
    Family(
        "packs",
        operands={"packs": range(3, 60), "each": range(4, 60)},
        chain=(("multiply", "packs", "each"),),
        wordings=(
            "{name} buys {packs} {boxes} with {each} {items} in each {box}. How many {items} is that?",
            "Each {box} holds {each} {items}. How many {items} are in {packs} {boxes}?",
            "{name} sells {each} {items} every day. How many {items} does {they} sell in {packs} days?",
            "In {packs} days {name} finds {each} {items} a day. How many {items} does {they} find in all?",
            "There are {each} words on each page of a book with {packs} pages. How many words are in the book?",
        ),
    ),
    Family(
        "share",
        operands={"total": range(24, 990), "parts": range(3, 30)},
        chain=(("divide", "total", "parts"),),
        wordings=(
            "{name} shares {total} {items} equally among {parts} friends. How many {items} does each friend get?",
            "At a party, {parts} children share {total} {items} equally. How many {items} does each child get?",
            "{name} puts {total} {items} into {boxes} of {parts}. How many {boxes} does {they} fill?",
            "Each {box} holds {parts} {items}. How many {boxes} does {name} need for {total} {items}?",
            "A room with {parts} rows has {total} seats. How many seats are in each row?",
        ),
    ),
    Family(
        "percent_part",
        operands={"amount": range(20, 990), "percent": range(5, 100, 5)},
        chain=(("percent_of", "amount", "percent"),),
        wordings=(
            "In a {box} of {amount} {items}, {percent} percent are new. How many {items} are new?",
            "{name} sold {percent} percent of {their} {amount} {items}. How many {items} did {they} sell?",
            "A school has {amount} children and {percent} percent of them walk to school. How many children walk?",
            "Of the {amount} people in a town, {percent} percent have a {thing}. How many people have a {thing}?",
            "{name} gets {amount} dollars and pays {percent} percent of it in tax. How many dollars is the tax?",
        ),
    ),
)
