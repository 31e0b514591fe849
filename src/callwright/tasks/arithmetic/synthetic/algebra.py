"""Families with an unknown number early in the story, so that an equation is easier than working backwards."""

from callwright.tasks.arithmetic.synthetic.family import ArithmeticFamily

ALL = (
    ArithmeticFamily(
        "riddle",
        operands={"count": range(3, 13), "more": range(11, 99), "total": range(40, 490)},
        gold_calls=(("solve", "={count}*x + {more} = {total}"),),
        wordings=(
            "{name} thinks of a number. {count} times the number plus {more} is {total}. What is the number?",
            "If {name} adds {more} to {count} times a number, {they} gets {total}. What is the number?",
            "What is the number of {name}, if {total} is {count} times the number plus {more}?",
        ),
    ),
    ArithmeticFamily(
        "joining",
        operands={"fee": range(11, 99), "price": range(3, 13), "total": range(40, 490)},
        gold_calls=(("solve", "={price}*x + {fee} = {total}"),),
        wordings=(
            "{name} pays {fee} dollars to join a club, and {price} dollars for each month. {They} has paid {total} "
            "dollars so far. How many months is that?",
            "A club costs {price} dollars for each month and {fee} dollars to join. {name} has paid {total} dollars so "
            "far. How many months is that?",
            "{name} has paid a club {total} dollars so far: {fee} dollars to join, and {price} dollars for each month. "
            "How many months is that?",
        ),
    ),
    ArithmeticFamily(
        "taxi",
        operands={"start": range(11, 60), "price": range(3, 13), "total": range(40, 300)},
        gold_calls=(("solve", "={price}*x + {start} = {total}"),),
        held_out=True,
        wordings=(
            "A ride costs {start} dollars plus {price} dollars for each mile. {name} has paid {total} dollars. "
            "How many miles is that?",
            "{name} pays {price} dollars for each mile of a ride, and {start} dollars to start. "
            "{They} has paid {total} dollars. How many miles is that?",
            "{name} has paid {total} dollars for a ride: {start} dollars to start, and {price} dollars for each mile. "
            "How many miles is that?",
        ),
    ),
)
