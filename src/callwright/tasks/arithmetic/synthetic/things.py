"""Clauses about things that a person has.

`callwright.tasks.arithmetic.synthetic.clause.read_clauses` says how to read this table.
"""

CLAUSES = """
have: start -> items | a=20..489 |
  @ has {a} {items}.
  @ buys {a} {items}.
boxes: start -> items | a=3..39 b=4..39 | multiply a b
  @ has {a} full {boxes}. *Each full {box} holds {b} {items}.
  @ buys {a} {boxes} of {b} {items}.
  @ finds {b} {items} in each of {a} {boxes}.
  How many {items} does @ have in all? / How many {items} is that in all?
shelves: start -> items | a=3..15 b=3..15 c=4..29 | multiply a b, multiply r1 c
  @ has {a} shelves with {b} full {boxes} on each shelf. *Each full {box} holds {c} {items}.
  @ puts {b} {boxes} of {c} {items} on each of {a} shelves.
  How many {items} does @ have in all? / How many {items} is that in all?
daily: start -> items | a=4..39 b=3..29 | multiply a b
  @ finds {a} {items} every day for {b} days.
  For {b} days, @ gets {a} {items} a day.
  How many {items} does @ have in all? / How many {items} is that in all?
sizes: start -> items | a=12..299 b=12..299 | add a b
  @ has {a} small {items} and {b} big {items}.
  @ has {b} old {items} and {a} new {items}.
  How many {items} does @ have in all? / How many {items} is that in all?
square: start -> items | a=4..39 | power a 2
  @ makes a full square of {items} with {a} {items} on each side.
  With {a} {items} on each side, @ makes a full square of {items}.
  How many {items} does @ have in all? / How many {items} is that in all?
basket: start -> items | n=3..12 f=11..98 t=60..599 | solve n f t
  @ pays {t} dollars for a {box} and some {items}. *Each {box} costs {f} dollars. *One {item} costs {n} dollars.
  @ pays {t} dollars in all: {f} dollars for a {box} and {n} dollars for each {item} in it.
  How many {items} does @ buy? / How many {items} is that?
gain: items -> items | n=12..289 | add q n | all the
  A friend gives {name} {n} more {items}.
  Then @ finds {n} more {items}.
  @ buys {n} more {items}.
  How many {items} does @ have now? / How many {items} are there now?
lose: items -> items | n=11..289 | subtract q n | the remaining
  @ gives {n} {items} to a friend.
  Then @ loses {n} {items}.
  @ throws away {n} bad {items}.
  How many {items} does @ have left? / How many {items} are left?
times: items -> items | n=3..11 | multiply q n
  Later @ has {n} times as many {items}.
  Soon @ has {n} times as many {items}.
  How many {items} does @ have now? / How many {items} are there now?
double: items -> items |  | multiply q 2
  Later @ has twice as many {items}.
  Then @ doubles the number of {items}.
  How many {items} does @ have now? / How many {items} are there now?
lose_percent: items -> items | p=5..95:5 | percent_of q p, subtract q r1 | the remaining
  @ gives away {p} percent of {the} {items}.
  Then @ loses {p} percent of {the} {items}.
  How many {items} does @ have left? / How many {items} are left?
keep_percent: items -> items | p=5..95:5 | percent_of q p | these
  @ keeps only {p} percent of {the} {items}.
  Of {the} {items}, @ keeps only {p} percent.
  How many {items} does @ keep?
share: items -> end | n=3..29 | divide q n
  @ shares {the} {items} equally among {n} friends.
  Then {n} friends share {the} {items} equally.
  How many {items} does each friend get?
pack: items -> cases | n=3..39 | divide q n
  @ puts {the} {items} into {cases}. *Each {case} takes {n} {items}.
  @ puts {the} {items} into {cases} of {n} {items}.
  How many {cases} does @ fill? / How many {cases} does @ need?
left_over: items -> end | n=7..59 | remainder q n
  @ fills {cases} with {the} {items}. *Each {case} takes {n} {items}.
  @ puts {the} {items} into full {cases} of {n} {items}.
  How many {items} are left over?
sell: items -> money | n=3..24 | multiply q n | all the
  @ sells {the} {items}. *Each {item} sells for {n} dollars.
  @ sells {the} {items} for {n} dollars each.
  How many dollars does @ get? / How many dollars is that in all?
sell_cases: cases -> money | n=3..59 | multiply q n | all the
  @ sells the {cases}. *Each full {case} sells for {n} dollars.
  @ sells the {cases} for {n} dollars each.
  How many dollars does @ get? / How many dollars is that in all?
"""
