"""Families of many steps, and families that need an equation."""

from callwright.tasks.arithmetic.synthetic.family import ArithmeticFamily

ALL = (
    ArithmeticFamily(
        "two_kinds",
        operands={
            "some": range(3, 30),
            "price": range(3, 30),
            "more": range(3, 30),
            "other_price": range(3, 30),
        },
        gold_calls=(("multiply", "some", "price"), ("multiply", "more", "other_price"), ("add", "#1", "#2")),
        wordings=(
            "{name} buys {some} {items} for {price} dollars each and {more} {others} for {other_price} dollars each. "
            "How many dollars does {they} pay in all?",
            "One {item} costs {price} dollars and one {other} costs {other_price} dollars. "
            "How many dollars do {some} {items} and {more} {others} cost together?",
            "{name} has {some} {boxes} of {price} {items} and {more} {boxes} of {other_price} {others}. "
            "How many things does {they} have together?",
        ),
    ),
    ArithmeticFamily(
        "bakery",
        operands={
            "trays": range(3, 30),
            "each": range(6, 40),
            "gone": range(5, 99),
            "size": range(3, 20),
        },
        gold_calls=(("multiply", "trays", "each"), ("subtract", "#1", "gone"), ("divide", "#2", "size")),
        wordings=(
            "{name} bakes {trays} trays with {each} cookies on each. "
            "{They} eats {gone} and puts the rest into {boxes} of {size}. "
            "How many {boxes} does {they} fill?",
            "A {box} holds {size} rolls. {name} bakes {trays} trays with {each} rolls on each, but {gone} are burnt. "
            "How many {boxes} does {they} need for the rest?",
            "{name} picks {each} {items} every day for {trays} days. Of these, {gone} are bad. "
            "The rest are shared equally among {size} friends. How many {items} does each friend get?",
        ),
    ),
    ArithmeticFamily(
        "tip",
        operands={"food": range(20, 600), "drinks": range(11, 300), "percent": range(5, 35, 5)},
        gold_calls=(("add", "food", "drinks"), ("percent_of", "#1", "percent"), ("add", "#1", "#2")),
        wordings=(
            "{name} pays {food} dollars for food and {drinks} dollars for drinks, and adds a tip of {percent} percent. "
            "How many dollars does {they} pay in all?",
            "The drinks cost {drinks} dollars and the food costs {food} dollars. {name} gives a {percent} percent tip. "
            "How many dollars does {they} pay in all?",
            "With a {percent} percent tip, how many dollars does {name} pay for food of {food} dollars "
            "and drinks of {drinks} dollars?",
        ),
    ),
    ArithmeticFamily(
        "orchard",
        operands={
            "rows": range(3, 16),
            "trees": range(4, 16),
            "each": range(5, 30),
            "bad": range(20, 200),
            "size": range(7, 60),
        },
        gold_calls=(
            ("multiply", "rows", "trees"),
            ("multiply", "#1", "each"),
            ("subtract", "#2", "bad"),
            ("remainder", "#3", "size"),
        ),
        wordings=(
            "A farm has {rows} rows of {trees} trees. {name} picks {each} {fruits} from each tree. "
            "Of these, {bad} are bad, and the rest go into full {boxes} of {size}. How many {fruits} are left over?",
            "Each tree on a farm gives {each} {fruits}. There are {trees} trees in each of {rows} rows. "
            "{name} eats or sells {bad} and fills {boxes} of {size} with the rest. How many {fruits} are left over?",
            "A {box} holds {size} {fruits}. A garden has {rows} rows of {trees} trees with {each} {fruits} on each "
            "tree. "
            "Of these, {bad} are bad. {name} fills {boxes} with the rest. How many {fruits} are left over?",
        ),
    ),
    ArithmeticFamily(
        "stall",
        operands={
            "some": range(6, 40),
            "price": range(3, 25),
            "more": range(6, 40),
            "other_price": range(3, 25),
            "costs": range(20, 300),
            "people": range(3, 20),
        },
        gold_calls=(
            ("multiply", "some", "price"),
            ("multiply", "more", "other_price"),
            ("add", "#1", "#2"),
            ("subtract", "#3", "costs"),
            ("divide", "#4", "people"),
        ),
        wordings=(
            "A class sells {some} cakes for {price} dollars each and {more} pies for {other_price} dollars each. "
            "It spent {costs} dollars on sugar. The rest is shared equally among {people} children. "
            "How many dollars does each get?",
            "A group of {people} friends spends {costs} dollars and then sells {some} {items} at {price} dollars "
            "each and "
            "{more} {others} at {other_price} dollars each. They share the rest equally. "
            "How many dollars does each friend get?",
            "One {item} costs {price} dollars and one {other} {other_price} dollars. {name} sells {some} {items} and "
            "{more} {others}, pays {costs} dollars for food, and shares the rest among {people} friends. "
            "How many dollars does each get?",
        ),
    ),
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
