"""Clauses about the children of a school, land, rope, ways, books, and an unknown number.

`callwright.tasks.arithmetic.synthetic.clause.read_clauses` says how to read this table.
"""

CLAUSES = """
school: start -> children | a=11..299 b=11..299 | add a b
  A school has {a} boys and {b} girls.
  There are {b} girls and {a} boys at a school.
  How many children are there? / How many children are there in all?
classes: start -> children | a=3..29 b=8..39 | multiply a b
  There are {b} children in each of the {a} classes of a school.
  A school has {a} classes of {b} children.
  How many children are there? / How many children are there in all?
garden: start -> land | a=4..39 | power a 2
  @ has square land with sides of {a} meters.
  The sides of the square land of @ are {a} meters long.
  How many square meters of land does @ have? / How many square meters is that?
field: start -> land | a=4..59 b=4..59 | multiply a b
  @ has land that is {a} meters long and {b} meters wide.
  @ buys land that is {b} meters wide and {a} meters long.
  How many square meters of land does @ have? / How many square meters is that?
rope: start -> rope | a=50..989 |
  @ has a rope of {a} meters.
  @ buys {a} meters of rope.
ropes: start -> rope | a=3..19 b=4..59 | multiply a b
  @ makes a long rope from {a} short ropes. *Each short rope is {b} meters long.
  @ makes a long rope from {a} short ropes of {b} meters.
  How many meters of rope does @ have?
trip: start -> way | a=11..399 b=11..399 | add a b
  @ rides {a} miles on Monday and {b} miles on Friday.
  @ rides {b} miles to a lake and {a} miles to a farm.
  How many miles does @ ride in all?
walk: start -> way | a=4..39 b=3..29 | multiply a b
  @ rides {a} miles a day for {b} days.
  For {b} days, @ rides {a} miles every day.
  How many miles does @ ride in all?
book: start -> pages | a=90..989 |
  @ has a book of {a} pages.
  @ buys a book with {a} pages.
riddle: start -> end | n=3..12 f=11..98 t=40..489 | solve n f t
  @ thinks of a number. The number times {n} plus {f} is {t}.
  @ adds {f} to {n} times a number and gets {t}.
  What is the number?
come: children -> children | n=12..189 | add q n | all the
  Then {n} more children come.
  Then {n} more children join them.
  How many children are there now?
go: children -> children | n=12..189 | subtract q n | the remaining
  Then {n} children go home.
  Today {n} children are not there.
  How many children are left? / How many children are still there?
go_percent: children -> children | p=5..95:5 | percent_of q p, subtract q r1 | the remaining
  Then {p} percent of {the} children go home.
  Of {the} children, {p} percent go home.
  How many children are left? / How many children are still there?
sing: children -> end | p=5..95:5 | percent_of q p
  Now {p} percent of {the} children sing.
  Of {the} children, {p} percent sing.
  How many children sing?
teams: children -> end | n=3..29 | divide q n
  {The} children make {n} equal teams.
  Then {the} children form {n} equal teams.
  How many children are in each team?
no_team: children -> end | n=5..39 | remainder q n
  {The} children make full teams of {n} children.
  Then {the} children form full teams of {n} children.
  How many children are left over? / How many children have no team?
fee: children -> fund | n=3..24 | multiply q n
  {The} children pay {n} dollars each.
  Then {the} children give {n} dollars each.
  How many dollars is that in all? / How many dollars do they pay in all?
prizes: fund -> end | n=12..489 | subtract q n
  The school buys a {thing} for {n} dollars with the money.
  Of the money, {n} dollars are for a {thing}.
  How many dollars are left?
build: land -> land | n=11..599 | subtract q n | the remaining
  A house takes {n} square meters.
  @ sells {n} square meters of the land.
  How many square meters are left?
grass: land -> end | p=5..95:5 | percent_of q p
  Grass grows on {p} percent of {the} land.
  There is grass on {p} percent of {the} land.
  How many square meters have grass?
flowers: land -> end | n=3..29 | multiply q n
  @ plants {n} flowers on each square meter of {the} land.
  On each square meter of {the} land, @ plants {n} flowers.
  How many flowers does @ plant? / How many flowers is that?
seeds: land -> bill | n=3..24 | multiply q n | the whole
  @ buys grass for {the} land. *One square meter of grass costs {n} dollars.
  @ buys grass for {the} land for {n} dollars a square meter.
  How many dollars does @ pay? / How many dollars is that?
cut: rope -> rope | n=11..289 | subtract q n | the remaining
  @ cuts off {n} meters of rope.
  Then @ gives {n} meters of the rope to a friend.
  How many meters of rope are left? / How many meters are left?
parts: rope -> end | n=3..29 | divide q n
  @ cuts {the} rope into {n} equal parts.
  Then @ makes {n} equal parts from {the} rope.
  How many meters long is each part?
parts_rounded: rope -> end | n=4,5,8,16,20,25,40,50 | divide q n, round_to r1 0
  @ cuts {the} rope into {n} equal parts.
  Then @ makes {n} equal parts from {the} rope.
  How many meters long is each part, rounded to a whole number?
offcut: rope -> end | n=5..39 | remainder q n
  @ cuts {the} rope into parts of {n} meters.
  Then @ makes parts of {n} meters from {the} rope.
  How many meters are left over?
further: way -> way | n=12..289 | add q n
  Then @ rides {n} more miles.
  After that, @ rides {n} miles more.
  How many miles does @ ride in all?
way_left: way -> end | n=50..989 | subtract n q
  The whole way is {n} miles long.
  @ has to ride {n} miles in all.
  How many miles are left? / How many more miles does @ have to ride?
speed: way -> end | n=16,20,25,40,50 | divide q n, round_to r1 0
  All this takes {n} hours.
  @ needs {n} hours in all.
  How many miles is that an hour, rounded to a whole number?
read: pages -> pages | n=11..289 | subtract q n | the remaining
  @ reads {n} pages on Monday.
  Today @ reads {n} pages.
  How many pages are left?
read_daily: pages -> pages | m=6..59 n=3..24 | multiply m n, subtract q r1 | the remaining
  @ reads {m} pages a day for {n} days.
  For {n} days, @ reads {m} pages every day.
  How many pages are left?
finish: pages -> end | n=3..29 | divide q n
  @ reads {the} pages in {n} days, the same number each day.
  In {n} days, @ reads {the} pages, the same number each day.
  How many pages does @ read on each of these days?
"""
