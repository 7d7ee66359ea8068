"""What runs Rollcall: images, examples, the demo and its tools. It is part of the checkout and of no distribution."""
