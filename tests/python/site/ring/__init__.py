"""What runs on both sides of the comparison: it evaluates programs and writes their results as ASCII text."""
