"""Names without a gender: the individuals of the synthetic entailment problems, and of their changed questions."""

NAMES = ("Ava", "Ida", "Jon", "Kim", "Leo", "Max", "Ned", "Pia", "Rex", "Sam", "Tia", "Una")
