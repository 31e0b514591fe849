"""Families of one and two steps."""

from callwright.tasks.arithmetic.synthetic.family import ArithmeticFamily

ALL = (
    ArithmeticFamily(
        "gather",
        operands={"have": range(12, 490), "more": range(12, 490)},
        gold_calls=(("add", "have", "more"),),
        wordings=(
            "{name} has {have} {items} and finds {more} more. How many {items} does {they} have now?",
            "{name} buys {more} {items} and puts them with the {have} {items} at home. "
            "How many {items} are there in all?",
            "There are {have} {items} in one {box} and {more} {items} in another {box}. "
            "How many {items} are there together?",
            "{friend} gives {name} {more} {items}. {name} already had {have}. How many {items} does {name} have now?",
        ),
    ),
    ArithmeticFamily(
        "packs",
        operands={"packs": range(3, 60), "each": range(4, 60)},
        gold_calls=(("multiply", "packs", "each"),),
        wordings=(
            "{name} buys {packs} {boxes} with {each} {items} in each {box}. How many {items} is that?",
            "Each {box} holds {each} {items}. How many {items} are in {packs} {boxes}?",
            "{name} sells {each} {items} every day. How many {items} does {they} sell in {packs} days?",
            "In {packs} days {name} finds {each} {items} a day. How many {items} does {they} find in all?",
            "There are {each} words on each page of a book with {packs} pages. How many words are in the book?",
        ),
    ),
    ArithmeticFamily(
        "share",
        operands={"total": range(24, 990), "parts": range(3, 30)},
        gold_calls=(("divide", "total", "parts"),),
        wordings=(
            "{name} shares {total} {items} equally among {parts} friends. How many {items} does each friend get?",
            "At a party, {parts} children share {total} {items} equally. How many {items} does each child get?",
            "{name} puts {total} {items} into {boxes} of {parts}. How many {boxes} does {they} fill?",
            "Each {box} holds {parts} {items}. How many {boxes} does {name} need for {total} {items}?",
            "A room with {parts} rows has {total} seats. How many seats are in each row?",
        ),
    ),
    ArithmeticFamily(
        "percent_part",
        operands={"amount": range(20, 990), "percent": range(5, 100, 5)},
        gold_calls=(("percent_of", "amount", "percent"),),
        wordings=(
            "In a {box} of {amount} {items}, {percent} percent are new. How many {items} are new?",
            "{name} sold {percent} percent of {their} {amount} {items}. How many {items} did {they} sell?",
            "A school has {amount} children and {percent} percent of them walk to school. How many children walk?",
            "Of the {amount} people in a town, {percent} percent have a {thing}. How many people have a {thing}?",
            "{name} gets {amount} dollars and pays {percent} percent of it in tax. How many dollars is the tax?",
        ),
    ),
    ArithmeticFamily(
        "change",
        operands={"count": range(3, 30), "price": range(3, 40), "paid": range(50, 990)},
        gold_calls=(("multiply", "count", "price"), ("subtract", "paid", "#1")),
        wordings=(
            "{name} buys {count} {items} for {price} dollars each and pays with {paid} dollars. "
            "How many dollars does {they} get back?",
            "{name} has {paid} dollars. One {item} costs {price} dollars. "
            "After {they} buys {count} {items}, how many dollars are left?",
            "One {item} costs {price} dollars. {name} pays for {count} {items} with {paid} dollars. "
            "How many dollars does {they} get back?",
        ),
    ),
    ArithmeticFamily(
        "square_floor",
        operands={"side": range(3, 31), "price": range(3, 60)},
        gold_calls=(("power", "side", 2), ("multiply", "#1", "price")),
        wordings=(
            "A square floor has sides of {side} meters. Paint costs {price} dollars for one square meter. "
            "How many dollars does the paint for the floor cost?",
            "{name} pays {price} dollars a square meter to paint a square wall with sides of {side} meters. "
            "How many dollars does {they} pay?",
            "{name} puts {price} stones on every square meter of a square garden. "
            "The sides of the garden are {side} meters. "
            "How many stones does {they} need?",
        ),
    ),
    ArithmeticFamily(
        "teams",
        operands={"boys": range(11, 300), "girls": range(11, 300), "teams": range(3, 30)},
        gold_calls=(("add", "boys", "girls"), ("divide", "#1", "teams")),
        wordings=(
            "A school makes {teams} equal teams from {girls} girls and {boys} boys. "
            "How many children are in each team?",
            "There are {boys} boys and {girls} girls at a school. They make {teams} equal teams. "
            "How many children are in each team?",
            "{name} puts {girls} old {items} and {boys} new {items} into {teams} {boxes}, the same number in each. "
            "How many {items} are in each {box}?",
        ),
    ),
    ArithmeticFamily(
        "sale",
        operands={"price": range(20, 990), "percent": range(5, 95, 5)},
        gold_calls=(("percent_of", "price", "percent"), ("subtract", "price", "#1")),
        wordings=(
            "A {thing} costs {price} dollars. In a sale it is {percent} percent off. How many dollars does {name} pay?",
            "{name} gets {percent} percent off a {thing} that costs {price} dollars. How many dollars does {they} pay?",
            "Everything is {percent} percent off today. {name} buys a {thing} that cost {price} dollars before. "
            "How many dollars does {they} pay?",
        ),
    ),
    ArithmeticFamily(
        "rounded",
        operands={"total": range(50, 990), "parts": (4, 5, 8, 16, 20, 25, 40, 50)},
        gold_calls=(("divide", "total", "parts"), ("round_to", "#1", 0)),
        decimals=True,
        wordings=(
            "{name} walks {total} miles in {parts} days. How many miles is that a day, rounded to a whole number?",
            "{name} cuts {total} meters of rope into {parts} equal parts. "
            "How many meters long is each part, rounded to a whole number?",
            "Rounded to a whole number, how many liters of water are in each of {parts} equal jars "
            "that hold {total} liters together?",
        ),
    ),
)
