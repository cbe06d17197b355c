"""A sample shop: invented people whose doings are told as real systems tell them, and sent through the real doors."""
