"""Families that occur in the test split only: new situations, made of operations and words of the seen families."""

from callwright.tasks.arithmetic.synthetic.family import ArithmeticFamily

ALL = (
    ArithmeticFamily(
        "pages",
        operands={"daily": range(6, 60), "days": range(3, 25), "pages": range(90, 990)},
        gold_calls=(("multiply", "days", "daily"), ("subtract", "pages", "#1")),
        held_out=True,
        wordings=(
            "A book has {pages} pages. {name} reads {daily} pages a day for {days} days. How many pages are left?",
            "{name} reads {daily} pages every day. After {days} days, how many of the {pages} pages of {their} book "
            "remain?",
            "For {days} days {name} reads a book of {pages} pages, {daily} pages each day. How many pages remain?",
        ),
    ),
    ArithmeticFamily(
        "garden",
        operands={"side": range(6, 31), "pond": range(11, 600)},
        gold_calls=(("power", "side", 2), ("subtract", "#1", "pond")),
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
    ArithmeticFamily(
        "wages",
        operands={"hours": range(6, 60), "wage": range(8, 60), "percent": range(5, 50, 5)},
        gold_calls=(("multiply", "hours", "wage"), ("percent_of", "#1", "percent"), ("subtract", "#1", "#2")),
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
    ArithmeticFamily(
        "seats",
        operands={"rows": range(4, 20), "seats": range(5, 30), "empty": range(11, 200), "price": range(3, 30)},
        gold_calls=(("multiply", "rows", "seats"), ("subtract", "#1", "empty"), ("multiply", "#2", "price")),
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
)
