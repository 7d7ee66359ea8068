"""Tools of the checkout, called by the Makefile and by the tests."""
