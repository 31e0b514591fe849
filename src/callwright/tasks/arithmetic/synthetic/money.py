"""Clauses about money: what a person has, and what a person has to pay.

`callwright.tasks.arithmetic.synthetic.clause.read_clauses` says how to read this table.
"""

CLAUSES = """
cash: start -> money | a=60..989 | | all the
  @ has {a} dollars.
  @ gets {a} dollars from a friend.
wage: start -> money | a=6..59 b=8..59 | multiply a b | all the
  @ works {a} hours. *Each hour of work pays {b} dollars.
  @ gets {b} dollars an hour and works {a} hours.
  @ works {a} hours for {b} dollars an hour.
  How many dollars does @ get? / How many dollars is that in all?
bank: start -> money | a=20..599 b=20..599 | add a b | all the
  @ has {a} dollars at home and {b} dollars in a bank.
  @ gets {b} dollars on Monday and {a} dollars on Friday.
  How many dollars does @ have in all? / How many dollars is that in all?
stall: start -> money | a=6..39 b=3..24 c=6..39 d=3..24 | multiply a b, multiply c d, add r1 r2 | all the
  @ sells {a} {items} for {b} dollars each and {c} {others} for {d} dollars each.
  @ sells {a} {items} and {c} {others}. *One {item} costs {b} dollars. *One {other} costs {d} dollars.
  How many dollars does @ get? / How many dollars is that in all?
thing: start -> bill | a=20..989 | | the whole
  @ buys a {thing} for {a} dollars.
  @ buys a {thing}. *One {thing} costs {a} dollars.
order: start -> bill | a=3..39 b=3..39 | multiply a b | the whole
  @ buys {a} {items}. *One {item} costs {b} dollars.
  @ buys {a} {items} for {b} dollars each.
  How many dollars does @ pay? / How many dollars does @ pay in all?
meal: start -> bill | a=20..599 b=11..299 | add a b | the whole
  @ orders food for {a} dollars and drinks for {b} dollars.
  @ buys drinks for {b} dollars and food for {a} dollars.
  How many dollars does @ pay? / How many dollars does @ pay in all?
two_kinds: start -> bill | a=3..29 b=3..29 c=3..29 d=3..29 | multiply a b, multiply c d, add r1 r2 | the whole
  @ buys {a} {items} for {b} dollars each and {c} {others} for {d} dollars each.
  @ buys {a} {items} and {c} {others}. *One {item} costs {b} dollars. *One {other} costs {d} dollars.
  How many dollars does @ pay? / How many dollars does @ pay in all?
earn: money -> money | n=12..289 | add q n | all the
  Then @ earns {n} more dollars.
  A friend gives {name} {n} more dollars.
  How many dollars does @ have now?
spend: money -> money | n=12..489 | subtract q n | all the remaining
  Then @ pays {n} dollars for a {thing}.
  @ buys a {thing} for {n} dollars.
  How many dollars does @ have left? / How many dollars are left?
shop: money -> money | m=3..29 n=3..29 | multiply m n, subtract q r1 | all the remaining
  @ buys {m} {others}. *One {other} costs {n} dollars.
  @ buys {m} {others} for {n} dollars each.
  How many dollars does @ have left? / How many dollars are left?
tax: money -> money | p=5..55:5 | percent_of q p, subtract q r1 | all the remaining
  @ pays {p} percent of {the} money in tax.
  @ gives away {p} percent of {the} money.
  How many dollars does @ have left? / How many dollars are left?
save: money -> end | p=5..95:5 | percent_of q p
  @ saves {p} percent of {the} money.
  Of {the} money, @ saves {p} percent.
  How many dollars does @ save?
split: money -> end | n=3..29 | divide q n
  @ shares {the} money equally among {n} friends.
  Then {n} friends share {the} money equally.
  How many dollars does each friend get?
split_rounded: money -> end | n=4,5,8,16,20,25,40,50 | divide q n, round_to r1 0
  @ shares {the} money equally among {n} friends.
  Then {n} friends share {the} money equally.
  How many dollars does each friend get, rounded to a whole number?
buy: money -> items | n=3..29 | divide q n
  @ buys {items} with {the} money. *One {item} costs {n} dollars.
  @ spends {the} money on {items} for {n} dollars each.
  How many {items} does @ buy? / How many {items} does @ get?
ride: money -> end | n=3..12 f=11..59 | solve n f q
  @ spends {the} money on a ride. *Each ride costs {f} dollars plus {n} dollars for each mile.
  @ rides until {the} money is gone. *The ride costs {f} dollars and {n} dollars more for each mile.
  How many miles does @ ride? / How many miles is that?
tip: bill -> bill | p=5..30:5 | percent_of q p, add q r1 | the whole
  @ adds a tip of {p} percent.
  @ pays {p} percent more as a tip.
  How many dollars does @ pay? / How many dollars does @ pay in all?
sale: bill -> bill | p=5..90:5 | percent_of q p, subtract q r1 | the new
  @ gets {p} percent off {the} price.
  The shop takes {p} percent off {the} price.
  How many dollars does @ pay? / How many dollars does @ pay in all?
discount: bill -> bill | n=11..199 | subtract q n | the new
  @ gets {n} dollars off {the} price.
  The shop takes {n} dollars off {the} price.
  How many dollars does @ pay? / How many dollars does @ pay in all?
extra: bill -> bill | n=12..289 | add q n | the whole
  @ also pays {n} dollars for a {case}.
  @ also buys a {case} for {n} dollars.
  How many dollars does @ pay? / How many dollars does @ pay in all?
pay_back: bill -> end | n=50..989 | subtract n q
  @ pays with {n} dollars.
  @ gives the shop {n} dollars.
  How many dollars does @ get back?
together: bill -> end | n=3..19 | divide q n
  Then {n} friends share the cost equally.
  The cost is shared equally among {n} friends.
  How many dollars does each friend pay?
"""
