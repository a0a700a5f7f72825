"""The card of a diagnoser: what it is for, what it was made from, what it is worth and to whom, all of it measured."""
