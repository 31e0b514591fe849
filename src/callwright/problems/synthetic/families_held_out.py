"""Families that occur in the test split alone: other situations, from operations and words that the seen ones teach."""

from callwright.problems.synthetic.family import Family

ALL = (
    Family(
        "pages",
        operands={"daily": range(6, 60), "days": range(3, 25), "pages": range(90, 990)},
        chain=(("multiply", "days", "daily"), ("subtract", "pages", "#1")),
        held_out=True,
        wordings=(
            "A book has {pages} pages. {name} reads {daily} pages a day for {days} days. How many pages are left?",
            "{name} reads {daily} pages every day. After {days} days, how many of the {pages} pages of {their} book "
            "remain?",
            "For {days} days {name} reads a book of {pages} pages, {daily} pages each day. How many pages remain?",
        ),
    ),
    Family(
        "garden",
        operands={"side": range(6, 31), "pond": range(11, 600)},
        chain=(("power", "side", 2), ("subtract", "#1", "pond")),
        held_out=True,
        wordings=(
            "A square garden has sides of {side} meters. A house takes {pond} square meters of it. "
            "How many square meters are left?",
            "{name} has painted {pond} square meters of a square wall with sides of {side} meters. "
            "How many square meters are still not painted?",
            "A square farm with sides of {side} meters has trees on {pond} square meters. "
            "How many square meters have no trees?",
        ),
    ),
    Family(
        "wages",
        operands={"hours": range(6, 60), "wage": range(8, 60), "percent": range(5, 50, 5)},
        chain=(("multiply", "hours", "wage"), ("percent_of", "#1", "percent"), ("subtract", "#1", "#2")),
        held_out=True,
        wordings=(
            "{name} works {hours} hours for {wage} dollars an hour and pays {percent} percent of it in tax. "
            "How many dollars does {they} have left?",
            "{name} gets {wage} dollars an hour and works {hours} hours. {They} gives {percent} percent away. "
            "How many dollars are left?",
            "After {percent} percent tax, how many dollars does {name} get for {hours} hours at {wage} dollars an "
            "hour?",
        ),
    ),
    Family(
        "seats",
        operands={"rows": range(4, 20), "seats": range(5, 30), "empty": range(11, 200), "price": range(3, 30)},
        chain=(("multiply", "rows", "seats"), ("subtract", "#1", "empty"), ("multiply", "#2", "price")),
        held_out=True,
        wordings=(
            "A room has {rows} rows of {seats} seats, and {empty} seats are empty. "
            "Everyone in the other seats pays {price} dollars. How many dollars do they pay in all?",
            "Each seat on a train costs {price} dollars. There are {seats} seats in each of {rows} rows, "
            "but {empty} are empty. How many dollars do the people pay in all?",
            "A seat costs {price} dollars. A school fills all but {empty} seats in {rows} rows of {seats}. "
            "How many dollars does the school pay?",
        ),
    ),
    Family(
        "water",
        operands={"have": range(40, 500), "more": range(20, 400), "gone": range(11, 400), "size": range(3, 30)},
        chain=(("add", "have", "more"), ("subtract", "#1", "gone"), ("divide", "#2", "size")),
        held_out=True,
        wordings=(
            "{name} has {have} liters of water, finds {more} liters more, and drinks or sells {gone} liters. "
            "The rest goes into jars of {size} liters. How many jars does {they} fill?",
            "A jar holds {size} liters. {name} mixes {more} liters of water with {have} liters of juice and sells "
            "{gone} "
            "liters. How many jars does {they} need for the rest?",
            "From {have} liters of red paint and {more} liters of blue paint, {gone} liters are gone. "
            "The rest is shared equally among {size} rooms. How many liters does each room get?",
        ),
    ),
    Family(
        "party",
        operands={
            "children": range(5, 90),
            "parents": range(5, 90),
            "each": range(3, 12),
            "size": range(4, 25),
            "have": range(3, 60),
        },
        chain=(
            ("add", "children", "parents"),
            ("multiply", "#1", "each"),
            ("divide", "#2", "size"),
            ("subtract", "#3", "have"),
        ),
        held_out=True,
        wordings=(
            "At a party of {children} children and {parents} parents, everyone gets {each} cookies. "
            "A {box} holds {size} cookies and {name} has {have} {boxes}. How many more {boxes} does {they} need?",
            "{name} has {have} {boxes} of {size} {items}. {They} needs {each} {items} for each of {children} boys and "
            "{parents} girls. How many more {boxes} does {they} need?",
            "Each {box} holds {size} {items}. At a school, {parents} parents and {children} children get {each} "
            "{items} "
            "each. {name} already has {have} {boxes}. How many more {boxes} does {they} need?",
        ),
    ),
)
