"""The families: which clauses are composed into stories."""

from random import Random

from callwright.tasks.arithmetic.synthetic import money, people_and_land, things
from callwright.tasks.arithmetic.synthetic.clause import Clause, read_clauses
from callwright.tasks.arithmetic.synthetic.family import ArithmeticFamily

CLAUSES: dict[str, Clause] = read_clauses(things.CLAUSES + money.CLAUSES + people_and_land.CLAUSES)

# In both tables: one paragraph for each number of gold calls before `answer`, from one to five.
_SEEN = """
sizes square wage classes riddle have+sell cash+save cash+ride rope+offcut rope+parts book+read

boxes+gain daily+times sizes+pack square+lose basket+share have+pack+sell_cases have+lose_percent
have+keep_percent+sell wage+split wage+ride wage+save bank+save cash+split_rounded cash+shop cash+buy+gain
order+pay_back order+together thing+sale thing+extra+together meal+discount school+teams school+go school+fee
classes+sing garden+flowers field+grass walk+way_left trip+way_left rope+cut+offcut ropes+offcut book+read+finish
book+read_daily

boxes+lose+share boxes+double+left_over daily+lose+pack daily+keep_percent+share sizes+times+keep_percent
square+double+pack basket+times+lose basket+lose+sell shelves+sell wage+tax bank+earn+ride bank+spend+buy stall
meal+tip order+sale thing+sale+pay_back two_kinds classes+go+no_team classes+come+teams school+go+sing
school+fee+prizes field+build+flowers field+build+grass garden+build+grass garden+seeds+discount ropes+cut+parts
rope+cut+parts_rounded walk+speed trip+speed walk+further+way_left book+read_daily+finish

shelves+lose+left_over sizes+gain+lose_percent wage+shop+split stall+earn bank+spend+split_rounded bank+shop+buy
two_kinds+discount meal+tip+together trip+further+speed school+come+fee+prizes school+go+fee+prizes
classes+go_percent+no_team garden+build+seeds+extra ropes+cut+parts_rounded

boxes+gain+lose+pack+sell_cases daily+double+sell+tax shelves+lose_percent+share stall+spend+split
two_kinds+extra+pay_back wage+tax+earn+split school+come+go_percent+teams field+build+seeds+sale
"""
# Only in the test split. Each is a new composition of clauses that occur in seen families.
_HELD_OUT = """
have+times

daily+pack classes+fee bank+split garden+grass thing+discount+pay_back

square+lose+share basket+gain+sell wage+earn+save order+extra+together ropes+cut+offcut trip+further+way_left

shelves+double+pack daily+gain+lose_percent meal+discount+sale

boxes+gain+sell+tax stall+earn+ride classes+come+go+fee+prizes
"""


def _compose(name: str, held_out: bool) -> ArithmeticFamily:
    return ArithmeticFamily(name, tuple(CLAUSES[clause] for clause in name.split("+")), held_out)


def _mixed(names: str) -> list[str]:
    """In a fixed order that mixes the lengths, as a split with few problems has the first families only."""
    return Random("families").sample(names.split(), len(names.split()))


FAMILIES: dict[str, ArithmeticFamily] = {
    name: _compose(name, held_out) for names, held_out in ((_SEEN, False), (_HELD_OUT, True)) for name in _mixed(names)
}
