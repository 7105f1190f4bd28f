"""A run as a file for others: a page that opens offline, a document for programs, a trace, a JUnit report."""
