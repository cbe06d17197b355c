"""Transactions, change numbers and the engines that keep the data."""
